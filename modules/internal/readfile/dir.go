package readfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// mostNames is more than the names of any directory that is read here; below a directory that is walked there may be ten times as many. A test
// lowers it.
var mostNames = 100_000

// Dir is os.ReadDir for directories that another user fills. Names are sorted.
func Dir(path string) ([]os.DirEntry, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Entries(f)
}

// Entries is Dir for a directory that is open already.
func Entries(f *os.File) ([]os.DirEntry, error) {
	entries, err := f.ReadDir(mostNames + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(entries) > mostNames {
		return nil, tooMany(f.Name(), mostNames)
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

func tooMany(path string, most int) error {
	return &os.PathError{Op: "readdir", Path: path, Err: fmt.Errorf("%w: more than %d names", ErrTooLong, most)}
}

// Walk is filepath.WalkDir for directories that another user fills. Kind timeout: ctx has ended.
func Walk(ctx context.Context, root string, visit fs.WalkDirFunc) error {
	info, err := os.Lstat(root)
	if err != nil {
		err = visit(root, nil, err)
	} else {
		err = (&walk{ctx: ctx, visit: visit, root: root}).below(root, fs.FileInfoToDirEntry(info))
	}
	if errors.Is(err, fs.SkipDir) || errors.Is(err, fs.SkipAll) {
		return nil
	}
	return err
}

type walk struct {
	ctx   context.Context
	visit fs.WalkDirFunc
	root  string
	seen  int
}

func (w *walk) below(path string, d fs.DirEntry) error {
	if w.seen++; w.seen > 10*mostNames {
		return tooMany(w.root, 10*mostNames)
	}
	if err := Over(w.ctx, w.root); err != nil {
		return err
	}
	if err := w.visit(path, d, nil); err != nil || !d.IsDir() {
		return err
	}
	entries, err := Dir(path)
	if err != nil {
		return w.visit(path, d, err)
	}
	for _, e := range entries {
		err := w.below(filepath.Join(path, e.Name()), e)
		if errors.Is(err, fs.SkipDir) && e.IsDir() {
			continue
		}
		if errors.Is(err, fs.SkipDir) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}
