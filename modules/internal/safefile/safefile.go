// Package safefile changes files so that a crash at any point leaves either the old or the new file, with its owner, mode, extended attributes
// and SELinux label.
//
// Modules run as root, and some of the directories that they write to belong to user etcd (/etc/etcd, /var/lib/etcd). Nothing there is done by
// path, since another user can put a link there at any moment: a directory is held by its descriptor (Dir), and its content is opened, given
// away, moved and removed relative to that, without following a link.
package safefile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
)

// Write replaces the content of path. An existing file keeps owner, mode and extended attributes. A link is followed, and its target replaced,
// only where root alone controls the link; otherwise it is refused. So is a file with further names (hard links). A new file gets mode perm and
// the owner of the process.
func Write(path string, content []byte, perm os.FileMode) error {
	d, name, err := find(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Write(name, content, perm)
}

// Write replaces the content of a file in the directory, like the function Write.
func (d *Dir) Write(name string, content []byte, perm os.FileMode) error {
	old, err := d.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return d.put(name, content, func(t *Temp) error { return t.Chmod(perm) })
	}
	if err != nil {
		return err
	}
	defer old.Close()
	if err := oneLink(old); err != nil {
		return err
	}
	return d.put(name, content, func(t *Temp) error { return adopt(t.File, old) })
}

func (d *Dir) put(name string, content []byte, attributes func(*Temp) error) error {
	t, err := d.Temp()
	if err != nil {
		return err
	}
	defer t.Discard()
	if _, err := t.Write(content); err != nil {
		return err
	}
	if err := attributes(t); err != nil {
		return err
	}
	return t.Replace(name)
}

// find opens the directory of a file, and returns the file's name in it. It follows a link under the name as OpenDir does.
func find(path string) (*Dir, string, error) {
	at, err := filepath.Abs(path)
	if err != nil {
		return nil, "", err
	}
	for range maxLinks {
		d, err := OpenDir(filepath.Dir(at))
		if err != nil {
			return nil, "", err
		}
		name := filepath.Base(at)
		target, err := d.link(name)
		if err == nil && target == "" {
			return d, name, nil
		}
		if err = errors.Join(err, d.Close()); err != nil {
			return nil, "", err
		}
		if _, err := os.Lstat(target); errors.Is(err, fs.ErrNotExist) {
			return nil, "", fmt.Errorf("%s is a link to a file that does not exist", path)
		}
		at = filepath.Clean(target)
	}
	return nil, "", fmt.Errorf("%s: too many links", path)
}

// Open opens a regular file for reading, by the rules of Write. Files below /proc and /sys look like regular ones, and some can be read for ever.
func Open(path string) (*os.File, error) {
	d, name, err := find(path)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	f, err := d.Open(name)
	if err == nil && readfile.OfTheKernel(f) {
		return nil, errors.Join(f.Close(), fault.New(fault.Invalid, "%s is not a regular file", path))
	}
	return f, err
}

// Read is the content of a file that is moved by copying it: of one that Open opens, and that has no other names. In another user's directory a
// link, or a further name of root's file, would become a copy that this user can read.
func Read(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := oneLink(f); err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = &fs.PathError{Op: "read", Path: path, Err: readfile.ErrTooLong}
	}
	return raw, err
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
	source, err := OpenDir(filepath.Dir(from))
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := OpenDir(filepath.Dir(to))
	if err != nil {
		return err
	}
	defer target.Close()
	return source.Rename(filepath.Base(from), target, filepath.Base(to))
}

// Remove deletes one file that can be rebuilt (never data), durably. A missing file is no error.
func Remove(path string) error {
	d, err := OpenDir(filepath.Dir(path))
	if err == nil {
		defer d.Close()
		err = d.Remove(filepath.Base(path))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.Sync()
}

// Backup makes a dated copy beside path, named as Ansible's own modules name theirs, and returns its name.
func Backup(path string) (string, error) {
	name := BackupName(path)
	return name, BackupAs(path, name)
}

// BackupName is the name of a copy that is made now.
func BackupName(path string) string {
	return fmt.Sprintf("%s.%d.%s~", path, os.Getpid(), time.Now().Format("2006-01-02@15:04:05"))
}

// BackupAs makes a copy of path under a name that does not exist yet.
func BackupAs(path, name string) error {
	old, err := Open(path)
	if err != nil {
		return err
	}
	defer old.Close()
	beside, err := OpenDir(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer beside.Close()
	t, err := beside.Temp()
	if err != nil {
		return err
	}
	defer t.Discard()
	if _, err := io.Copy(t.File, old); err != nil {
		return err
	}
	if err := adopt(t.File, old); err != nil {
		return err
	}
	return t.Name(filepath.Base(name))
}
