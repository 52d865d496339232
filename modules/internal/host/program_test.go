package host

import (
	"os"
	"path/filepath"
	"testing"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/program"
)

func TestEtcdInACommand(t *testing.T) {
	dir := t.TempDir()
	etcd := filepath.Join(dir, "bin", "etcd")
	if err := os.MkdirAll(filepath.Join(dir, "lib", "etcd"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Dir(etcd), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(etcd, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for command, want := range map[string]string{
		"/usr/bin/etcd":         "/usr/bin/etcd",
		"/opt/etcd-3.2 --name=": "/opt/etcd-3.2",
		`/bin/bash -c "GOMAXPROCS=$(nproc) ` + etcd + ` --name=\"${ETCD_NAME}\" --data-dir=/var/lib/etcd"`: etcd, // the package's, as in its file
		`/bin/bash -c GOMAXPROCS=$(nproc) ` + etcd + ` --name="${ETCD_NAME}"`:                              etcd, // as systemctl shows it
		"/bin/sh -c 'cd " + dir + "/lib/etcd; exec " + etcd + "'":                                          etcd,
		"/usr/bin/env GOMAXPROCS=2 " + etcd:                                                                etcd,
		"/bin/bash -c 'exec etcd'":                                                                         "",
		"/bin/bash -c " + dir + "/lib/etcd":                                                                "",
		"etcd --name=x":                                                                                    "", // systemd 219 does not start this
		"":                                                                                                 "",
		`""`:                                                                                               "",
		"/bin/sh -c '/home/mallory/no/etcd'":                                                               "",
	} {
		if got := etcdIn(command); got != want {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
}

func TestUnitsThatNameNoEtcd(t *testing.T) {
	for command, want := range map[string]fault.Kind{"": fault.Unsupported, "/bin/bash -c 'exec etcd'": fault.Refused} {
		if path, err := startedBy(command); path != "" || fault.KindOf(err) != want {
			t.Errorf("%q: %q, %v", command, path, err)
		}
	}
}

func TestCommandInAUnitsFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "etcd.service")
	for text, want := range map[string]string{
		"[Service]\nExecStart=-/bin/false\nExecStart=\nExecStart=@/usr/bin/etcd x\n": "/usr/bin/etcd x",
		"[Unit]\nExecStart=/bin/other\n[Service]\nType=notify\n":                     "",
		"[Service]\nExecStart=\n": "",
	} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := commandIn(file); got != want || err != nil {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, none := range []string{"", filepath.Join(dir, "none"), "/dev/null"} {
		if got, err := commandIn(none); got != "" || err != nil {
			t.Errorf("%q: %q, %v", none, got, err)
		}
	}
}

func TestAccountOf(t *testing.T) {
	for name, want := range map[string]program.Account{"daemon": {UID: 1, GID: 1}, "1": {UID: 1, GID: 1}, "root": program.Nobody, "0": program.Nobody} {
		if got, ok := accountOf(name); !ok || got != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if _, ok := accountOf("no such user"); ok {
		t.Error("a user that does not exist")
	}
}
