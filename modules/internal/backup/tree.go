package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/safefile"
)

// Link is a symbolic link of a backup. In a manifest Path is relative to its directory.
type Link struct {
	Path   string `json:"path"`
	Target string `json:"target"`
}

func (l Link) String() string {
	return fmt.Sprintf("%s was copied as a link to %q, without what it leads to", l.Path, l.Target)
}

// CopyTree copies everything below from to the new directory to: content, owner, mode, times, extended attributes and the SELinux label. Each
// copy is synced and read back from the disk, and each source is read again: a file that changed meanwhile, or that its disk cannot read, fails
// the whole copy, and the error names it. A link is copied as a link, and never followed: its owner, who may be another user than root, could
// have the content of any file copied and later get it.
func CopyTree(ctx context.Context, from, to string) ([]File, error) {
	source, err := safefile.OpenDir(from)
	if err != nil {
		return nil, fault.Wrap(fault.Corrupt, err, "%s cannot be read", from)
	}
	defer source.Close()
	parent, err := safefile.OpenDir(filepath.Dir(to))
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	target, err := parent.Mkdir(filepath.Base(to))
	if err != nil {
		return nil, err
	}
	defer target.Close()
	c := &copier{ctx: ctx}
	err = c.dir(source, target)
	return c.files, err
}

// DescribeLinks lists the links in a tree.
func DescribeLinks(ctx context.Context, root string) ([]Link, error) {
	var links []Link
	err := readfile.Walk(ctx, root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink == 0 {
			return err
		}
		target, err := os.Readlink(path)
		links = append(links, Link{Path: path, Target: target})
		return err
	})
	return links, err
}

// DescribeDirs notes mode and owner of every directory in a tree.
func DescribeDirs(ctx context.Context, root string) ([]File, error) {
	var dirs []File
	err := readfile.Walk(ctx, root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		dir, err := os.Open(path)
		if err != nil {
			return err
		}
		defer dir.Close()
		st, err := statOf(dir)
		f := File{Path: path}
		f.describe(st)
		dirs = append(dirs, f)
		return err
	})
	return dirs, err
}

type copier struct {
	ctx   context.Context
	files []File
}

// dir sets a directory's attributes last: one without write permission could not be filled, and filling it changes its time.
func (c *copier) dir(from, to *safefile.Dir) error {
	entries, err := from.List()
	if err != nil {
		return fault.Wrap(fault.Corrupt, err, "%s cannot be read", from.Path)
	}
	for _, e := range entries {
		if err := c.entry(from, to, e); err != nil {
			return err
		}
	}
	if err := copyAttributes(from.File(), to.File()); err != nil {
		return err
	}
	return to.Sync()
}

func (c *copier) entry(from, to *safefile.Dir, e fs.DirEntry) error {
	if err := readfile.Over(c.ctx, from.Path); err != nil {
		return err
	}
	switch {
	case e.Type()&fs.ModeSymlink != 0:
		return copyLink(from, to, e.Name())
	case e.IsDir():
		return c.sub(from, to, e.Name())
	case !e.Type().IsRegular():
		return nil // a socket or pipe of a process that has ended holds nothing
	}
	f, err := copyVerified(c.ctx, from, to, e.Name())
	c.files = append(c.files, f)
	return err
}

func (c *copier) sub(from, to *safefile.Dir, name string) error {
	source, err := from.OpenDir(name)
	if err != nil {
		return fault.Wrap(fault.Corrupt, err, "%s cannot be read", filepath.Join(from.Path, name))
	}
	defer source.Close()
	target, err := to.Mkdir(name)
	if err != nil {
		return err
	}
	defer target.Close()
	return c.dir(source, target)
}

func copyLink(from, to *safefile.Dir, name string) error {
	target, err := from.Readlink(name)
	if err != nil {
		return err
	}
	st, err := from.Lstat(name)
	if err != nil {
		return err
	}
	if err := to.Symlink(target, name); err != nil {
		return err
	}
	return tolerate(to.Lchown(name, int(st.Uid), int(st.Gid)))
}

// CopyFile copies one file in the same way.
func CopyFile(ctx context.Context, from, to string) (File, error) {
	source, err := safefile.OpenDir(filepath.Dir(from))
	if err != nil {
		return File{}, err
	}
	defer source.Close()
	target, err := safefile.OpenDir(filepath.Dir(to))
	if err != nil {
		return File{}, err
	}
	defer target.Close()
	if filepath.Base(from) != filepath.Base(to) {
		return File{}, fault.New(fault.Internal, "%s is copied under its own name only", from)
	}
	return copyVerified(ctx, source, target, filepath.Base(from))
}

func copyVerified(ctx context.Context, from, to *safefile.Dir, name string) (File, error) {
	in, err := from.Open(name)
	if err != nil {
		return File{}, fault.Wrap(fault.Corrupt, err, "%s cannot be read", filepath.Join(from.Path, name))
	}
	defer in.Close()
	st, err := statOf(in)
	if err != nil {
		return File{}, err
	}
	if err := ofItsOwner(from, in); err != nil {
		return File{}, err
	}
	out, err := to.Create(name, 0o600)
	if err != nil {
		return File{}, err
	}
	defer out.Close()
	written, size, err := copySparse(ctx, in, out)
	if err != nil {
		return File{}, err
	}
	if err := copyAttributes(in, out); err != nil {
		return File{}, err
	}
	if err := settle(out); err != nil {
		return File{}, err
	}
	back := make(chan error, 1) // at the same time: two disks, or a disk and the cache
	go func() {
		back <- sameSum(ctx, to, name, written, "the copy %s reads back differently: its disk or the network to it damages data")
	}()
	changed := sameSum(ctx, from, name, written, "%s changed while it was copied: something writes it")
	if err := errors.Join(<-back, changed); err != nil {
		return File{}, err
	}
	f := File{Path: out.Name(), Bytes: size, SHA256: written}
	f.describe(st)
	return f, nil
}

// ofItsOwner refuses a file with several names that is not the directory owner's: a hard link needs no right to read the file, so it may be
// root's, under a name that the directory's owner gave it.
func ofItsOwner(dir *safefile.Dir, f *os.File) error {
	owner, _, err := dir.Owner()
	if err != nil {
		return err
	}
	st, err := statOf(f)
	if err != nil {
		return err
	}
	if st.Nlink > 1 && int(st.Uid) != owner {
		return fault.New(fault.Refused, "%s has %d names (hard links) and another owner than its directory: it may be a file from elsewhere, and is not copied", f.Name(), st.Nlink).
			WithHint("look at it (ls -l %[1]s; find / -xdev -samefile %[1]s) and remove it, if it does not belong there", f.Name())
	}
	return nil
}

func sameSum(ctx context.Context, dir *safefile.Dir, name, want, sentence string) error {
	f, err := dir.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	sum, _, err := sumFile(ctx, f)
	if err != nil {
		return err
	}
	if sum != want {
		return fault.New(fault.Corrupt, sentence, f.Name())
	}
	return nil
}
