package member

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/procfs"
	"etcd-quorum-restore/modules/internal/safefile"
)

// Locked tells whether an etcd holds the database or a log segment. Call it only when no etcd process is left: see procfs.Locked.
func Locked(dataDir, walDir string) (bool, error) {
	walDir = walDirOf(dataDir, walDir)
	list, err := segments(walDir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	files := []string{filepath.Join(dataDir, "member", "snap", "db")}
	for _, s := range list {
		files = append(files, filepath.Join(walDir, s.Name))
	}
	for _, path := range files {
		if held, err := procfs.Locked(path); held || err != nil {
			return held, err
		}
	}
	return false, nil
}

func walDirOf(dataDir, walDir string) string {
	if walDir == "" {
		return filepath.Join(dataDir, "member", "wal")
	}
	return walDir
}

// lockedTail is the last segment, open for writing, under the locks that etcd would need: no etcd can start on these files before it is closed.
type lockedTail struct {
	*os.File
	before os.FileInfo
}

func lockTail(dataDir, walDir string) (*lockedTail, error) {
	held, err := Locked(dataDir, walDir)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "ask for etcd's locks")
	}
	if held {
		return nil, errRuns(dataDir)
	}
	list, err := segments(walDir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(list) == 0 {
		return nil, fault.New(fault.Corrupt, "%s holds no log segment", walDir)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "list the log segments")
	}
	f, err := openTail(walDir, list[len(list)-1].Name)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "open the last log segment for writing")
	}
	t := &lockedTail{File: f}
	if err := holdLock(f); errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EACCES) {
		return nil, errors.Join(errRuns(dataDir), f.Close())
	} else if err != nil {
		return nil, errors.Join(fault.Wrap(fault.Internal, err, "lock %s", f.Name()), f.Close())
	}
	if t.before, err = f.Stat(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return t, nil
}

// openTail opens the last segment. Root writes it in place, in another user's directory: a link could lead to any file, and a second name could
// be a copy's.
func openTail(walDir, name string) (*os.File, error) {
	dir, err := safefile.OpenDir(walDir)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.OpenToWrite(name)
}

func errRuns(dataDir string) error {
	return fault.New(fault.Refused, "an etcd runs on %s", dataDir).WithHint("stop it first: etcd_service state=stopped")
}

// holdLock takes both kinds of locks that etcd may use. They end with the file.
func holdLock(f *os.File) error {
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock)
	if err != nil && !errors.Is(err, unix.EINVAL) { // EINVAL: a kernel without this kind (before 3.15)
		return err
	}
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}

// unchanged checks that the file is still what was read, and still the log's last one.
func (t *lockedTail) unchanged(walDir string, s *State) error {
	now, err := t.Stat()
	if err != nil {
		return err
	}
	named, err := os.Stat(filepath.Join(walDir, s.end.file))
	if err != nil {
		return err
	}
	list, err := segments(walDir)
	if err != nil {
		return err
	}
	same := os.SameFile(now, named) && now.Size() == t.before.Size() && now.ModTime().Equal(t.before.ModTime()) &&
		list[len(list)-1].Name == s.end.file
	if !same {
		return fault.New(fault.Refused, "%s changed while it was read; nothing was written", t.Name()).
			WithHint("find out what writes there, and run this again")
	}
	return nil
}
