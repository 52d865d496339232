package procfs

import (
	"errors"
	"io"
	"io/fs"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/readfile"
)

// Locked tells whether any process holds a lock on the file: an open-file-description lock, as etcd puts on its log, or flock, as bbolt puts on
// the database and etcd on its log where the kernel has no open-file-description locks (RHEL 7's 3.10).
//
// The test for flock takes a shared lock for a moment, since Linux has no other way. So call it only when no etcd process is left: one that
// starts in that moment could find its log locked.
func Locked(path string) (bool, error) {
	f, _, err := readfile.Open(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, readfile.ErrNotRegular) { // etcd keeps data in neither
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	held, err := heldByDescription(f.Fd())
	if err != nil || held {
		return held, err
	}
	return heldByFlock(f.Fd())
}

// heldByDescription queries without locking. EINVAL means that the kernel does not know this kind of lock, so nobody holds one.
func heldByDescription(fd uintptr) (bool, error) {
	query := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
	err := unix.FcntlFlock(fd, unix.F_OFD_GETLK, &query)
	if errors.Is(err, unix.EINVAL) {
		return false, nil
	}
	return err == nil && query.Type != unix.F_UNLCK, err
}

// heldByFlock tries a shared lock; closing the file releases it.
func heldByFlock(fd uintptr) (bool, error) {
	err := unix.Flock(int(fd), unix.LOCK_SH|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}
