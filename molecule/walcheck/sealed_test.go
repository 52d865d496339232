package walcheck

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/member"
)

// The kernel proves that reading only reads: a process that has asked to be killed at the first open for writing, lock, or change of a file reads
// a member, running and stopped.

const (
	sealedDir  = "WALCHECK_SEALED_DIR"
	sealedDeed = "WALCHECK_SEALED_DEED"
)

var deeds = map[string]func(dir string) error{
	"read": func(dir string) error {
		for range 20 {
			if s, err := member.Read(context.Background(), dir, ""); err != nil || len(s.Damage) > 0 {
				return fmt.Errorf("%w %v", err, s)
			}
		}
		_, _, err := member.Identity(dir + "/member/wal")
		return err
	},
	// These must be caught: otherwise the seal proves nothing.
	"keep tail":      func(dir string) error { _, err := member.KeepTail(context.Background(), dir, ""); return err },
	"ask for locks":  func(dir string) error { _, err := member.Locked(dir, ""); return err },
	"open to write":  func(dir string) error { return open(dir, os.O_WRONLY) },
	"open to append": func(dir string) error { return open(dir, os.O_RDWR|os.O_APPEND) },
}

func open(dir string, flag int) error {
	f, err := os.OpenFile(dir+"/member/snap/db", flag, 0)
	if err == nil {
		f.Close()
	}
	return err
}

func sealedMain(dir, deed string) {
	err := seal()
	if err == nil {
		err = deeds[deed](dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// seal makes the kernel kill this process, with all its threads, at the first call that could change or lock a file.
func seal() error {
	const (
		load  = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		any   = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
		done  = unix.BPF_RET | unix.BPF_K
		kill  = unix.SECCOMP_RET_KILL_PROCESS
		pass  = unix.SECCOMP_RET_ALLOW
		arg1  = 24 // offset of the second argument in seccomp_data
		arg2  = 32
	)
	program := []unix.SockFilter{{Code: load, K: 0}}
	for _, call := range []uint32{
		unix.SYS_OPEN, unix.SYS_CREAT, unix.SYS_OPENAT2, unix.SYS_FLOCK, unix.SYS_TRUNCATE, unix.SYS_FTRUNCATE, unix.SYS_FALLOCATE,
		unix.SYS_PWRITE64, unix.SYS_PWRITEV, unix.SYS_RENAME, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2, unix.SYS_LINK, unix.SYS_LINKAT,
		unix.SYS_SYMLINK, unix.SYS_SYMLINKAT, unix.SYS_UNLINK, unix.SYS_UNLINKAT, unix.SYS_MKDIR, unix.SYS_MKDIRAT, unix.SYS_CHMOD,
		unix.SYS_FCHMOD, unix.SYS_FCHMODAT, unix.SYS_CHOWN, unix.SYS_FCHOWN, unix.SYS_FCHOWNAT, unix.SYS_UTIMENSAT, unix.SYS_FSETXATTR,
	} {
		program = append(program, unix.SockFilter{Code: equal, Jf: 1, K: call}, unix.SockFilter{Code: done, K: kill})
	}
	program = append(program,
		unix.SockFilter{Code: equal, Jf: 4, K: unix.SYS_OPENAT},
		unix.SockFilter{Code: load, K: arg2},
		unix.SockFilter{Code: any, Jf: 1, K: unix.O_WRONLY | unix.O_RDWR | unix.O_CREAT | unix.O_TRUNC},
		unix.SockFilter{Code: done, K: kill},
		unix.SockFilter{Code: done, K: pass},
		unix.SockFilter{Code: equal, Jf: 9, K: unix.SYS_FCNTL},
		unix.SockFilter{Code: load, K: arg1})
	for _, lock := range []uint32{unix.F_SETLK, unix.F_SETLKW, unix.F_OFD_SETLK, unix.F_OFD_SETLKW} {
		program = append(program, unix.SockFilter{Code: equal, Jf: 1, K: lock}, unix.SockFilter{Code: done, K: kill})
	}
	program = append(program, unix.SockFilter{Code: done, K: pass})
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	fprog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&fprog)))
	if errno != 0 {
		return errno
	}
	return nil
}

// sealed runs a deed in a sealed process, and tells whether the kernel killed it.
func sealed(t testing.TB, dir, deed string) (killed bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), sealedDir+"="+dir, sealedDeed+"="+deed)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return status.Signal() == unix.SIGSYS
		}
	}
	if err != nil {
		t.Fatalf("%s: %v: %s", deed, err, out)
	}
	return false
}

func TestReadingOnlyReads(t *testing.T) {
	dir := t.TempDir()
	s := startEtcd(t, dir)
	stop := writers(s, 2)
	if sealed(t, dir, "read") {
		t.Error("reading a running member wants to change or lock something")
	}
	stop()
	s.kill()
	if sealed(t, dir, "read") {
		t.Error("reading a stopped member wants to change or lock something")
	}
	for deed := range deeds {
		if deed != "read" && !sealed(t, dir, deed) {
			t.Errorf("%s: was not noticed", deed)
		}
	}
}
