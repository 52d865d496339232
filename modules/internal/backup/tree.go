package backup

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/safefile"
)

// Links says what CopyTree does with symbolic links.
type Links bool

// Choices of Links.
const (
	KeepLinks   Links = false // configuration: as they are
	FollowLinks Links = true  // data: what they lead to, since a copy without it is no backup
)

// CopyTree copies everything below from to the new directory to: content, owner, mode, times, extended attributes and the SELinux
// label. Each copy is synced and read back from the disk, and each source is read again: a file that changed meanwhile, or that its
// disk cannot read, fails the whole, with its name.
func CopyTree(ctx context.Context, from, to string, links Links) ([]File, error) {
	c := &copier{ctx: ctx, links: links}
	if err := c.dir(from, to); err != nil {
		return nil, err
	}
	return c.files, nil
}

// DescribeDirs notes mode and owner of every directory in a tree.
func DescribeDirs(root string) ([]File, error) {
	var dirs []File
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		f := File{Path: path}
		if err := f.describe(path); err != nil {
			return err
		}
		dirs = append(dirs, f)
		return nil
	})
	return dirs, err
}

type copier struct {
	ctx   context.Context
	links Links
	files []File
}

// dir gives a directory its attributes last: one without write permission could else not be filled, and filling changes its time.
func (c *copier) dir(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return fault.Wrap(fault.Corrupt, err, "%s cannot be read", from)
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	for _, e := range entries {
		if err := c.entry(filepath.Join(from, e.Name()), filepath.Join(to, e.Name()), e.Type()); err != nil {
			return err
		}
	}
	if err := copyAttributes(from, to); err != nil {
		return err
	}
	return safefile.SyncDir(to)
}

func (c *copier) entry(from, to string, kind fs.FileMode) error {
	if kind&fs.ModeSymlink != 0 {
		if c.links == KeepLinks {
			return copyLink(from, to)
		}
		info, err := os.Stat(from)
		if err != nil {
			return fault.Wrap(fault.Corrupt, err, "the link %s leads nowhere", from)
		}
		kind = info.Mode().Type()
	}
	switch {
	case kind.IsDir():
		return c.dir(from, to)
	case !kind.IsRegular():
		return nil // a socket or pipe of a process that has ended holds nothing
	}
	f, err := CopyFile(c.ctx, from, to)
	c.files = append(c.files, f)
	return err
}

func copyLink(from, to string) error {
	target, err := os.Readlink(from)
	if err != nil {
		return err
	}
	if err := os.Symlink(target, to); err != nil {
		return err
	}
	return copyOwner(from, to)
}

// CopyFile copies one file in the same way.
func CopyFile(ctx context.Context, from, to string) (File, error) {
	written, size, err := copyFile(ctx, from, to)
	if err != nil {
		return File{}, err
	}
	if err := copyAttributes(from, to); err != nil {
		return File{}, err
	}
	back := make(chan error, 1) // at the same time: two disks, or a disk and the cache
	go func() {
		back <- sameSum(ctx, to, written, "the copy %s reads back differently: its disk or the network to it damages data")
	}()
	changed := sameSum(ctx, from, written, "%s changed while it was copied: something writes it")
	if err := errors.Join(<-back, changed); err != nil {
		return File{}, err
	}
	f := File{Path: to, Bytes: size, SHA256: written}
	return f, f.describe(from)
}

func sameSum(ctx context.Context, path, want, sentence string) error {
	sum, _, err := sumFile(ctx, path)
	if err != nil {
		return err
	}
	if sum != want {
		return fault.New(fault.Corrupt, sentence, path)
	}
	return nil
}
