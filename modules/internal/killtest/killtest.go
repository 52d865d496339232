// Package killtest traces a program's system calls. It kills the program right before one of the calls by which it changes files: the disk is
// then as a kill at that moment leaves it. Or it shows that a program changes and locks nothing. The program needs no change for it.
package killtest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Never is an n that no program reaches.
const Never = 1 << 30

// Run runs a command and kills it before change n (from 0) of a file below dir. It returns the changes that were made, with the prevented one at
// the end, and whether the command was killed. The command's output must go to files.
func Run(t testing.TB, cmd *exec.Cmd, dir string, n int) (changes []string, killed bool) {
	t.Helper()
	return start(t, cmd, func(pid int, e entry) string { return change(pid, e, dir) }, n)
}

// Touches runs a command to its end, and returns its changes of files below dir, opens for writing and calls for locks included.
func Touches(t testing.TB, cmd *exec.Cmd, dir string) []string {
	t.Helper()
	touches, _ := start(t, cmd, func(pid int, e entry) string { return touch(pid, e, dir) }, Never)
	return touches
}

func start(t testing.TB, cmd *exec.Cmd, note func(int, entry) string, n int) (changes []string, killed bool) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // only the thread that starts a process can trace it; it ends with this function
		var err error
		changes, killed, err = trace(cmd, note, n)
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal("trace ", cmd.Path, ": ", err)
	}
	return changes, killed
}

// trace records the calls for which note returns a name, and kills the command before call n (from 0) of them.
func trace(cmd *exec.Cmd, note func(int, entry) string, n int) (changes []string, killed bool, err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		return nil, false, err
	}
	main := cmd.Process.Pid
	var ws unix.WaitStatus
	if _, err := unix.Wait4(main, &ws, unix.WALL, nil); err != nil {
		return nil, false, err
	}
	// Threads are traced, programs that it starts are not.
	if err := unix.PtraceSetOptions(main, unix.PTRACE_O_TRACESYSGOOD|unix.PTRACE_O_TRACECLONE|unix.PTRACE_O_EXITKILL); err != nil {
		return nil, false, err
	}
	err = unix.PtraceSyscall(main, 0)
	for err == nil {
		var pid int
		if pid, err = unix.Wait4(-1, &ws, unix.WALL|unix.WNOTHREAD, nil); err != nil {
			break
		}
		signal := 0
		switch {
		case ws.Exited() || ws.Signaled():
			if pid == main {
				return changes, killed, cmd.Process.Release()
			}
			continue
		case ws.StopSignal() == unix.SIGTRAP|0x80:
			what := ""
			if e, ok := entryOf(pid); ok && !killed {
				what = note(pid, e)
			}
			if what != "" {
				changes = append(changes, what)
			}
			if what != "" && len(changes) > n {
				killed = true
				if err := unix.Kill(main, unix.SIGKILL); err != nil { // the call that it has stopped at is not made
					return changes, killed, err
				}
			}
		case ws.StopSignal() != unix.SIGTRAP && ws.StopSignal() != unix.SIGSTOP:
			signal = int(ws.StopSignal())
		}
		if err := unix.PtraceSyscall(pid, signal); err != nil && err != unix.ESRCH { // ESRCH: it was killed
			return changes, killed, err
		}
	}
	return changes, killed, err
}

// entry is ptrace_syscall_info at the entry of a call.
type entry struct {
	Op     uint8
	_      [3]uint8
	Arch   uint32
	IP, SP uint64
	Call   uint64
	Args   [6]uint64
}

func entryOf(pid int) (e entry, ok bool) {
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_GET_SYSCALL_INFO, uintptr(pid), unsafe.Sizeof(e), uintptr(unsafe.Pointer(&e)), 0, 0)
	return e, errno == 0 && e.Op == unix.PTRACE_SYSCALL_INFO_ENTRY
}

// change names the change of a file below dir that a thread is about to make; "" for none.
func change(pid int, e entry, dir string) string {
	var name, path string
	switch e.Call {
	case unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2:
		name, path = "rename to", at(pid, e.Args[2], e.Args[3])
	case unix.SYS_UNLINKAT:
		name, path = "remove", at(pid, e.Args[0], e.Args[1])
		if st, err := os.Lstat(path); err != nil || st.IsDir() != (e.Args[2] == unix.AT_REMOVEDIR) {
			return "" // os.Remove tries both calls; this one fails
		}
	case unix.SYS_MKDIRAT:
		name, path = "make", at(pid, e.Args[0], e.Args[1])
	case unix.SYS_PWRITE64:
		name, path = fmt.Sprintf("write %d bytes at %d of", e.Args[2], e.Args[3]), opened(pid, e.Args[0])
	case unix.SYS_FTRUNCATE:
		name, path = "lengthen", opened(pid, e.Args[0])
	}
	return below(dir, name, path)
}

// touch is change, and also calls that could change or disturb something.
func touch(pid int, e entry, dir string) string {
	switch e.Call {
	case unix.SYS_OPENAT:
		if e.Args[2]&(unix.O_WRONLY|unix.O_RDWR|unix.O_CREAT|unix.O_TRUNC) != 0 {
			return below(dir, "open for writing", at(pid, e.Args[0], e.Args[1]))
		}
	case unix.SYS_FLOCK:
		return below(dir, "flock", opened(pid, e.Args[0]))
	case unix.SYS_FCNTL:
		switch int(e.Args[1]) {
		case unix.F_SETLK, unix.F_SETLKW, unix.F_OFD_SETLK, unix.F_OFD_SETLKW:
			return below(dir, "lock", opened(pid, e.Args[0]))
		}
	case unix.SYS_WRITE, unix.SYS_FALLOCATE, unix.SYS_FCHMOD, unix.SYS_FCHOWN, unix.SYS_FSETXATTR, unix.SYS_FSYNC:
		return below(dir, "change", opened(pid, e.Args[0]))
	case unix.SYS_FCHMODAT, unix.SYS_FCHOWNAT, unix.SYS_UTIMENSAT:
		return below(dir, "change", at(pid, e.Args[0], e.Args[1]))
	}
	return change(pid, e, dir)
}

func below(dir, name, path string) string {
	rest, ok := strings.CutPrefix(filepath.Clean(path), filepath.Clean(dir)+"/")
	if !ok {
		return ""
	}
	return name + " " + rest
}

// at is a path that may be relative to an open directory, or to the working directory.
func at(pid int, fd, name uint64) string {
	path := text(pid, name)
	if filepath.IsAbs(path) {
		return path
	}
	if int32(fd) == unix.AT_FDCWD {
		cwd, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
		return filepath.Join(cwd, path)
	}
	return filepath.Join(opened(pid, fd), path)
}

func opened(pid int, fd uint64) string {
	path, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, int32(fd)))
	return path
}

// text reads a string of the traced program.
func text(pid int, at uint64) string {
	f, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return ""
	}
	defer f.Close()
	buf := make([]byte, 4096)
	n, _ := f.ReadAt(buf, int64(at)) // it may end before the page does
	before, _, _ := bytes.Cut(buf[:n], []byte{0})
	return string(before)
}
