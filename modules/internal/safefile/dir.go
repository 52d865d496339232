package safefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
)

const (
	maxLinks = 40    // the kernel's own limit
	others   = 0o022 // the group and all others may write
)

// Dir is a directory that is held by its descriptor. Its methods take a name in it, never a path, and follow no link under that name.
type Dir struct {
	Path string // as the caller gave it
	// Doubt names another user than root who can replace the directory or its content; "" means that there is none.
	Doubt string

	file   *os.File
	sealed bool
}

// OpenDir opens a directory for reading. On the way it follows links only where root alone controls them: in a directory of root's that nobody
// else can write to.
func OpenDir(path string) (*Dir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	d, err := openDir(abs, maxLinks)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.reopen(path)
}

// Again opens the same directory once more.
func (d *Dir) Again() (*Dir, error) { return d.reopen(d.Path) }

// openDir goes from "/", or from a directory that is held (At), one name at a time. Directories on the way are opened by O_PATH, which needs no
// right to list them.
func openDir(abs string, links int) (*Dir, error) {
	start, fd, shown, rest := "/", unix.AT_FDCWD, "/", abs
	if held, below, ok := heldBy(abs); ok {
		start, fd, shown, rest = ".", held, strings.TrimSuffix(abs, below), below
	}
	d, err := (&Dir{}).step(fd, start, shown)
	names := strings.FieldsFunc(rest, func(r rune) bool { return r == '/' })
	for i, name := range names {
		if err != nil {
			return nil, err
		}
		up := d
		target, lerr := up.link(name)
		switch {
		case lerr != nil:
			err = lerr
		case target != "" && links == 0:
			err = up.errorOf("open", name, unix.ELOOP)
		case target != "":
			up.Close()
			return openDir(filepath.Join(append([]string{target}, names[i+1:]...)...), links-1)
		default:
			d, err = up.Dir(name)
		}
		up.Close()
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// heldBy is the descriptor in a path that At returned, and the path below it. The kernel's own link is not followed: its text is the directory's
// present name.
func heldBy(abs string) (fd int, below string, ok bool) {
	rest, ok := strings.CutPrefix(abs, fmt.Sprintf("/proc/%d/fd/", os.Getpid()))
	number, below, _ := strings.Cut(rest, "/")
	fd, err := strconv.Atoi(number)
	return fd, below, ok && err == nil
}

// Dir opens a directory in this one.
func (d *Dir) Dir(name string) (*Dir, error) {
	if err := oneName(name); err != nil {
		return nil, err
	}
	return d.step(d.fd(), name, filepath.Join(d.Path, name))
}

// step passes the doubt on: whoever can replace a directory controls everything below it.
func (d *Dir) step(at int, name, path string) (*Dir, error) {
	fd, err := retry(func() (int, error) {
		return unix.Openat(at, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	next := &Dir{Path: path, Doubt: d.Doubt, sealed: d.sealed, file: os.NewFile(uintptr(fd), path)}
	st, err := next.stat()
	if err != nil {
		return nil, errors.Join(err, next.Close())
	}
	if next.Doubt == "" {
		next.Doubt = doubt(path, st)
		next.sealed = next.sealed || next.Doubt == "" && st.Mode&0o011 == 0
	}
	return next, nil
}

// reopen returns a descriptor that can be listed and synced.
func (d *Dir) reopen(path string) (*Dir, error) {
	fd, err := retry(func() (int, error) {
		return unix.Openat(d.fd(), ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return &Dir{Path: path, Doubt: d.Doubt, sealed: d.sealed, file: os.NewFile(uintptr(fd), path)}, nil
}

// doubt: in a directory with the sticky bit, such as /tmp, nobody else can replace what is root's.
func doubt(path string, st unix.Stat_t) string {
	if !owns(st.Uid) {
		return fmt.Sprintf("%s belongs to user %s", path, userName(st.Uid))
	}
	if st.Mode&others != 0 && st.Mode&unix.S_ISVTX == 0 {
		return fmt.Sprintf("%s can be written to by others than its owner", path)
	}
	return ""
}

func owns(uid uint32) bool { return uid == 0 || int(uid) == os.Geteuid() }

func userName(uid uint32) string {
	text := strconv.Itoa(int(uid))
	if u, err := user.LookupId(text); err == nil {
		return u.Username
	}
	return text
}

// link is the target of the link under name, as an absolute path; "" where name is no link, or does not exist. A link that another user may have
// put there is refused.
func (d *Dir) link(name string) (string, error) {
	st, err := d.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && st.Mode&unix.S_IFMT != unix.S_IFLNK {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	path := filepath.Join(d.Path, name)
	why := d.Doubt
	if why == "" && !owns(st.Uid) {
		why = "it belongs to user " + userName(st.Uid)
	}
	if why != "" && os.Geteuid() == 0 { // only root has rights that a link could misuse
		return "", isLink(path, ", and "+why)
	}
	target, err := d.Readlink(name)
	if err != nil || filepath.IsAbs(target) {
		return target, err
	}
	at, err := os.Readlink(d.at())
	return filepath.Join(at, target), err
}

func isLink(path, why string) error {
	return fault.New(fault.Refused, "%s is a link%s: root does not follow it", path, why).
		WithHint("look at it (ls -l %s), put in its place what it leads to, or remove it; then run this again", path)
}

// Private refuses a directory in which anybody but root can change something.
func (d *Dir) Private() error {
	st, err := d.stat()
	switch {
	case err != nil:
		return err
	case d.Doubt != "":
		return fault.New(fault.Refused, "%s", d.Doubt)
	case st.Mode&others != 0:
		return fault.New(fault.Refused, "%s can be written to by others than its owner", d.Path)
	}
	return nil
}

// OutOfReach tells whether only root can get to the directory, whoever owns it: one above it, such as /root, lets nobody in. Its content may
// still come from elsewhere, links included.
func (d *Dir) OutOfReach() bool { return d.sealed }

// OnNFS tells whether a server decides about owners: where it squashes root, what root makes belongs to nobody.
func (d *Dir) OnNFS() bool {
	var st unix.Statfs_t
	return unix.Fstatfs(d.fd(), &st) == nil && st.Type == unix.NFS_SUPER_MAGIC
}

// OwnersAlone tells whether only the owner, whoever that is, can write to the directory.
func (d *Dir) OwnersAlone() bool {
	st, err := d.stat()
	return err == nil && st.Mode&others == 0
}

// Open opens a regular file for reading; it never waits, and refuses anything else.
func (d *Dir) Open(name string) (*os.File, error) { return d.open(name, unix.O_RDONLY) }

// OpenToWrite opens a regular file for reading and writing in place. A file with further names (hard links) is refused: they might be another
// user's, and would change with it.
func (d *Dir) OpenToWrite(name string) (*os.File, error) {
	f, err := d.open(name, unix.O_RDWR)
	if err != nil {
		return nil, err
	}
	if err := oneLink(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (d *Dir) open(name string, flags int) (*os.File, error) {
	f, err := d.openat(name, flags|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) {
		return nil, isLink(filepath.Join(d.Path, name), "")
	}
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, f.Close(), fault.New(fault.Invalid, "%s is not a regular file", f.Name()))
	}
	return f, nil
}

// Create makes a file, which must not exist.
func (d *Dir) Create(name string, perm os.FileMode) (*os.File, error) {
	return d.openat(name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, uint32(perm.Perm()))
}

func (d *Dir) openat(name string, flags int, perm uint32) (*os.File, error) {
	if err := oneName(name); err != nil {
		return nil, err
	}
	fd, err := retry(func() (int, error) {
		return unix.Openat(d.fd(), name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, perm)
	})
	if err != nil {
		return nil, d.errorOf("open", name, err)
	}
	return os.NewFile(uintptr(fd), filepath.Join(d.Path, name)), nil
}

// oneLink refuses a file with several names.
func oneLink(f *os.File) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return &fs.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	if st.Nlink > 1 {
		return fault.New(fault.Refused, "%s has %d names (hard links), and all of them are one file; nothing was written", f.Name(), st.Nlink).
			WithHint("find the others (find / -xdev -samefile %[1]s); make this one a file of its own: cp -p %[1]s %[1]s.own && mv %[1]s.own %[1]s", f.Name())
	}
	return nil
}

// Mkdir makes a directory for its owner alone, and opens it.
func (d *Dir) Mkdir(name string) (*Dir, error) {
	if err := oneName(name); err != nil {
		return nil, err
	}
	if err := unix.Mkdirat(d.fd(), name, 0o700); err != nil {
		return nil, d.errorOf("mkdir", name, err)
	}
	made, err := d.OpenDir(name)
	if err != nil {
		return nil, err
	}
	st, err := made.stat()
	if err == nil && (int(st.Uid) != os.Geteuid() || st.Mode&0o077 != 0) && d.Doubt != "" && !d.OnNFS() {
		err = fault.New(fault.Refused, "%s was exchanged while it was made (%s)", made.Path, d.Doubt)
	}
	if err != nil {
		return nil, errors.Join(err, made.Close())
	}
	return made, nil
}

// OpenDir is Dir, with a descriptor that can be listed and synced.
func (d *Dir) OpenDir(name string) (*Dir, error) {
	sub, err := d.Dir(name)
	if err != nil {
		return nil, err
	}
	defer sub.Close()
	return sub.reopen(sub.Path)
}

// List is what is in the directory, sorted by name.
func (d *Dir) List() ([]fs.DirEntry, error) {
	again, err := d.reopen(d.Path) // a descriptor has only one position
	if err != nil {
		return nil, err
	}
	defer again.Close()
	return readfile.Entries(again.file)
}

// Lstat describes the name itself, without following a link.
func (d *Dir) Lstat(name string) (unix.Stat_t, error) {
	var st unix.Stat_t
	if err := oneName(name); err != nil {
		return st, err
	}
	if err := unix.Fstatat(d.fd(), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return st, d.errorOf("stat", name, err)
	}
	return st, nil
}

// Readlink is the text of a link.
func (d *Dir) Readlink(name string) (string, error) {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(d.fd(), name, buf)
	if err != nil {
		return "", d.errorOf("readlink", name, err)
	}
	return string(buf[:n]), nil
}

// Symlink makes a link with an owner.
func (d *Dir) Symlink(target, name string) error {
	if err := errors.Join(oneName(name), unix.Symlinkat(target, d.fd(), name)); err != nil {
		return d.errorOf("symlink", name, err)
	}
	return nil
}

// Lchown changes the owner of the name itself, without following a link.
func (d *Dir) Lchown(name string, uid, gid int) error {
	if err := unix.Fchownat(d.fd(), name, uid, gid, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return d.errorOf("chown", name, err)
	}
	return nil
}

var renameat2 = unix.Renameat2 // a test replaces it by an old kernel's

// Rename moves a name to another directory, or within this one, and makes it durable on both sides. It replaces nothing.
func (d *Dir) Rename(name string, to *Dir, newName string) error {
	if err := errors.Join(oneName(name), oneName(newName)); err != nil {
		return err
	}
	err := renameat2(d.fd(), name, to.fd(), newName, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) { // before Linux 3.15, or a filesystem that cannot
		if _, serr := to.Lstat(newName); errors.Is(serr, fs.ErrNotExist) {
			err = unix.Renameat(d.fd(), name, to.fd(), newName)
		} else if err = serr; err == nil {
			err = unix.EEXIST
		}
	}
	from, target := filepath.Join(d.Path, name), filepath.Join(to.Path, newName)
	if errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("%s exists already; %s was not moved", target, from)
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: target, Err: err}
	}
	return errors.Join(to.Sync(), d.Sync())
}

// Remove removes a file, a link or an empty directory.
func (d *Dir) Remove(name string) error {
	if err := oneName(name); err != nil {
		return err
	}
	err := unix.Unlinkat(d.fd(), name, 0)
	if errors.Is(err, unix.EISDIR) {
		err = unix.Unlinkat(d.fd(), name, unix.AT_REMOVEDIR)
	}
	if err != nil {
		return d.errorOf("remove", name, err)
	}
	return nil
}

// RemoveAll removes a name and everything below it. A missing name is no error.
func (d *Dir) RemoveAll(name string) error {
	if err := oneName(name); err != nil {
		return err
	}
	root, err := os.OpenRoot(d.at())
	if err != nil {
		return err
	}
	defer root.Close()
	return root.RemoveAll(name)
}

// Owner is the directory's owner.
func (d *Dir) Owner() (uid, gid int, err error) {
	st, err := d.stat()
	return int(st.Uid), int(st.Gid), err
}

// Give makes the directory itself another user's.
func (d *Dir) Give(uid, gid int, mode os.FileMode) error { return Give(d.file, uid, gid, mode) }

// Label gives the directory the SELinux label of a model.
func (d *Dir) Label(model *Dir) error { return CopyLabel(model.file, d.file) }

// File is the directory as a file, for its attributes.
func (d *Dir) File() *os.File { return d.file }

// stat describes the directory.
func (d *Dir) stat() (unix.Stat_t, error) {
	var st unix.Stat_t
	if err := unix.Fstat(d.fd(), &st); err != nil {
		return st, &fs.PathError{Op: "stat", Path: d.Path, Err: err}
	}
	return st, nil
}

// At is a path by which this process and its children reach the directory as long as it is held, even after its name has changed.
func (d *Dir) At() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), d.fd()) }

func (d *Dir) at() string { return fmt.Sprintf("/proc/self/fd/%d", d.fd()) }

// Sync makes changes in the directory durable.
func (d *Dir) Sync() error { return d.file.Sync() }

// Close releases the directory.
func (d *Dir) Close() error { return d.file.Close() }

func (d *Dir) fd() int { return int(d.file.Fd()) }

func (d *Dir) errorOf(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: filepath.Join(d.Path, name), Err: err}
}

func oneName(name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return fault.New(fault.Invalid, "%q is no name of a file", name)
	}
	return nil
}

func retry(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
