package readfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"etcd-quorum-restore/modules/internal/fault"
)

func few(t *testing.T, n int) {
	old := mostNames
	mostNames = n
	t.Cleanup(func() { mostNames = old })
}

func fill(t *testing.T, dir string, n int) {
	t.Helper()
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint("f", i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A directory with more names than any has is refused before they are all in memory, however it is read.
func TestHostileDirectory(t *testing.T) {
	few(t, 20)
	dir := t.TempDir()
	fill(t, dir, 20)
	if entries, err := Dir(dir); err != nil || len(entries) != 20 {
		t.Fatal(len(entries), err)
	}
	fill(t, dir, 21)
	visit := func(_ string, _ fs.DirEntry, err error) error { return err }
	if _, err := Dir(dir); !errors.Is(err, ErrTooLong) {
		t.Error(err)
	}
	if err := Walk(t.Context(), dir, visit); !errors.Is(err, ErrTooLong) {
		t.Error(err)
	}
	many := t.TempDir()
	for i := range 12 {
		sub := filepath.Join(many, fmt.Sprint("d", i))
		if err := os.Mkdir(sub, 0o700); err != nil {
			t.Fatal(err)
		}
		fill(t, sub, 19)
	}
	if err := Walk(t.Context(), many, visit); !errors.Is(err, ErrTooLong) {
		t.Error(err)
	}
}

// However long a walk may be, it ends with the module's time.
func TestHostileWalkHasADeadline(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 20)
	ctx, cancel := context.WithCancel(t.Context())
	visited := 0
	err := Walk(ctx, dir, func(string, fs.DirEntry, error) error {
		visited++
		cancel()
		return nil
	})
	if visited != 1 || fault.KindOf(err) != fault.Timeout {
		t.Error(visited, err)
	}
}

func walkHere(root string, visit fs.WalkDirFunc) error {
	return Walk(context.Background(), root, visit)
}

// Walk visits what filepath.WalkDir visits, in its order, and follows no link.
func TestWalkIsWalkDir(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b/c", "a", "d/skip"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		fill(t, filepath.Join(dir, name), 2)
	}
	if err := os.Symlink(dir, filepath.Join(dir, "b", "link")); err != nil {
		t.Fatal(err)
	}
	for _, root := range []string{dir, filepath.Join(dir, "a", "f0"), filepath.Join(dir, "none")} {
		for _, stop := range []string{"", "skip", "f0", "b"} {
			var got [2][]string
			var errs [2]error
			for i, walk := range []func(string, fs.WalkDirFunc) error{walkHere, filepath.WalkDir} {
				errs[i] = walk(root, func(path string, d fs.DirEntry, err error) error {
					got[i] = append(got[i], fmt.Sprint(path, d != nil && d.IsDir(), err))
					if filepath.Base(path) == stop {
						return fs.SkipDir
					}
					return err
				})
			}
			if !reflect.DeepEqual(got[0], got[1]) || fmt.Sprint(errs[0]) != fmt.Sprint(errs[1]) {
				t.Errorf("%s, skip %q:\n%v %v\n%v %v", root, stop, got[0], errs[0], got[1], errs[1])
			}
		}
	}
}
