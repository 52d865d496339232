package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

func TestAsksForFlag(t *testing.T) {
	for text, want := range map[string]bool{
		"ETCD_NAME=m0\nETCD_FORCE_NEW_CLUSTER=true\n":                         true,
		"ETCD_NAME=m0\n#ETCD_FORCE_NEW_CLUSTER=true\n  # force-new-cluster\n": false,
		"[Service]\nExecStart=/usr/bin/etcd --force-new-cluster\n":            true,
		"    - name: ETCD_FORCE_NEW_CLUSTER\n      value: \"true\"\n":         true,
		"":                                 false,
		"ETCD_INITIAL_CLUSTER_STATE=new\n": false,
	} {
		if got := asksForFlag([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestFlagsInProcesses starts an etcd with the flag, and looks at it while it is new and when it is old.
func TestFlagsInProcesses(t *testing.T) {
	etcd := filepath.Join(t.TempDir(), "etcd")
	if err := os.Symlink("/bin/sleep", etcd); err != nil {
		t.Fatal(err)
	}
	inits := map[string]int{"m0": os.Getpid()}

	known := processes{}
	started := start(t, exec.Command(etcd, "60"))
	found, known := known.flags(inits)
	if want := []string{fmt.Sprintf("in etcd process %d of m0", started)}; !slices.Equal(found, want) {
		t.Errorf("a new process: %q; expected %q", found, want)
	}
	for range oldProcess {
		_, known = known.flags(inits)
	}
	var seen []string
	for range oldProcess {
		found, known = known.flags(inits)
		seen = append(seen, found...)
	}
	if len(seen) != 1 {
		t.Errorf("an old process, in a second: %q; expected it once", seen)
	}
	if found, _ := known.flags(map[string]int{"m0": started + 1<<30}); found != nil {
		t.Errorf("a process of no host: %q", found)
	}
}

// start runs the command with the flag in its environment. (Start returns after the exec.)
func start(t *testing.T, command *exec.Cmd) int {
	t.Helper()
	command.Env = append(os.Environ(), "ETCD_FORCE_NEW_CLUSTER=true")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := command.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = command.Wait() // it was killed
	})
	return command.Process.Pid
}
