package backup

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/safefile"
)

// copyAttributes gives to the owner, mode, extended attributes and times of from. The owner goes first: changing it clears set-ID bits.
func copyAttributes(from, to string) error {
	if err := copyOwner(from, to); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Lstat(from, &st); err != nil {
		return fmt.Errorf("stat %s: %w", from, err)
	}
	if err := unix.Chmod(to, st.Mode&0o7777); err != nil {
		return fmt.Errorf("chmod %s: %w", to, err)
	}
	if err := safefile.CopyXattrs(from, to); err != nil {
		return err
	}
	times := []unix.Timespec{st.Atim, st.Mtim}
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, to, times, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return fmt.Errorf("set the times of %s: %w", to, err)
	}
	return nil
}

// copyOwner keeps numbers. A filesystem that does not let us, such as NFS with root squashed, is no reason to have no backup: the
// manifest knows the owner.
func copyOwner(from, to string) error {
	var st unix.Stat_t
	if err := unix.Lstat(from, &st); err != nil {
		return fmt.Errorf("stat %s: %w", from, err)
	}
	err := os.Lchown(to, int(st.Uid), int(st.Gid))
	if err == nil || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	return fmt.Errorf("chown: %w", err)
}

// describe notes mode and owner by name: on a re-installed host the same user may have another number.
func (f *File) describe(path string) error {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return fmt.Errorf("stat %s: %w", path, err)
	}
	uid, gid := strconv.Itoa(int(st.Uid)), strconv.Itoa(int(st.Gid))
	f.Mode, f.Owner, f.Group = fmt.Sprintf("%04o", st.Mode&0o7777), uid, gid
	if u, err := user.LookupId(uid); err == nil {
		f.Owner = u.Username
	}
	if g, err := user.LookupGroupId(gid); err == nil {
		f.Group = g.Name
	}
	return nil
}
