package hosttest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
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

// LeaveModule starts what looks like a module of a run that was killed: it does nothing until the test ends. It returns the process.
func (h *Host) LeaveModule(name string) int {
	h.t.Helper()
	cat, err := exec.LookPath("cat")
	h.must(err)
	program, err := os.ReadFile(cat)
	h.must(err)
	path := h.path("fake/AnsiballZ_" + name)
	h.must(os.WriteFile(path, program, 0o700))
	cmd := exec.Command(path)
	stdin, err := cmd.StdinPipe()
	h.must(err)
	h.must(cmd.Start())
	h.t.Cleanup(func() { h.must(errors.Join(stdin.Close(), cmd.Wait())) })
	return cmd.Process.Pid
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
