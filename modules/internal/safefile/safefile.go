// Package safefile changes files so that a crash at any point leaves either the old or the new file, with its owner, mode, extended
// attributes and SELinux label (security.selinux is an extended attribute).
package safefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Write replaces the content of path. An existing file keeps owner, mode and extended attributes; a link is followed, and its target
// is replaced. A new file gets mode perm and the owner of the process.
func Write(path string, content []byte, perm os.FileMode) error {
	target, err := resolve(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(target), ".safefile-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails after the rename, as it should
	if err := fill(f, content); err != nil {
		f.Close()
		return err
	}
	if err := adopt(f, target, perm); err != nil {
		f.Close()
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), target); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(target))
}

func resolve(path string) (string, error) {
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, os.ErrNotExist) {
		if _, lerr := os.Lstat(path); lerr == nil {
			return "", fmt.Errorf("%s is a link to a file that does not exist", path)
		}
		return path, nil
	}
	return target, err
}

func fill(f *os.File, content []byte) error {
	_, err := f.Write(content)
	return err
}

// adopt gives f the owner, mode and extended attributes of the file that it will replace, or perm where there is none.
func adopt(f *os.File, target string, perm os.FileMode) error {
	var st unix.Stat_t
	err := unix.Stat(target, &st)
	if errors.Is(err, unix.ENOENT) {
		return f.Chmod(perm)
	}
	if err != nil {
		return fmt.Errorf("stat %s: %w", target, err)
	}
	if err := f.Chown(int(st.Uid), int(st.Gid)); err != nil {
		return err
	}
	if err := unix.Fchmod(int(f.Fd()), st.Mode&0o7777); err != nil {
		return fmt.Errorf("chmod %s: %w", f.Name(), err)
	}
	return CopyXattrs(target, f.Name())
}

// CopyXattrs copies all extended attributes, the SELinux label among them. A filesystem without them is no error.
func CopyXattrs(from, to string) error {
	names, err := listXattrs(from)
	if err != nil {
		return err
	}
	for _, name := range names {
		value, err := getXattr(from, name)
		if err != nil {
			return err
		}
		if err := unix.Lsetxattr(to, name, value, 0); err != nil && !noXattrs(err) {
			return fmt.Errorf("set %s on %s: %w", name, to, err)
		}
	}
	return nil
}

func noXattrs(err error) bool {
	return errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.ENODATA)
}

func listXattrs(path string) ([]string, error) {
	size, err := unix.Llistxattr(path, nil)
	if noXattrs(err) || size == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list extended attributes of %s: %w", path, err)
	}
	buf := make([]byte, size)
	n, err := unix.Llistxattr(path, buf)
	if err != nil {
		return nil, fmt.Errorf("list extended attributes of %s: %w", path, err)
	}
	var names []string
	for start, i := 0, 0; i < n; i++ {
		if buf[i] == 0 {
			names = append(names, string(buf[start:i]))
			start = i + 1
		}
	}
	return names, nil
}

func getXattr(path, name string) ([]byte, error) {
	size, err := unix.Lgetxattr(path, name, nil)
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", name, path, err)
	}
	buf := make([]byte, size)
	n, err := unix.Lgetxattr(path, name, buf)
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", name, path, err)
	}
	return buf[:n], nil
}

// SyncDir makes a rename or a new name in dir durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Rename moves a file or directory within one filesystem and makes it durable on both sides. It refuses to replace anything.
func Rename(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("%s exists already; %s was not moved", to, from)
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	if err := SyncDir(filepath.Dir(to)); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(from))
}

// Remove deletes one file that can be rebuilt (never data), durably. A missing file is no error.
func Remove(path string) error {
	err := os.Remove(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// Backup leaves a dated copy beside path, named as Ansible's own modules name theirs, and returns its name.
func Backup(path string) (string, error) {
	target, err := resolve(path)
	if err != nil {
		return "", err
	}
	content, err := os.ReadFile(target)
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("%s.%d.%s~", path, os.Getpid(), time.Now().Format("2006-01-02@15:04:05"))
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	if err := errors.Join(fill(f, content), adopt(f, target, 0o600), f.Sync(), f.Close()); err != nil {
		return "", err
	}
	return name, SyncDir(filepath.Dir(name))
}
