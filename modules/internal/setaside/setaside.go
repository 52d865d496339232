// Package setaside moves a member's data within its data directory, and back. Nothing is ever deleted: what is in the way of a new start may be
// the only other copy of the data.
package setaside

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/safefile"
)

const prefix = "set-aside-"

// List finds the copies in a data directory, oldest first. A copy whose log cannot be read has no member ID. A link is no copy: its target was
// not set aside here. Kind timeout: ctx has ended.
func List(ctx context.Context, dataDir string) ([]facts.SetAside, error) {
	return readfile.Await(ctx, dataDir, func() ([]facts.SetAside, error) { return list(ctx, dataDir) })
}

func list(ctx context.Context, dataDir string) ([]facts.SetAside, error) {
	out := []facts.SetAside{}
	data, err := safefile.OpenDir(dataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	defer data.Close()
	names, err := asides(data)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if !holdsMember(data, name) {
			continue
		}
		dir := filepath.Join(dataDir, name, "member")
		bytes, err := Bytes(ctx, dir)
		if err != nil {
			return nil, err
		}
		copied := facts.SetAside{Path: dir, Bytes: bytes}
		if m, err := host.MemberAt(filepath.Join(dir, "wal")); err == nil && m != nil {
			copied.MemberID = m.ID
		}
		out = append(out, copied)
	}
	return out, nil
}

// asides are the directories of copies, empty ones included; the names sort by time.
func asides(data *safefile.Dir) ([]string, error) {
	entries, err := data.List()
	var out []string
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), prefix) {
			out = append(out, e.Name())
		}
	}
	return out, err
}

func holdsMember(data *safefile.Dir, name string) bool {
	aside, err := data.Dir(name)
	if err != nil {
		return false
	}
	defer aside.Close()
	member, err := aside.Dir("member")
	return err == nil && member.Close() == nil
}

// Bytes is the space that a directory takes on disk. Log segments are preallocated, so this is more than the part in use. Kind timeout: ctx has
// ended.
func Bytes(ctx context.Context, dir string) (int64, error) {
	var sum int64
	err := readfile.Walk(ctx, dir, func(path string, _ fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path != dir {
			return nil // a running etcd removes old files
		}
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil && !errors.Is(err, unix.ENOENT) {
			return &fs.PathError{Op: "lstat", Path: path, Err: err}
		}
		sum += st.Blocks * 512
		return nil
	})
	return sum, err
}

// Place is where the data would be moved now.
func Place(dataDir string, now time.Time) string {
	return filepath.Join(dataDir, prefix+now.UTC().Format("20060102T150405Z"), "member")
}

// Aside moves dataDir/member to place by one rename. The data directory may be a mount point, so the copy stays inside it.
func Aside(dataDir, place string) error {
	data, err := safefile.OpenDir(dataDir)
	if err != nil {
		return err
	}
	defer data.Close()
	if err := isDirectory(data); err != nil {
		return err
	}
	if err := prune(data); err != nil {
		return err
	}
	aside, err := makeLike(data, filepath.Base(filepath.Dir(place)))
	if err != nil {
		return err
	}
	defer aside.Close()
	if err := move(data, aside); err != nil {
		return err
	}
	if !holdsMember(data, filepath.Base(aside.Path)) {
		return fault.New(fault.Internal, "the member was moved to %s, and is not there: something renamed the directory meanwhile", place).
			WithHint("look for a directory that holds `member` in %s", dataDir)
	}
	return nil
}

// isDirectory refuses what only leads to data: moved, it would be of no use where it is put.
func isDirectory(data *safefile.Dir) error {
	member, err := data.Dir("member")
	if errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		path := filepath.Join(data.Path, "member")
		return fault.New(fault.Refused, "%s is a link or a file, and no directory: nothing was moved", path).
			WithHint("see what it is (ls -l %[1]s); where it leads to another disk, mount that there (mount --bind); else move it away by hand", path)
	}
	if err != nil {
		return err
	}
	return member.Close()
}

// prune removes the empty directory of a run that was killed before its rename. Remove refuses one that is not empty.
func prune(data *safefile.Dir) error {
	names, err := asides(data)
	if err != nil {
		return err
	}
	for _, name := range names {
		err := data.Remove(name)
		if err != nil && !errors.Is(err, unix.ENOTEMPTY) && !errors.Is(err, unix.EEXIST) && !errors.Is(err, unix.EBUSY) {
			return err
		}
	}
	return nil
}

// makeLike makes a directory with owner, mode and SELinux label of its parent: etcd must be able to read the content when it comes back.
func makeLike(data *safefile.Dir, name string) (*safefile.Dir, error) {
	uid, gid, err := data.Owner()
	if err != nil {
		return nil, err
	}
	dir, err := data.Mkdir(name)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(dir.Give(uid, gid, 0o700), dir.Label(data), data.Sync()); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return dir, nil
}

func move(from, to *safefile.Dir) error {
	err := from.Rename("member", to, "member")
	if errors.Is(err, unix.EXDEV) || errors.Is(err, unix.EBUSY) {
		return fault.Wrap(fault.Unsupported, err, "%s is a mount point of its own, so it cannot be moved within the data directory", filepath.Join(from.Path, "member")).
			WithHint("move what is in it to a directory beside it by hand, and leave it empty")
	}
	return err
}

// Choose is the copy that a return takes: the one that was asked for, else the only one. Among several it does not guess.
func Choose(copies []facts.SetAside, path string) (facts.SetAside, error) {
	path = strings.TrimSuffix(filepath.Clean(path), "/member")
	for _, c := range copies {
		if filepath.Dir(c.Path) == path {
			return c, nil
		}
	}
	switch {
	case path != ".":
		return facts.SetAside{}, fault.New(fault.Invalid, "%s is no copy that was set aside; there are: %s", path, names(copies))
	case len(copies) == 0:
		return facts.SetAside{}, fault.New(fault.Refused, "nothing was set aside here, so nothing can be put back")
	case len(copies) > 1:
		return facts.SetAside{}, fault.New(fault.Refused, "several copies were set aside: %s", names(copies)).
			WithHint("say which one: path=%s", filepath.Dir(copies[len(copies)-1].Path))
	}
	return copies[0], nil
}

func names(copies []facts.SetAside) string {
	var out []string
	for _, c := range copies {
		out = append(out, fmt.Sprintf("%s (member %s)", filepath.Dir(c.Path), c.MemberID))
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}

// Back moves a copy to dataDir/member and removes the directory that is then empty.
func Back(dataDir string, copied facts.SetAside) error {
	data, err := safefile.OpenDir(dataDir)
	if err != nil {
		return err
	}
	defer data.Close()
	aside, err := data.OpenDir(filepath.Base(filepath.Dir(copied.Path)))
	if err != nil {
		return err
	}
	defer aside.Close()
	if err := move(aside, data); err != nil {
		return err
	}
	return prune(data)
}
