package backup

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/safefile"
)

// Change is what putting a file back does.
type Change struct {
	Path   string `json:"path"`
	Action string `json:"action"` // create, replace
	from   string
	file   *File // nil in a backup made by hand
}

// setAside is where replaced files go, within the directory itself, so that a rename suffices.
const setAsidePrefix = "set-aside-"

// PlanRestore compares a copy of a directory with the directory. Files that the copy lacks stay; those in skip belong to the present, not
// to the backup, and are never put back.
func PlanRestore(copyDir, dir string, m *Manifest, skip []string) ([]Change, error) {
	changes := []Change{}
	err := filepath.WalkDir(copyDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return fault.Wrap(fault.Corrupt, err, "%s", path)
		}
		rel := relative(copyDir, path)
		if d.IsDir() && strings.HasPrefix(d.Name(), setAsidePrefix) {
			return fs.SkipDir
		}
		if d.IsDir() || !d.Type().IsRegular() && d.Type()&fs.ModeSymlink == 0 || slices.Contains(skip, rel) {
			return nil
		}
		c := Change{Path: filepath.Join(dir, rel), from: path, file: m.find(copyDir, path)}
		same, exists, err := c.compare(d)
		if err != nil || same {
			return err
		}
		c.Action = "create"
		if exists {
			c.Action = "replace"
		}
		changes = append(changes, c)
		return nil
	})
	return changes, err
}

func (m *Manifest) find(copyDir, path string) *File {
	if m == nil {
		return nil
	}
	rel := relative(filepath.Dir(copyDir), path)
	for i, f := range m.Files {
		if f.Path == rel {
			return &m.Files[i]
		}
	}
	return nil
}

// compare tells whether the file in place has the content, mode and owner that the backup has.
func (c Change) compare(d fs.DirEntry) (same, exists bool, err error) {
	if _, err := os.Lstat(c.Path); errors.Is(err, fs.ErrNotExist) {
		return false, false, nil
	}
	if d.Type()&fs.ModeSymlink != 0 {
		a, aerr := os.Readlink(c.from)
		b, berr := os.Readlink(c.Path)
		return aerr == nil && berr == nil && a == b, true, aerr
	}
	want, err := os.ReadFile(c.from)
	if err != nil {
		return false, true, fault.Wrap(fault.Corrupt, err, "%s", c.from)
	}
	found, err := os.ReadFile(c.Path)
	if err != nil || !bytes.Equal(want, found) {
		return false, true, nil // a directory or an unreadable file in its place is replaced
	}
	var has, should File
	if err := has.describe(c.Path); err != nil {
		return false, true, err
	}
	if err := c.wanted(&should); err != nil {
		return false, true, err
	}
	return has.Mode == should.Mode && has.Owner == should.Owner && has.Group == should.Group, true, nil
}

// wanted are mode and owner by the manifest, else those of the copy.
func (c Change) wanted(f *File) error {
	if c.file != nil {
		*f = *c.file
		return nil
	}
	return f.describe(c.from)
}

// Restore puts files back one by one; a crash leaves each either as it was, or set aside and back. It returns where the replaced files are.
func Restore(ctx context.Context, dir string, changes []Change, now time.Time, changed func()) (aside string, err error) {
	if len(changes) == 0 {
		return "", nil
	}
	aside = filepath.Join(dir, setAsidePrefix+now.UTC().Format("20060102T150405Z"))
	for _, c := range changes {
		if ctx.Err() != nil {
			return aside, fault.New(fault.Timeout, "the time was over before %s was put back; run it again to go on", c.Path)
		}
		if err := c.put(ctx, dir, aside, changed); err != nil {
			return aside, err
		}
	}
	if _, err := os.Stat(aside); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return aside, nil
}

// RestoreDirs makes the directories that the copy has and the host lacks, with their owners and modes.
func RestoreDirs(copyDir, dir string, m *Manifest, changed func()) error {
	return filepath.WalkDir(copyDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if strings.HasPrefix(d.Name(), setAsidePrefix) {
			return fs.SkipDir
		}
		target := filepath.Join(dir, relative(copyDir, path))
		if _, err := os.Stat(target); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		changed()
		if err := os.Mkdir(target, 0o700); err != nil {
			return err
		}
		return m.applyDir(copyDir, path, target)
	})
}

func (m *Manifest) applyDir(copyDir, path, target string) error {
	if m != nil {
		for _, f := range m.Dirs {
			if f.Path == relative(filepath.Dir(copyDir), path) {
				return f.apply(target)
			}
		}
	}
	return copyAttributes(path, target)
}

// put lays the new file beside its place first, so that the place is empty only between two renames.
func (c Change) put(ctx context.Context, dir, aside string, changed func()) error {
	ready := c.Path + partial
	if err := os.RemoveAll(ready); err != nil { // of an interrupted run
		return err
	}
	if err := c.lay(ctx, ready); err != nil {
		return err
	}
	changed()
	if c.Action == "replace" {
		old := filepath.Join(aside, relative(dir, c.Path))
		if err := os.MkdirAll(filepath.Dir(old), 0o700); err != nil {
			return err
		}
		if err := safefile.Rename(c.Path, old); err != nil {
			return err
		}
	}
	return safefile.Rename(ready, c.Path)
}

func (c Change) lay(ctx context.Context, ready string) error {
	info, err := os.Lstat(c.from)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return copyLink(c.from, ready)
	}
	if _, _, err := copyFile(ctx, c.from, ready); err != nil {
		return err
	}
	if err := copyAttributes(c.from, ready); err != nil {
		return err
	}
	var f File
	if err := c.wanted(&f); err != nil {
		return err
	}
	return f.apply(ready)
}
