package member

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/membertest"
)

// TestForeignFiles: some of the files are another cluster's, as after a copy to the wrong host. The checksums run through the whole log, and each
// snapshot has its mark in the log, so only a database passes: it names no cluster, and etcd does not notice either, unless it is ahead of the
// log.
func TestForeignFiles(t *testing.T) {
	foreign := func() *membertest.Log {
		b := membertest.NewLogOf(0xF0, 0xBEEF).Change(1, 1, 0, 0xF0, "http://foreign:2380").Hard(1, 0xF0, 1)
		for i := uint64(2); i <= 10; i++ {
			b.Entry(3, i, "foreign")
		}
		return b.Hard(3, 0xF0, 10).Segment(11).Hard(3, 0xF0, 10).Entry(3, 11, "foreign")
	}
	own := func() *membertest.Log { return membertest.Good().Segment(11).Entry(2, 11, "x") }
	for name, c := range map[string]struct {
		change func(m *membertest.Member)
		want   string
	}{
		"last segment":       {func(m *membertest.Member) { m.Log.Files[1] = foreign().Files[1] }, "crc_chain"},
		"first segment":      {func(m *membertest.Member) { m.Log.Files[0] = foreign().Files[0] }, "crc_chain"},
		"later last segment": {func(m *membertest.Member) { m.Log.Names[1], m.Log.Files[1] = foreign().Names[1], foreign().Files[1] }, "crc_chain"},
		"newer snapshot": {func(m *membertest.Member) {
			m.Snaps["0000000000000009-0000000000000064.snap"] = membertest.SnapFile(100, 9, "")
		}, "database_behind_snapshot"},
		"older snapshot": {func(m *membertest.Member) {
			m.Snaps["0000000000000003-0000000000000004.snap"] = membertest.SnapFile(4, 3, "")
		}, "snapshot_not_in_log term_falls"},
		"database ahead":  {func(m *membertest.Member) { m.DB = membertest.DatabaseFile(1000, 900) }, "database_beyond_log"},
		"database behind": {func(m *membertest.Member) { m.DB = membertest.DatabaseFile(3, 900) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := membertest.AMember(own())
			c.change(m)
			if got := codes(read(t, m.Write(t))); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestUnreadableFiles: a file that this user may not read never counts as missing.
func TestUnreadableFiles(t *testing.T) {
	for _, file := range []string{"wal", "wal/0000000000000000-0000000000000000.wal", "snap", "snap/0000000000000002-0000000000000005.snap", "snap/db"} {
		t.Run(file, func(t *testing.T) {
			m := membertest.AMember(membertest.Good().Snap(5, 2))
			m.Snaps["0000000000000002-0000000000000005.snap"] = membertest.SnapFile(5, 2, "")
			dir := m.Write(t)
			readable(t, dir)
			if s, err := asNobody(dir); err != nil || len(s.Damage) > 0 {
				t.Fatalf("the test's own condition does not hold: %v %v", s, err)
			}
			if err := os.Chmod(filepath.Join(dir, "member", file), 0); err != nil {
				t.Fatal(err)
			}
			s, err := asNobody(dir)
			if err == nil && len(s.Damage) == 0 {
				t.Errorf("a healthy member: %+v", *s)
			}
			if errors.Is(err, ErrNoMember) {
				t.Error("no member at all")
			}
		})
	}
}

// readable makes the files readable for everybody, with the way to them.
func readable(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error { return errors.Join(err, os.Chmod(path, 0o755)) })
	for path := dir; err == nil && strings.HasPrefix(path, os.TempDir()+"/"); path = filepath.Dir(path) {
		err = os.Chmod(path, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// asNobody reads as a user who owns none of the files; only the reading thread changes its user.
func asNobody(dir string) (s *State, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends here
		if err = unix.Setfsuid(65534); err == nil {
			s, err = readMember(context.Background(), dir, "") // Read uses a thread of its own
		}
	}()
	<-done
	return s, err
}
