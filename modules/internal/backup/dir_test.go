package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
)

func TestCreateAndCommit(t *testing.T) {
	dest := filepath.Join(t.TempDir(), "a", "b")
	var finals []string
	for range 3 {
		d, err := Create(dest, "x")
		check(t, err)
		check(t, os.WriteFile(filepath.Join(d.Path, "f"), nil, 0o600))
		if _, err := os.Stat(d.Final); err == nil {
			t.Error("it has its name before it is whole")
		}
		check(t, d.Commit())
		d.Abandon() // must not touch what has its name
		finals = append(finals, filepath.Base(d.Final))
		if info, err := os.Stat(filepath.Join(d.Final, "f")); err != nil || info.Size() != 0 {
			t.Error(err)
		}
	}
	if diff := cmp.Diff([]string{"x", "x-2", "x-3"}, finals); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(filepath.Join(dest, "x")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestInterruptedRunsAreInNobodysWay(t *testing.T) {
	dest := t.TempDir()
	left, err := Create(dest, "x")
	check(t, err)
	d, err := Create(dest, "x")
	check(t, err)
	if d.Path == left.Path {
		t.Fatal("two runs fill one directory")
	}
	check(t, d.Commit())
	if diff := cmp.Diff([]string{left.Path}, Leftovers(dest)); diff != "" {
		t.Error(diff)
	}
	failed, err := Create(dest, "x")
	check(t, err)
	failed.Abandon()
	if len(Leftovers(dest)) != 1 {
		t.Error("a run that fails leaves its directory")
	}
	taken, err := Create(dest, "y")
	check(t, err)
	check(t, os.Mkdir(taken.Final, 0o700))
	if err := taken.Commit(); err == nil {
		t.Error("a name that was taken meanwhile was overwritten")
	}
	if _, err := Create("relative", "x"); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
}

func TestRoom(t *testing.T) {
	dest := filepath.Join(t.TempDir(), "not", "yet")
	check(t, Room(dest, 1000))
	err := Room(dest, 1<<60)
	if fault.KindOf(err) != fault.Refused || !strings.Contains(err.Error(), "are needed") {
		t.Error(err)
	}
	if _, err := os.Stat(dest); err == nil {
		t.Error("asking made the directory")
	}
}

func TestInside(t *testing.T) {
	dir := t.TempDir()
	check(t, os.Mkdir(filepath.Join(dir, "data"), 0o700))
	check(t, os.Symlink(filepath.Join(dir, "data"), filepath.Join(dir, "link")))
	data := filepath.Join(dir, "data")
	for path, want := range map[string]bool{"data": true, "data/x/y": true, "link/x": true, "data2": false, "": false, "../data": false} {
		if got := Inside(filepath.Join(dir, path), data); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	if !SameDisk(dir, filepath.Join(dir, "new")) || SameDisk(dir, "/proc") {
		t.Error("disks are told apart wrongly")
	}
}

func TestSizeAndStamp(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 64 << 20: "64.0 MiB", 3 << 30: "3.0 GiB"} {
		if got := Size(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	if got := Stamp(time.Date(2026, 11, 23, 4, 14, 0, 0, time.FixedZone("CET", 3600)), "a/b"); got != "etcd-20261123T031400Z-a_b" {
		t.Error(got)
	}
}

func TestVerify(t *testing.T) {
	good := func(t *testing.T) string {
		dir := filepath.Join(t.TempDir(), "b")
		check(t, os.Mkdir(dir, 0o700))
		f, err := CopyTree(t.Context(), plant(t), filepath.Join(dir, "etcd"), KeepLinks)
		check(t, err)
		check(t, Manifest{Host: "h", Files: f, Backups: []Entry{{Method: "config", Path: filepath.Join(dir, "etcd")}}}.Write(dir))
		return dir
	}
	dir := good(t)
	m, err := Verify(t.Context(), dir)
	check(t, err)
	if len(m.Files) != 3 || m.Backups[0].Path != "etcd" || filepath.IsAbs(m.Files[0].Path) {
		t.Errorf("%+v", m)
	}
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir string)
		kind  fault.Kind
	}{
		"a flipped bit": {func(t *testing.T, dir string) {
			check(t, os.WriteFile(filepath.Join(dir, "etcd/etcd.conf"), []byte("ETCD_NAME=b\n"), 0o600))
		}, fault.Corrupt},
		"a missing file": {func(t *testing.T, dir string) { check(t, os.Remove(filepath.Join(dir, "etcd/empty"))) }, fault.Corrupt},
		"no manifest":    {func(t *testing.T, dir string) { check(t, os.Remove(filepath.Join(dir, ManifestFile))) }, fault.Refused},
		"half a manifest": {func(t *testing.T, dir string) {
			check(t, os.Truncate(filepath.Join(dir, ManifestFile), 30))
		}, fault.Corrupt},
		"another version": {func(t *testing.T, dir string) {
			check(t, os.WriteFile(filepath.Join(dir, ManifestFile), []byte(`{"version":2}`), 0o600))
		}, fault.Unsupported},
		"a way out": {func(t *testing.T, dir string) {
			raw, err := json.Marshal(Manifest{Version: 1, Files: []File{{Path: "../../etc/passwd"}}})
			check(t, err)
			check(t, os.WriteFile(filepath.Join(dir, ManifestFile), raw, 0o600))
		}, fault.Corrupt},
	} {
		t.Run(name, func(t *testing.T) {
			dir := good(t)
			c.spoil(t, dir)
			if _, err := Verify(t.Context(), dir); fault.KindOf(err) != c.kind {
				t.Errorf("%v", err)
			}
		})
	}
	conf := filepath.Join(dir, "etcd/etcd.conf")
	copied, err := Scratch(t.Context(), conf, filepath.Join(t.TempDir(), "copy"))
	check(t, err)
	if _, err := VerifyRest(t.Context(), dir, map[string]string{conf: copied}); err != nil {
		t.Errorf("with a sum that is known: %v", err)
	}
	if _, err := VerifyRest(t.Context(), dir, map[string]string{conf: sumText("other")}); fault.KindOf(err) != fault.Corrupt {
		t.Errorf("with the sum of something else: %v", err)
	}
	check(t, os.Rename(dir, dir+".partial"))
	if _, err := Verify(t.Context(), dir+".partial/"); fault.KindOf(err) != fault.Refused {
		t.Errorf("an interrupted backup was accepted: %v", err)
	}
}

// A copy is what was read, wherever its holes are, and the holes take no room.
func TestScratch(t *testing.T) {
	for name, parts := range map[string][]int{ // lengths of data and zeros, in turn
		"empty":          {},
		"short":          {5},
		"zeros":          {0, 3 << 20},
		"data":           {3<<20 + 7},
		"between":        {chunk - 5, 2*hole + 10, 9, 5 * hole, 3},
		"a hole's start": {hole, hole, hole, hole - 1, 1, chunk + hole + 1},
	} {
		t.Run(name, func(t *testing.T) {
			var want []byte
			for i, n := range parts {
				fill := []byte{1, 0}[i%2]
				want = append(want, bytes.Repeat([]byte{fill}, n)...)
			}
			from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "to")
			check(t, os.WriteFile(from, want, 0o600))
			sum, err := Scratch(t.Context(), from, to)
			check(t, err)
			got, err := os.ReadFile(to)
			check(t, err)
			if !bytes.Equal(got, want) || sum != sumText(string(want)) {
				t.Errorf("%d bytes, want %d, or others; sum %s", len(got), len(want), sum)
			}
			var st unix.Stat_t
			check(t, unix.Stat(to, &st))
			if name == "zeros" && st.Blocks > 0 {
				t.Errorf("%d blocks", st.Blocks)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Scratch(ctx, "/proc/self/exe", filepath.Join(t.TempDir(), "to")); fault.KindOf(err) != fault.Timeout {
		t.Error(err)
	}
}

func FuzzReadManifest(f *testing.F) {
	f.Add([]byte(`{"version":1,"files":[{"path":"a"}]}`))
	f.Add([]byte(`{"version":1,"files":[{"path":"../a"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		dir := t.TempDir()
		check(t, os.WriteFile(filepath.Join(dir, ManifestFile), raw, 0o600))
		m, err := ReadManifest(dir)
		for _, file := range m.Files {
			if err == nil && !strings.HasPrefix(filepath.Join(dir, file.Path)+"/", dir+"/") {
				t.Errorf("%q leads out of the backup", file.Path)
			}
		}
	})
}
