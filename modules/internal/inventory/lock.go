package inventory

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
)

// locks protects the inventory's files from other runs of this package. The lock is on the file itself, so that no lock file is left. A write
// replaces the file: whoever gets the lock checks that it is still that of the file under this name.
type locks struct{ files []*os.File }

// lockAll locks the files in the order given, which is the same in every run, so that two runs never wait for each other.
func lockAll(paths []string, limit time.Duration) (*locks, error) {
	l := &locks{}
	deadline := time.Now().Add(limit)
	for _, path := range paths {
		f, err := lockOne(path, deadline)
		if err != nil {
			l.release()
			return nil, err
		}
		l.files = append(l.files, f)
	}
	return l, nil
}

func lockOne(path string, deadline time.Time) (*os.File, error) {
	for {
		f, err := openForLock(path)
		if err != nil {
			return nil, fault.Wrap(fault.Internal, err, "the inventory %s cannot be opened", path)
		}
		held, err := tryLock(f, path)
		if held {
			return f, nil
		}
		f.Close()
		if err != nil {
			return nil, err
		}
		if time.Now().After(deadline) {
			return nil, fault.New(fault.Timeout, "another run holds the inventory %s; nothing was changed", path).
				WithHint("`fuser -v %s` names the process; run this again when it has ended", path)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// openForLock opens for writing, since on NFS only such a file can be locked; where writing is not allowed, a local file can still be locked.
func openForLock(path string) (*os.File, error) {
	f, _, err := readfile.OpenToWrite(path)
	if errors.Is(err, os.ErrPermission) || errors.Is(err, unix.EROFS) {
		f, _, err = readfile.Open(path)
	}
	return f, err
}

func tryLock(f *os.File, path string) (bool, error) {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK), errors.Is(err, unix.EINTR):
		return false, nil
	case errors.Is(err, unix.ENOLCK), errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EBADF):
		return true, nil // a filesystem without locks: only the comparison before the write protects the file
	case err != nil:
		return false, fmt.Errorf("lock %s: %w", path, err)
	}
	mine, err := f.Stat()
	if err != nil {
		return false, err
	}
	now, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	return os.SameFile(mine, now), nil
}

func (l *locks) release() {
	for _, f := range l.files {
		f.Close()
	}
}
