package member

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/membertest"
)

// onSmallDisk is a member of two whose log is on a filesystem of 256 KB, and its only segment.
func onSmallDisk(t *testing.T) (dir, segment string) {
	t.Helper()
	b := membertest.Good()
	b.Room = 0
	dir = membertest.AMember(b).Write(t)
	wal := filepath.Join(dir, "member/wal")
	if err := unix.Mount("tmpfs", wal, "tmpfs", 0, "size=256k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(wal, 0); err != nil {
			t.Error(err)
		}
	})
	segment = filepath.Join(wal, b.Names[0])
	membertest.Put(t, segment, *b.Last())
	return dir, segment
}

// fill fills the filesystem of a directory.
func fill(t *testing.T, dir string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "other"), make([]byte, 1<<20), 0o600); err == nil {
		t.Fatal("the disk is not full")
	}
}

// TestFullDisk: the write needs only what is allocated already; what etcd would have to allocate at its start has to fit.
func TestFullDisk(t *testing.T) {
	for name, c := range map[string]struct {
		make    func(t *testing.T, segment string)
		full    bool
		refused string
	}{
		"allocated, and the disk is full": {func(t *testing.T, segment string) { lengthenBy(t, segment, make([]byte, 64<<10)) }, true, ""},
		"sparse, and it does not fit":     {func(t *testing.T, segment string) { truncate(t, segment, 64_000_000) }, false, "it allocates 62 MB there, and 0 MB are free"},
		"sparse, and it fits":             {func(t *testing.T, segment string) { truncate(t, segment, 128<<10) }, false, ""},
		"no room in the file, full disk":  {func(t *testing.T, segment string) { toPageEnd(t, segment) }, true, "could not start"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, segment := onSmallDisk(t)
			c.make(t, segment)
			if c.full {
				fill(t, filepath.Dir(segment))
			}
			before, err := os.ReadFile(segment)
			if err != nil {
				t.Fatal(err)
			}
			asked := RoomToStart(read(t, dir), dir, "")
			n, err := ForceNewCluster(t.Context(), dir, "", true)
			if c.refused == "" {
				if asked != nil || err != nil || len(n.Removed) != 1 || n.Removed[0] != facts.ID(membertest.OtherID) {
					t.Fatal(asked, n, err)
				}
				alone(t, dir, 11)
				return
			}
			for _, err := range []error{asked, err} {
				if fault.KindOf(err) != fault.Refused || !strings.Contains(err.Error(), c.refused) || fault.HintOf(err) == "" {
					t.Errorf("got %v, hint %q", err, fault.HintOf(err))
				}
			}
			if after, err := os.ReadFile(segment); err != nil || !bytes.Equal(before, after) {
				t.Error("it refused, and wrote: ", err)
			}
		})
	}
}

func lengthenBy(t *testing.T, path string, more []byte) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	membertest.Put(t, path, append(content, more...))
}

func truncate(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

// toPageEnd makes the log end where the last page of its file does, so that the next record needs another page.
func toPageEnd(t *testing.T, path string) {
	t.Helper()
	const page = 4096
	b := membertest.Good()
	record := func(data int) int { return len(*membertest.Good().Entry(2, 11, strings.Repeat("x", data)).Last()) }
	data := page - len(*b.Last())
	for record(data) > page {
		data--
	}
	for range 8 {
		if *b = *membertest.Good().Entry(2, 11, strings.Repeat("x", data)); len(*b.Last()) == page {
			membertest.Put(t, path, *b.Last())
			return
		}
		data--
	}
	t.Fatalf("%d bytes, expected %d", len(*b.Last()), page)
}
