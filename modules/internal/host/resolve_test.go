package host

import (
	"os"
	"path/filepath"
	"testing"

	"etcd-quorum-restore/modules/internal/procfs"
)

// A link in a container means a path in that container, never the host's own file of that name.
func TestResolveStaysInTheContainer(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"usr/bin", "opt"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"bin": "/usr/bin", "usr/bin/etcdctl": "/opt/etcdctl", "opt/loop": "/opt/loop", "opt/out": "../../../../../../etc/passwd"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "opt/etcdctl"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err := within(dir, "/sbin:/bin", "etcdctl"); err != nil || got != filepath.Join(dir, "opt/etcdctl") {
		t.Errorf("%s, %v", got, err)
	}
	for _, path := range []string{"opt/loop", "opt/out", "nowhere"} {
		if got, err := resolve(dir, path); err == nil {
			t.Errorf("%s is taken for %s", path, got)
		}
	}
}

// Both cgroup drivers, with the names of Docker and of containerd; the last two rows are other processes.
func TestUIDOf(t *testing.T) {
	const hash = "dfc0d84617e3ae5b9b22c33fc486aaf1"
	for cgroup, want := range map[string]string{
		"1:name=systemd:/kubepods/besteffort/pod" + hash + "/f368142b75a9\n":                                                                                    hash,
		"4:memory:/kubepods/pod" + hash + "/f368142b75a9\n":                                                                                                     hash,
		"0::/../../kubepods/burstable/pod" + hash + "/f368\n":                                                                                                   hash,
		"1:name=systemd:/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + hash + ".slice/docker-f368142b75a9.scope\n":                          hash,
		"1:name=systemd:/kubepods.slice/kubepods-pod5b2f4bd0_1111_2222_3333_444455556666.slice/cri-containerd-f368.scope\n":                                     "5b2f4bd0-1111-2222-3333-444455556666",
		"1:name=systemd:/system.slice/etcd.service\n":                                                                                                           "",
		"1:name=systemd:/system.slice/docker-f368142b75a924d09152adf7a774ad29a9a37a6e98e2d8b7751ea93ea167a411.scope\n":                                          "",
		"1:name=systemd:/machine.slice/libpod-dfc0d84617e3ae5b9b22c33fc486aaf1dfc0d84617e3ae5b9b22c33fc486aaf1.scope/system.slice/etcd.service\n0::/init.scope": "",
	} {
		if got := uidOf(procfs.Process{CGroup: cgroup}); got != want {
			t.Errorf("%q: %q, want %q", cgroup, got, want)
		}
	}
}
