package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/safefile"
)

// copyAttributes gives owner, mode, extended attributes and times of from to to. The owner goes first: otherwise another user could read what the
// mode allows. Set-ID bits are left out: no file of etcd needs them.
func copyAttributes(from, to *os.File) error {
	st, err := statOf(from)
	if err != nil {
		return err
	}
	if err := tolerate(to.Chown(int(st.Uid), int(st.Gid))); err != nil {
		return err
	}
	if err := to.Chmod(fs.FileMode(st.Mode & 0o777)); err != nil {
		return err
	}
	if err := safefile.CopyXattrs(from, to); err != nil {
		return err
	}
	return copyTimes(st, to)
}

func copyTimes(st unix.Stat_t, to *os.File) error {
	held := fmt.Sprintf("/proc/self/fd/%d", to.Fd())
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, held, []unix.Timespec{st.Atim, st.Mtim}, 0); err != nil {
		return fmt.Errorf("set the times of %s: %w", to.Name(), err)
	}
	return nil
}

func statOf(f *os.File) (unix.Stat_t, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return st, &fs.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	return st, nil
}

// tolerate passes over a filesystem that does not keep owners, such as NFS that squashes root: the backup is still made, and the manifest has the
// owner.
func tolerate(err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	return err
}

// describe notes mode and owner, the owner by name: on a reinstalled host the same user may have another number.
func (f *File) describe(st unix.Stat_t) {
	uid, gid := strconv.Itoa(int(st.Uid)), strconv.Itoa(int(st.Gid))
	f.Mode, f.Owner, f.Group = fmt.Sprintf("%04o", st.Mode&0o777), uid, gid
	if u, err := user.LookupId(uid); err == nil {
		f.Owner = u.Username
	}
	if g, err := user.LookupGroupId(gid); err == nil {
		f.Group = g.Name
	}
}

// access is the owner and the mode that the manifest has, in this host's numbers.
type access struct {
	uid, gid int
	mode     fs.FileMode
}

func (f File) access() (access, error) {
	mode, err := f.mode()
	if err != nil {
		return access{}, err
	}
	uid, err := id(f.Owner, func(name string) (string, error) {
		u, err := user.Lookup(name)
		if err != nil {
			return "", err
		}
		return u.Uid, nil
	})
	if err != nil {
		return access{}, err
	}
	gid, err := id(f.Group, func(name string) (string, error) {
		g, err := user.LookupGroup(name)
		if err != nil {
			return "", err
		}
		return g.Gid, nil
	})
	return access{uid, gid, mode}, err
}

// mode refuses set-ID bits: root would put back a program that runs as another user.
func (f File) mode() (fs.FileMode, error) {
	mode, err := strconv.ParseUint(f.Mode, 8, 12)
	if err != nil {
		return 0, fault.New(fault.Corrupt, "%s has the mode %q in the manifest", f.Path, f.Mode)
	}
	if mode&^0o777 != 0 {
		return 0, fault.New(fault.Corrupt, "%s has the mode %s in the manifest: no backup holds set-ID bits", f.Path, f.Mode)
	}
	return fs.FileMode(mode), nil
}

func id(name string, lookup func(string) (string, error)) (int, error) {
	text, err := lookup(name)
	if err != nil {
		text = name // a number stands for an owner that had no name
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fault.New(fault.Refused, "the user or group %q of the backup does not exist on this host", name).
			WithHint("install etcd first: its package makes the user etcd")
	}
	return n, nil
}
