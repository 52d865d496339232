package safefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// label is the extended attribute that holds the SELinux label.
const label = "security.selinux"

// CopyXattrs copies all extended attributes, the SELinux label among them. A filesystem without them is no error.
func CopyXattrs(from, to *os.File) error {
	names, err := listXattrs(from)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := copyXattr(from, to, name); err != nil {
			return err
		}
	}
	return nil
}

// CopyLabel copies only the SELinux label, if there is one.
func CopyLabel(from, to *os.File) error {
	err := copyXattr(from, to, label)
	if noXattrs(err) {
		return nil
	}
	return err
}

// Give makes an open file another user's. The mode is set last: a change of the owner clears set-ID bits, and nobody else may have more rights
// than the mode gives.
func Give(f *os.File, uid, gid int, mode os.FileMode) error {
	if err := f.Chown(uid, gid); err != nil {
		return err
	}
	return f.Chmod(mode.Perm())
}

// adopt gives f the owner, mode and extended attributes of old. Set-ID bits are dropped: no configuration needs them.
func adopt(f, old *os.File) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(old.Fd()), &st); err != nil {
		return &fs.PathError{Op: "stat", Path: old.Name(), Err: err}
	}
	if err := Give(f, int(st.Uid), int(st.Gid), os.FileMode(st.Mode&0o777)); err != nil {
		return err
	}
	return CopyXattrs(old, f)
}

func noXattrs(err error) bool {
	return errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.ENODATA)
}

func listXattrs(f *os.File) ([]string, error) {
	buf, err := sized(func(buf []byte) (int, error) { return unix.Flistxattr(int(f.Fd()), buf) })
	if noXattrs(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list extended attributes of %s: %w", f.Name(), err)
	}
	var names []string
	for start, i := 0, 0; i < len(buf); i++ {
		if buf[i] == 0 {
			names = append(names, string(buf[start:i]))
			start = i + 1
		}
	}
	return names, nil
}

func copyXattr(from, to *os.File, name string) error {
	value, err := sized(func(buf []byte) (int, error) { return unix.Fgetxattr(int(from.Fd()), name, buf) })
	if err != nil {
		return fmt.Errorf("read %s of %s: %w", name, from.Name(), err)
	}
	if err := unix.Fsetxattr(int(to.Fd()), name, value, 0); err != nil && !noXattrs(err) {
		return fmt.Errorf("set %s on %s: %w", name, to.Name(), err)
	}
	return nil
}

// sized asks for the length of the answer first, then for the answer.
func sized(call func([]byte) (int, error)) ([]byte, error) {
	size, err := call(nil)
	if err != nil || size == 0 {
		return nil, err
	}
	buf := make([]byte, size)
	n, err := call(buf)
	if err != nil {
		return nil, err
	}
	return buf[:n], nil
}
