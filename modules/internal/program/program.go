// Package program runs etcd's own programs safely: it refuses one that another user can replace, and runs it with an ordinary user's rights and
// no way to more.
package program

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/safefile"
)

// Account is the user that a program runs as.
type Account struct{ UID, GID uint32 }

// Nobody owns nothing on a host.
var Nobody = Account{65534, 65534}

// maxLinks is the kernel's own limit.
const maxLinks = 40

// Check refuses a program that anybody but root can replace: only root may own it, and write to it and to every directory on the way. For a
// missing one the error is fs.ErrNotExist.
func Check(path string) error {
	at := path
	for range maxLinks {
		target, err := checkName(at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return err
		case err != nil:
			return fault.Wrap(fault.Refused, err, "%s is not run, since it is not root's alone", path).
				WithHint("look who changed it (rpm -Vf %[1]s), then: chown root: %[1]s && chmod go-w %[1]s, and the same for its directories", path)
		case target == "":
			return nil
		}
		at = target
	}
	return &fs.PathError{Op: "open", Path: path, Err: unix.ELOOP}
}

// checkName checks one name; for a link, it returns the link's target.
func checkName(path string) (target string, err error) {
	dir, err := safefile.OpenDir(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	defer dir.Close()
	if err := dir.Private(); err != nil {
		return "", err
	}
	name := filepath.Base(path)
	st, err := dir.Lstat(name)
	switch {
	case err != nil:
		return "", err
	case st.Uid != 0 && int(st.Uid) != os.Geteuid():
		return "", fault.New(fault.Refused, "%s belongs to user %d", path, st.Uid)
	case st.Mode&unix.S_IFMT == unix.S_IFLNK:
		target, err := dir.Readlink(name)
		if err == nil && !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		return target, err
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return "", fault.New(fault.Refused, "%s is not a regular file", path)
	case st.Mode&0o022 != 0:
		return "", fault.New(fault.Refused, "%s can be written to by others than its owner", path)
	case st.Mode&0o111 == 0:
		return "", fault.New(fault.Refused, "%s is not executable", path)
	}
	return "", nil
}

// Command runs an opened program as that account, which needs no access to the program's directory, nor to those of the further open files: the
// program reaches the first of them as Path(0). Use it within Unprivileged.
func Command(ctx context.Context, program *os.File, as Account, files []*os.File, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, descriptor(0), args...)
	cmd.Args[0] = filepath.Base(program.Name())
	cmd.ExtraFiles = append([]*os.File{program}, files...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"} // no ETCD_* variable of ours may reach it
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: as.UID, Gid: as.GID} // without supplementary groups; the change also drops capabilities
	}
	return cmd
}

// Output is the beginning of what the program at that path prints.
func Output(ctx context.Context, path string, as Account, args ...string) (string, error) {
	f, _, err := readfile.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	out := readfile.Output{Limit: 4096}
	err = Unprivileged(func() error {
		cmd := Command(ctx, f, as, nil, args...)
		cmd.Stdout, cmd.WaitDelay = &out, time.Second
		return cmd.Run()
	})
	return out.String(), err
}

// Path is the path by which a program opens the nth of the files that Command was given.
func Path(n int) string { return descriptor(n + 1) }

// descriptor: exec.Cmd puts the first of its files behind stderr.
func descriptor(n int) string { return fmt.Sprintf("/proc/self/fd/%d", 3+n) }

// Unprivileged calls f on a thread whose children can gain no privileges (no_new_privs), by set-user-ID bits for example. They are killed when f
// returns, so f starts a command and waits for its end. The thread is not used for anything else, and ends.
func Unprivileged(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked
		err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}
