package restore

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/membertest"
)

// chapters makes backups by the chapter's commands, in a directory of its own.
func chapters(t *testing.T, change func(dir string)) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "etcd-20190101")
	m := membertest.AMember(membertest.Start().Entry(2, 2, "a").Entry(2, 3, "b").Hard(2, uint64(membertest.SelfID), 3))
	m.DB = membertest.DatabaseFile(3, 5)
	check(t, os.Rename(m.Write(t), dir))
	change(dir)
	return dir
}

func bareDB(dir string) string { return filepath.Join(dir, "member", "snap", "db") }

// snapshotOf is a database with its sum behind it, as `snapshot save` writes it.
func snapshotOf(t *testing.T, dir string) {
	t.Helper()
	db, err := os.ReadFile(bareDB(dir))
	check(t, err)
	sum := sha256.Sum256(db)
	check(t, os.WriteFile(filepath.Join(dir, "db"), append(db, sum[:]...), 0o600))
}

func TestBackupsOfTheChapter(t *testing.T) {
	for name, c := range map[string]struct {
		change              func(dir string)
		path, method, lacks string // the path below the directory
		refused             bool   // refused without consent
	}{
		"a stopped copy":             {func(string) {}, "", Copy, "backup.json", false},
		"a snapshot and a v2 backup": {func(dir string) { snapshotOf(t, dir); check(t, os.Remove(bareDB(dir))) }, "db", Snapshot, "v2 keys", false},
		"a snapshot alone":           {func(dir string) { snapshotOf(t, dir); check(t, os.RemoveAll(filepath.Join(dir, "member"))) }, "db", Snapshot, "v2 keys", false},
		"a bare database":            {func(dir string) { check(t, os.RemoveAll(filepath.Join(dir, "member", "wal"))) }, "member/snap/db", Snapshot, "bare copy", true},
		"a bare database on its own": {func(dir string) {
			check(t, os.Rename(bareDB(dir), filepath.Join(dir, "db")))
			check(t, os.RemoveAll(filepath.Join(dir, "member")))
		}, "db", Snapshot, "bare copy", true},
		"a snapshot of any name": {func(dir string) {
			snapshotOf(t, dir)
			check(t, os.Rename(filepath.Join(dir, "db"), filepath.Join(dir, "snapshot.db")))
			check(t, os.RemoveAll(filepath.Join(dir, "member")))
		}, "snapshot.db", Snapshot, "v2 keys", false},
		"a copy of the data directory in it": {func(dir string) {
			check(t, os.Mkdir(filepath.Join(dir, "etcd"), 0o700))
			check(t, os.Rename(filepath.Join(dir, "member"), filepath.Join(dir, "etcd", "member")))
		}, "etcd", Copy, "backup.json", false},
		"a bare copy of member/snap": {func(dir string) {
			check(t, os.Rename(filepath.Join(dir, "member", "snap"), filepath.Join(dir, "snap")))
			check(t, os.RemoveAll(filepath.Join(dir, "member")))
		}, "snap/db", Snapshot, "bare copy", true},
		"a copy whose log is damaged, and a snapshot": {func(dir string) {
			snapshotOf(t, dir)
			logs, _ := filepath.Glob(filepath.Join(dir, "member", "wal", "*.wal"))
			check(t, os.Truncate(logs[0], 40))
		}, "db", Snapshot, "v2 keys", false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := chapters(t, c.change)
			s, err := Find(t.Context(), dir, "auto")
			check(t, err)
			if s.Path != filepath.Join(dir, c.path) || s.Method != c.method || !strings.Contains(s.Line(), "it lacks "+s.Lacks) || !strings.Contains(s.Lacks, c.lacks) || s.Revision == 0 {
				t.Errorf("%+v: %s", s, s.Line())
			}
			if err := s.KeepsAll(false); (fault.KindOf(err) == fault.Refused) != c.refused || err != nil && !strings.Contains(fault.HintOf(err), "etcd_accept_loss=yes") {
				t.Errorf("without consent: %v", err)
			}
			check(t, s.KeepsAll(true))
			list, err := Candidates(t.Context(), filepath.Dir(dir))
			check(t, err)
			if len(list) == 0 || c.method != Copy && list[len(list)-1].Path != s.Path || list[0].Problem != "" {
				t.Errorf("listed: %+v", list)
			}
			if text := strings.Join(Lines(dir, list), "\n"); !strings.Contains(text, "it lacks ") {
				t.Error(text)
			}
		})
	}
}

// The directory `member` itself may be named, and a copy of its content says what to do.
func TestTheDirectoryMember(t *testing.T) {
	dir := chapters(t, func(string) {})
	if s, err := Find(t.Context(), filepath.Join(dir, "member"), "auto"); err != nil || s.Method != Copy || s.Path != dir {
		t.Errorf("%+v, %v", s, err)
	}
	check(t, os.Rename(filepath.Join(dir, "member", "snap"), filepath.Join(dir, "snap")))
	check(t, os.Rename(filepath.Join(dir, "member", "wal"), filepath.Join(dir, "wal")))
	check(t, os.Remove(filepath.Join(dir, "member")))
	const cure = "mkdir member && mv snap wal member"
	if _, err := Find(t.Context(), dir, "auto"); err == nil || !strings.Contains(fault.HintOf(err), cure) {
		t.Errorf("%v: %s", err, fault.HintOf(err))
	}
	list, err := Candidates(t.Context(), filepath.Dir(dir))
	if err != nil || len(list) != 1 || !strings.Contains(list[0].Problem, cure) {
		t.Errorf("%+v, %v", list, err)
	}
}

// A snapshot that was cut, or changed, has a size that no database has, or a wrong sum: it does not count as a bare copy.
func TestDamagedSnapshotIsNoBareCopy(t *testing.T) {
	for name, spoil := range map[string]func(path string, size int64){
		"cut":           func(path string, size int64) { check(t, os.Truncate(path, size-7)) },
		"half of it":    func(path string, size int64) { check(t, os.Truncate(path, 512)) },
		"another byte":  func(path string, size int64) { change(t, path, size-1) },
		"in its middle": func(path string, _ int64) { change(t, path, 9000) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := chapters(t, func(dir string) { snapshotOf(t, dir); check(t, os.RemoveAll(filepath.Join(dir, "member"))) })
			path := filepath.Join(dir, "db")
			info, err := os.Stat(path)
			check(t, err)
			spoil(path, info.Size())
			if s, err := Find(t.Context(), dir, "auto"); fault.KindOf(err) != fault.Corrupt {
				t.Errorf("%+v %v", s, err)
			}
		})
	}
}

func change(t *testing.T, path string, at int64) {
	t.Helper()
	raw, err := os.ReadFile(path)
	check(t, err)
	raw[at] ^= 0xff
	check(t, os.WriteFile(path, raw, 0o600))
}

// A v2 backup without a database is refused with what it needs.
func TestV2BackupAlone(t *testing.T) {
	dir := chapters(t, func(dir string) { check(t, os.Remove(bareDB(dir))) })
	list, err := Candidates(t.Context(), filepath.Dir(dir))
	check(t, err)
	if len(list) != 1 || list[0].Path != dir || !strings.Contains(list[0].Problem, "without its database") {
		t.Errorf("%+v", list)
	}
}
