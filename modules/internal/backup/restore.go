package backup

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/safefile"
)

// Change is the effect of putting one file back.
type Change struct {
	Path   string `json:"path"`
	Action string `json:"action"` // create, replace
	from   string
	rel    string // below the directory
	file   *File  // nil in a backup made by hand
}

// setAsidePrefix begins the name of the directory for replaced files. It lies within the directory itself, so that a rename suffices.
const setAsidePrefix = "set-aside-"

// notOfTheBackup is true for what an earlier restore set aside, and for a rehearsal's copy, which Verify passes over: no manifest covers
// them.
func notOfTheBackup(name string) bool {
	return strings.HasPrefix(name, setAsidePrefix) || strings.HasPrefix(name, scratchPrefix)
}

// PlanRestore compares the copy of a directory with the directory. Files that the copy lacks stay. Files in skip belong to the present, not to
// the backup, and are never put back.
func PlanRestore(ctx context.Context, copyDir, dir string, m *Manifest, skip []string) ([]Change, error) {
	changes := []Change{}
	in, err := safefile.OpenDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil {
		defer in.Close()
	}
	err = readfile.Walk(ctx, copyDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return fault.Wrap(fault.Corrupt, err, "%s", path)
		}
		rel := relative(copyDir, path)
		if d.IsDir() && notOfTheBackup(d.Name()) {
			return fs.SkipDir
		}
		if d.IsDir() || !d.Type().IsRegular() && d.Type()&fs.ModeSymlink == 0 || slices.Contains(skip, rel) {
			return nil
		}
		c := Change{Path: filepath.Join(dir, rel), from: path, rel: rel, file: m.find(copyDir, path)}
		same, exists, err := c.compare(in, d)
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

// descend opens the directory of rel below top, and returns the name in it. It follows no link: the owner of a directory may have put one in
// place of a directory.
func descend(top *safefile.Dir, rel string) (*safefile.Dir, string, error) {
	at, err := top.Again()
	for _, name := range strings.Split(filepath.Dir(rel), "/") {
		if err != nil {
			return nil, "", err
		}
		if name == "." {
			continue
		}
		up := at
		at, err = up.OpenDir(name)
		up.Close()
	}
	if err != nil {
		return nil, "", err
	}
	return at, filepath.Base(rel), nil
}

// compare tells whether the file in place has the content, mode and owner that the backup has.
func (c Change) compare(top *safefile.Dir, d fs.DirEntry) (same, exists bool, err error) {
	if top == nil {
		return false, false, nil
	}
	dir, name, err := descend(top, c.rel)
	if errors.Is(err, fs.ErrNotExist) {
		return false, false, nil
	}
	if err != nil {
		return false, false, notADirectory(err)
	}
	defer dir.Close()
	st, err := dir.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, false, nil
	}
	if err != nil {
		return false, false, err
	}
	if d.Type()&fs.ModeSymlink != 0 {
		a, aerr := os.Readlink(c.from)
		b, berr := dir.Readlink(name)
		return aerr == nil && berr == nil && a == b, true, aerr
	}
	same, err = c.sameFile(dir, name, st)
	return same, true, err
}

// sameFile is false for a link, a directory or an unreadable file in its place: they are replaced.
func (c Change) sameFile(dir *safefile.Dir, name string, st unix.Stat_t) (bool, error) {
	want, err := readAll(c.open())
	if err != nil {
		return false, fault.Wrap(fault.Corrupt, err, "%s", c.from)
	}
	if st.Size != int64(len(want)) { // the owner may have made the file endless
		return false, nil
	}
	found, err := readAll(dir.Open(name))
	if err != nil || !bytes.Equal(want, found) {
		return false, nil
	}
	var has File
	has.describe(st)
	should, err := c.wanted()
	return err == nil && st.Mode&^0o777 == unix.S_IFREG && has.Mode == should.Mode && has.Owner == should.Owner && has.Group == should.Group, err
}

func readAll(f *os.File, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

func notADirectory(err error) error {
	return fault.Wrap(fault.Refused, err, "a directory of the backup has something else in its place").
		WithHint("look at it, move it away, and run this again")
}

func (c Change) open() (*os.File, error) {
	return os.OpenFile(c.from, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
}

// wanted are mode and owner by the manifest, else those of the copy.
func (c Change) wanted() (File, error) {
	if c.file != nil {
		return *c.file, nil
	}
	var st unix.Stat_t
	if err := unix.Lstat(c.from, &st); err != nil {
		return File{}, &fs.PathError{Op: "stat", Path: c.from, Err: err}
	}
	f := File{Path: c.from}
	f.describe(st)
	return f, nil
}

// Restore puts files back one by one. After a crash each file is either as it was, or set aside and replaced. It returns the directory of the
// replaced files.
func Restore(ctx context.Context, dir string, changes []Change, now time.Time, changed func()) (aside string, err error) {
	if len(changes) == 0 {
		return "", nil
	}
	top, err := safefile.OpenDir(dir)
	if err != nil {
		return "", err
	}
	defer top.Close()
	p := putter{ctx: ctx, top: top, aside: setAsidePrefix + now.UTC().Format("20060102T150405Z"), changed: changed}
	for _, c := range changes {
		if err = p.put(c); err != nil {
			break
		}
	}
	if _, serr := top.Lstat(p.aside); serr == nil {
		aside = filepath.Join(dir, p.aside)
	}
	return aside, err
}

// RestoreDirs makes the directories that the copy has and the host lacks, with their owners and modes.
func RestoreDirs(ctx context.Context, copyDir, dir string, m *Manifest, changed func()) error {
	return readfile.Walk(ctx, copyDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if notOfTheBackup(d.Name()) {
			return fs.SkipDir
		}
		return restoreDir(path, filepath.Join(dir, relative(copyDir, path)), m.dir(copyDir, path), changed)
	})
}

// restoreDir makes a directory and sets its owner by the descriptor that it was made with.
func restoreDir(from, target string, wanted *File, changed func()) error {
	up, err := safefile.OpenDir(filepath.Dir(target))
	if err != nil {
		return err
	}
	defer up.Close()
	if _, err := up.Lstat(filepath.Base(target)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	changed()
	made, err := up.Mkdir(filepath.Base(target))
	if err != nil {
		return err
	}
	defer made.Close()
	if wanted == nil {
		source, err := os.Open(from)
		if err != nil {
			return err
		}
		defer source.Close()
		return copyAttributes(source, made.File())
	}
	a, err := wanted.access()
	if err != nil {
		return err
	}
	return errors.Join(made.Give(a.uid, a.gid, a.mode), up.Sync())
}

func (m *Manifest) dir(copyDir, path string) *File {
	if m == nil {
		return nil
	}
	for i, f := range m.Dirs {
		if f.Path == relative(filepath.Dir(copyDir), path) {
			return &m.Dirs[i]
		}
	}
	return nil
}

// putter puts files back below top.
type putter struct {
	ctx     context.Context
	top     *safefile.Dir
	aside   string
	changed func()
}

// put lays the new file beside its place first, so that the place is empty only between two renames.
func (p *putter) put(c Change) error {
	if p.ctx.Err() != nil {
		return fault.New(fault.Timeout, "the time limit was reached before %s was put back; run it again to continue", c.Path)
	}
	dir, name, err := descend(p.top, c.rel)
	if err != nil {
		return notADirectory(err)
	}
	defer dir.Close()
	if target, err := os.Readlink(c.from); err == nil {
		return p.link(c, dir, name, target)
	}
	t, err := dir.Temp()
	if err != nil {
		return err
	}
	defer t.Discard()
	if err := c.lay(p.ctx, t.File); err != nil {
		return err
	}
	p.changed()
	if err := p.makeRoom(c, dir, name); err != nil {
		return err
	}
	return t.Name(name)
}

func (p *putter) link(c Change, dir *safefile.Dir, name, target string) error {
	var st unix.Stat_t
	if err := unix.Lstat(c.from, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: c.from, Err: err}
	}
	p.changed()
	if err := p.makeRoom(c, dir, name); err != nil {
		return err
	}
	if err := dir.Symlink(target, name); err != nil {
		return err
	}
	return errors.Join(tolerate(dir.Lchown(name, int(st.Uid), int(st.Gid))), dir.Sync())
}

// makeRoom sets aside what is in the place.
func (p *putter) makeRoom(c Change, dir *safefile.Dir, name string) error {
	if c.Action != "replace" {
		return nil
	}
	aside, err := p.top.Again()
	for _, part := range append([]string{p.aside}, strings.Split(filepath.Dir(c.rel), "/")...) {
		if err != nil {
			return err
		}
		if part == "." {
			continue
		}
		up := aside
		if aside, err = up.Mkdir(part); errors.Is(err, fs.ErrExist) {
			aside, err = up.OpenDir(part)
		}
		up.Close()
	}
	if err != nil {
		return err
	}
	defer aside.Close()
	return dir.Rename(name, aside, name)
}

// lay fills the new file. Only what the manifest lists is put back, even if the backup changed after it was verified.
func (c Change) lay(ctx context.Context, out *os.File) error {
	in, err := c.open()
	if err != nil {
		return err
	}
	defer in.Close()
	sum, _, err := copySparse(ctx, in, out)
	if err != nil {
		return err
	}
	if c.file != nil && sum != c.file.SHA256 {
		return fault.New(fault.Corrupt, "%s changed after it was verified", c.from)
	}
	if err := safefile.CopyXattrs(in, out); err != nil {
		return err
	}
	wanted, err := c.wanted()
	if err != nil {
		return err
	}
	a, err := wanted.access()
	if err != nil {
		return err
	}
	st, err := statOf(in)
	if err != nil {
		return err
	}
	return errors.Join(safefile.Give(out, a.uid, a.gid, a.mode), copyTimes(st, out))
}
