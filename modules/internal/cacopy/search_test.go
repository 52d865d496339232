package cacopy

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What is too large, too deep, broken or no file ends no search, and is named, except a link, which is not looked at.
func TestSearchHasLimits(t *testing.T) {
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "1/2/3/4/5/6/7"), 0o700))
	must(t, os.Symlink("/", filepath.Join(dir, "link.tgz")))
	must(t, unix.Mkfifo(filepath.Join(dir, "pipe.tgz"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "broken.tgz"), []byte("no archive"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "bomb.tgz"), bomb(t, 8<<20), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "data.tar"), nil, 0o600))
	must(t, os.Truncate(filepath.Join(dir, "data.tar"), 1<<40))
	s := search{ctx: t.Context(), names: 100, bytes: 1 << 20}
	s.below(dir)
	for i, at := range s.missed {
		s.missed[i] = strings.TrimPrefix(at, dir+"/")
	}
	want := []string{"1/2/3/4/5/6", "bomb.tgz", "broken.tgz", "data.tar"}
	if slices.Sort(s.missed); !slices.Equal(s.missed, want) || len(s.found) > 0 {
		t.Errorf("missed %v, want %v", s.missed, want)
	}
	few := search{ctx: t.Context(), names: 3, bytes: 1 << 20}
	if few.below(dir); !slices.Equal(few.missed, []string{dir}) {
		t.Error(few.missed)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bomb is an archive that becomes much larger than it is.
func bomb(t *testing.T, size int64) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	must(t, w.WriteHeader(&tar.Header{Name: "zeros", Mode: 0o600, Size: size}))
	_, err := w.Write(make([]byte, size))
	must(t, err)
	must(t, w.Close())
	must(t, z.Close())
	return out.Bytes()
}
