package member

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Locked tells whether an etcd holds the database or a log segment. etcd takes open-file-description locks on .wal files, or flock
// where the kernel has none (before 3.15), and flock on the database; both kinds are asked. Nothing is locked by asking for the
// first kind; flock can only be asked by taking it for an instant, shared.
func Locked(dataDir, walDir string) (bool, error) {
	files := []string{filepath.Join(dataDir, "member", "snap", "db")}
	if walDir == "" {
		walDir = filepath.Join(dataDir, "member", "wal")
	}
	list, err := segments(walDir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	for _, s := range list {
		files = append(files, filepath.Join(walDir, s.Name))
	}
	for _, path := range files {
		held, err := lockedFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if held || err != nil {
			return held, err
		}
	}
	return false, nil
}

func lockedFile(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	err = unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &lock)
	if err == nil && lock.Type != unix.F_UNLCK {
		return true, nil
	}
	if err != nil && !errors.Is(err, unix.EINVAL) { // EINVAL: a kernel without such locks
		return false, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}

// holdLock takes the locks that etcd would need, so that none can start on these files meanwhile. They end with the file.
func holdLock(f *os.File) error {
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock)
	if errors.Is(err, unix.EINVAL) {
		err = nil
	}
	if err == nil {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	return err
}
