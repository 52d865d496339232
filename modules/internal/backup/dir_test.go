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
		d.Abandon() // must not touch a directory that has its name
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

// rewrite changes a manifest.
func rewrite(change func(*Manifest)) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		m, err := ReadManifest(dir)
		check(t, err)
		change(&m)
		raw, err := json.Marshal(m)
		check(t, err)
		check(t, os.WriteFile(filepath.Join(dir, ManifestFile), raw, 0o600))
	}
}

func TestHostileManifest(t *testing.T) {
	good := func(t *testing.T) string {
		dir := filepath.Join(t.TempDir(), "b")
		check(t, os.Mkdir(dir, 0o700))
		files, err := CopyTree(t.Context(), plant(t), filepath.Join(dir, "etcd"))
		check(t, err)
		links, err := DescribeLinks(t.Context(), dir)
		check(t, err)
		entry := Entry{Method: "config", Path: filepath.Join(dir, "etcd")}
		entry.SHA256, entry.Bytes = SumOfSums(entry.Path, files)
		check(t, Manifest{Host: "h", Files: files, Links: links, Backups: []Entry{entry}}.Write(dir))
		return dir
	}
	dir := good(t)
	check(t, os.MkdirAll(filepath.Join(dir, "etcd/.rehearsal-1/member"), 0o700)) // left by a rehearsal that was killed
	check(t, os.WriteFile(filepath.Join(dir, "etcd/.rehearsal-1/member/db"), nil, 0o600))
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
		"a pipe for a manifest": {func(t *testing.T, dir string) {
			check(t, os.Remove(filepath.Join(dir, ManifestFile)))
			check(t, unix.Mkfifo(filepath.Join(dir, ManifestFile), 0o600))
		}, fault.Invalid},
		"half a manifest": {func(t *testing.T, dir string) {
			check(t, os.Truncate(filepath.Join(dir, ManifestFile), 30))
		}, fault.Corrupt},
		"another version": {func(t *testing.T, dir string) {
			check(t, os.WriteFile(filepath.Join(dir, ManifestFile), []byte(`{"version":2}`), 0o600))
		}, fault.Unsupported},
		"a way out":                 {rewrite(func(m *Manifest) { m.Files[0].Path = "../../etc/passwd" }), fault.Corrupt},
		"no file":                   {rewrite(func(m *Manifest) { m.Files = nil }), fault.Corrupt},
		"a file less":               {rewrite(func(m *Manifest) { m.Files = m.Files[1:] }), fault.Corrupt},
		"a file twice":              {rewrite(func(m *Manifest) { m.Files = append(m.Files, m.Files[0]) }), fault.Corrupt},
		"set-ID bits":               {rewrite(func(m *Manifest) { m.Files[0].Mode = "4755" }), fault.Corrupt},
		"an entry outside":          {rewrite(func(m *Manifest) { m.Backups[0].Path = "../../elsewhere" }), fault.Corrupt},
		"an entry without any file": {rewrite(func(m *Manifest) { m.Backups[0].Path = "copy" }), fault.Corrupt},
		"an absolute entry":         {rewrite(func(m *Manifest) { m.Backups[0].Path = "/etc" }), fault.Corrupt},
		"an entry's own sum":        {rewrite(func(m *Manifest) { m.Backups[0].SHA256 = sumText("other") }), fault.Corrupt},
		"a directory's set-ID bits": {rewrite(func(m *Manifest) { m.Dirs = []File{{Path: "etcd", Mode: "6755"}} }), fault.Corrupt},
		"another link's target":     {rewrite(func(m *Manifest) { m.Links[0].Target = "/etc/shadow" }), fault.Corrupt},
		"no backup":                 {rewrite(func(m *Manifest) { m.Backups = nil }), fault.Corrupt},
		"a backup twice":            {rewrite(func(m *Manifest) { m.Backups = append(m.Backups, m.Backups[0]) }), fault.Corrupt},
		"less than no bytes":        {rewrite(func(m *Manifest) { m.Backups[0].Bytes = -1 }), fault.Corrupt},
		"a directory outside":       {rewrite(func(m *Manifest) { m.Dirs = []File{{Path: "../etcd", Mode: "700"}} }), fault.Corrupt},
		"a file more": {func(t *testing.T, dir string) {
			check(t, os.WriteFile(filepath.Join(dir, "etcd/added"), nil, 0o600))
		}, fault.Corrupt},
		"a link more": {func(t *testing.T, dir string) {
			check(t, os.Symlink("/etc/shadow", filepath.Join(dir, "etcd/added")))
		}, fault.Corrupt},
		"a link in a file's place": {func(t *testing.T, dir string) {
			file := filepath.Join(dir, "etcd/etcd.conf")
			check(t, os.Rename(file, filepath.Join(dir, "../etcd.conf")))
			check(t, os.Symlink("../../etcd.conf", file))
		}, fault.Corrupt},
		"a file that runs as its owner": {func(t *testing.T, dir string) {
			check(t, unix.Chmod(filepath.Join(dir, "etcd/etcd.conf"), 0o4755))
		}, fault.Corrupt},
		"a pipe": {func(t *testing.T, dir string) { check(t, unix.Mkfifo(filepath.Join(dir, "etcd/pipe"), 0o600)) }, fault.Corrupt},
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

// A copy equals what was read, wherever its holes are, and the holes take no space.
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
	self, err := os.Executable()
	check(t, err)
	if _, err := Scratch(ctx, self, filepath.Join(t.TempDir(), "to")); fault.KindOf(err) != fault.Timeout {
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

// A user who can write to a destination can exchange a backup.
func TestHostileDestination(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"another user's":  func(dir string) error { return os.Chown(dir, stranger, stranger) },
		"its group's":     func(dir string) error { return os.Chmod(dir, 0o770) },
		"everybody's":     func(dir string) error { return os.Chmod(dir, 0o777) },
		"like /tmp":       func(dir string) error { return unix.Chmod(dir, 0o1777) },
		"above: a user's": func(dir string) error { return os.Chown(filepath.Dir(dir), stranger, stranger) },
		"above: for all":  func(dir string) error { return os.Chmod(filepath.Dir(dir), 0o777) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "srv/backup")
			check(t, os.MkdirAll(dir, 0o700))
			check(t, spoil(dir))
			for _, dest := range []string{dir, filepath.Dir(dir) + "/missing/../backup"} {
				_, err := Create(dest, "etcd-1")
				if fault.KindOf(err) != fault.Refused || fault.HintOf(err) == "" || !strings.Contains(err.Error(), "root's alone") {
					t.Errorf("%s: %v (%s)", dest, err, fault.HintOf(err))
				}
			}
			if entries, _ := os.ReadDir(dir); len(entries) > 0 {
				t.Errorf("something was written: %v", entries)
			}
		})
	}
	shared := t.TempDir()
	check(t, unix.Chmod(shared, 0o1777))
	d, err := Create(filepath.Join(shared, "new/backup"), "etcd-1") // root's own directory there, which nobody else can exchange
	check(t, err)
	d.Abandon()
	check(t, os.Symlink("new", filepath.Join(shared, "link")))
	check(t, os.Lchown(filepath.Join(shared, "link"), stranger, stranger))
	if _, err := Create(filepath.Join(shared, "link/backup"), "etcd-1"); fault.KindOf(err) != fault.Refused {
		t.Error(err)
	}
}

// A backup that another user can exchange is not used; under /root nobody else can, whoever owns its files.
func TestHostileSource(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "home/backup")
	check(t, os.MkdirAll(dir, 0o755))
	for _, above := range []string{base, filepath.Dir(base)} {
		check(t, os.Chmod(above, 0o755))
	}
	file := filepath.Join(dir, "snapshot.db")
	check(t, os.WriteFile(file, nil, 0o600))
	check(t, Trusted(dir))
	check(t, Trusted(file))
	for name, spoil := range map[string]func(undo bool) error{
		"the directory": func(undo bool) error { return os.Chown(dir, owner(undo), 0) },
		"above":         func(undo bool) error { return os.Chown(filepath.Dir(dir), owner(undo), 0) },
	} {
		check(t, spoil(false))
		for _, path := range []string{dir, file} {
			if err := Trusted(path); fault.KindOf(err) != fault.Refused || fault.HintOf(err) == "" {
				t.Errorf("%s, %s: %v", name, path, err)
			}
		}
		check(t, os.Chmod(base, 0o700)) // like /root
		check(t, Trusted(dir))
		check(t, os.Chmod(base, 0o755))
		check(t, spoil(true))
	}
	check(t, os.Chown(file, stranger, 0))
	if err := Trusted(file); fault.KindOf(err) != fault.Refused {
		t.Error(err)
	}
}

func owner(undo bool) int {
	if undo {
		return 0
	}
	return stranger
}
