// Package hosttest is a host for tests that has no systemd: a root directory with stand-ins for systemctl, journalctl, the kubelet and etcd.
//
// The stand-ins are the test's own binary under other names. They do only what these tests need: systemctl loads drop-ins at daemon-reload only,
// in the order of their names, checks AssertPathExists= and starts a process with the unit's environment; the kubelet runs what is in its
// directory and ends what is not; etcd listens, locks its files and answers /version and /health. The scenarios on real hosts show that the real
// programs behave like this.
//
//	func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }
//
//	h := hosttest.New(t)
//	moduletest.Run(t, h.Args("state", "stopped")).OK(t, true)
package hosttest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"etcd-quorum-restore/modules/internal/moduletest"
	"etcd-quorum-restore/modules/internal/root"
)

var standIns = map[string]func(root string, args []string) int{
	"systemctl":  systemctl,
	"kubelet":    kubelet,
	"shim":       shim,
	"journalctl": journalctl,
	"etcd":       etcd,
}

// Main runs a package's tests, or a stand-in. The module under test is linked with the root; nothing else differs from the real one.
func Main(m *testing.M) int {
	if run, ok := standIns[filepath.Base(os.Args[0])]; ok {
		return run(filepath.Dir(filepath.Dir(filepath.Dir(os.Args[0]))), os.Args[1:])
	}
	dir, err := os.MkdirTemp("", "hosttest-*")
	if err == nil {
		err = install(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	root.Dir = dir
	os.Setenv("GOFLAGS", "-ldflags=-X=etcd-quorum-restore/modules/internal/root.Dir="+dir)
	return moduletest.Clean(m.Run())
}

func install(dir string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "usr/bin"), 0o755); err != nil {
		return err
	}
	for name := range standIns {
		if err := os.Symlink(self, filepath.Join(dir, "usr/bin", name)); err != nil {
			return err
		}
	}
	return nil
}
