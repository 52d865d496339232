// Package setaside moves a member's data within its data directory, and back. Nothing is ever deleted: what is in the way of a new
// start may be the only other copy of the data.
package setaside

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/safefile"
)

const prefix = "set-aside-"

// List finds the copies in a data directory, oldest first. One whose log cannot be read has no member ID.
func List(dataDir string) ([]facts.SetAside, error) {
	dirs, err := filepath.Glob(filepath.Join(dataDir, prefix+"*", "member"))
	if err != nil {
		return nil, err
	}
	slices.Sort(dirs)
	out := []facts.SetAside{}
	for _, dir := range dirs {
		bytes, err := Bytes(dir)
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

// Bytes is what a directory takes on the disk. Log segments are preallocated, so this is more than their length in use.
func Bytes(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
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

// Place is where the data would go now.
func Place(dataDir string, now time.Time) string {
	return filepath.Join(dataDir, prefix+now.UTC().Format("20060102T150405Z"), "member")
}

// Aside moves dataDir/member to place by one rename. The data directory may be a mount point, so the copy stays inside it.
func Aside(dataDir, place string) error {
	if err := prune(dataDir); err != nil {
		return err
	}
	if err := makeLike(filepath.Dir(place), dataDir); err != nil {
		return err
	}
	return move(filepath.Join(dataDir, "member"), place)
}

// prune removes the empty directory of a run that was killed before its rename. Remove refuses one that is not empty.
func prune(dataDir string) error {
	dirs, err := filepath.Glob(filepath.Join(dataDir, prefix+"*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) > 0 {
			continue
		}
		if err := os.Remove(dir); err != nil {
			return err
		}
	}
	return nil
}

// makeLike makes a directory with owner, mode and SELinux label of another: etcd must be able to read what is in it when it comes back.
func makeLike(dir, model string) error {
	var st unix.Stat_t
	if err := unix.Stat(model, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: model, Err: err}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if err := os.Chown(dir, int(st.Uid), int(st.Gid)); err != nil {
		return err
	}
	if err := safefile.CopyXattrs(model, dir); err != nil {
		return err
	}
	return safefile.SyncDir(model)
}

func move(from, to string) error {
	err := safefile.Rename(from, to)
	if errors.Is(err, unix.EXDEV) || errors.Is(err, unix.EBUSY) {
		return fault.Wrap(fault.Unsupported, err, "%s is a mount point of its own, so it cannot be moved within the data directory", from).
			WithHint("move what is in it to a directory beside it by hand, and leave it empty")
	}
	return err
}

// Choose is the copy that a return takes: the one that is asked for, else the only one. Which of several is meant is not guessed.
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

// Back moves a copy to dataDir/member and removes the directory that it leaves empty.
func Back(dataDir string, copied facts.SetAside) error {
	if err := move(copied.Path, filepath.Join(dataDir, "member")); err != nil {
		return err
	}
	return prune(dataDir)
}
