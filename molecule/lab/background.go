package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// background runs `lab KIND run NAME` in a session of its own, so that it
// outlives the play that started it. A lab has at most one of a kind.
func (l *Lab) background(kind string, args []string) error {
	if pid := l.backgroundPID(kind); pid != 0 {
		return fmt.Errorf("the %s of %s runs already (pid %d); `lab %s stop %s` ends it", kind, l.Name, pid, kind, l.Name)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(l.pidFile(kind)), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(l.path(kind+"/"+kind+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(self, append([]string{kind, "run", l.Name}, args...)...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	return os.WriteFile(l.pidFile(kind), []byte(strconv.Itoa(cmd.Process.Pid)), 0o600)
}

func (l *Lab) pidFile(kind string) string { return l.path(kind + "/pid") }

// endBackground ends it if it runs, and waits until it is gone.
func (l *Lab) endBackground(kind string) error {
	pid := l.backgroundPID(kind)
	if pid == 0 {
		return nil
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	err := poll(ctx, func() error {
		if l.backgroundPID(kind) != 0 {
			return fmt.Errorf("the %s (pid %d) does not end", kind, pid)
		}
		return nil
	})
	if err == nil {
		err = os.Remove(l.pidFile(kind))
	}
	return err
}

// backgroundPID is the running process, 0 without one. The command line is
// compared: the PID in the file may belong to another process by now.
func (l *Lab) backgroundPID(kind string) int {
	b, err := os.ReadFile(l.pidFile(kind))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	own := []byte("\x00" + kind + "\x00run\x00" + l.Name)
	if err != nil || !bytes.Contains(line, append(own, 0)) && !bytes.HasSuffix(line, own) {
		return 0
	}
	return pid
}
