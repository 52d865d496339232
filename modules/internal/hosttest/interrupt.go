package hosttest

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// What ends a run, or all runs, at a moment that a test chooses.

// KillAtCall makes the systemctl stand-in kill the process that calls it for the n-th change, "before" it does anything or "after".
func (h *Host) KillAtCall(n int, when string) { h.Write("fake/kill", fmt.Sprint(n, when)) }

func killCaller(root string, now int, when string) {
	file := filepath.Join(root, "fake/kill")
	if raw, _ := os.ReadFile(file); string(raw) == fmt.Sprint(now, when) {
		os.Remove(file) // once
		syscall.Kill(os.Getppid(), syscall.SIGKILL)
		if when == "before" {
			os.Exit(1)
		}
	}
}

// PowerCut ends etcd without warning, and removes what a reboot clears: /run, and what systemd had loaded.
func (h *Host) PowerCut() {
	h.t.Helper()
	h.end()
	h.must(os.RemoveAll(h.path("run")))
	h.Write("run/systemd/system/.keep", "")
	before := loadState(h.Root)
	s := state{Disabled: before.Disabled, Masked: before.Masked}
	s.load(h.Root)
	s.save(h.Root)
}

// Boot starts what is enabled.
func (h *Host) Boot() {
	if s := loadState(h.Root); !s.Disabled && !s.Masked {
		systemctl(h.Root, []string{"start", "--no-block", "etcd.service"})
	}
}
