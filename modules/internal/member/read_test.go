package member

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"etcd-quorum-restore/modules/internal/membertest"
)

func TestMain(m *testing.M) {
	settlePause = 0
	os.Exit(m.Run())
}

func read(t testing.TB, dir string) *State {
	t.Helper()
	s, err := Read(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// view is what the tests compare: everything but checksums.
var view = cmp.Options{cmpopts.IgnoreUnexported(State{}), cmpopts.IgnoreFields(State{}, "Sums"), cmpopts.EquateEmpty()}

func TestReadHealthyMember(t *testing.T) {
	dir := membertest.AMember(membertest.Good()).Write(t)
	before := treeSum(t, dir)
	s := read(t, dir)
	want := &State{
		ID: membertest.SelfID, ClusterID: membertest.ClusterID, FirstIndex: 1, LastTerm: 2, LastIndex: 10,
		Terms: []TermRange{{1, 1, 2}, {2, 3, 10}},
		Members: []Peer{
			{ID: membertest.SelfID, Name: "self", PeerURLs: []string{"http://self:2380"}, ClientURLs: []string{"http://self:2379"}},
			{ID: membertest.OtherID, PeerURLs: []string{"http://other:2380"}},
		},
		Database: &Database{ConsistentIndex: 8, Revision: 5, Bytes: 7 * membertest.PageSize},
	}
	want.HardState.Term, want.HardState.Vote, want.HardState.Commit = 2, membertest.SelfID, 8
	if diff := cmp.Diff(want, s, view); diff != "" {
		t.Error(diff)
	}
	if s.TailEntries() != 2 || s.KnownCommitted() != 8 {
		t.Errorf("tail %d, known committed %d; want 2, 8", s.TailEntries(), s.KnownCommitted())
	}
	if after := treeSum(t, dir); after != before {
		t.Error("reading changed the files")
	}
}

// treeSum covers names, contents, modes and times.
func treeSum(t testing.TB, dir string) string {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(h, path, info.Mode(), info.Size(), info.ModTime().UnixNano())
		if d.Type().IsRegular() && info.Size() < 1<<30 {
			content, err := os.ReadFile(path)
			h.Write(content)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(h.Sum(nil))
}

func TestSegmentsAndSnapshot(t *testing.T) {
	b := membertest.Good().Segment(11).Hard(2, membertest.SelfID, 10)
	for i := uint64(11); i <= 20; i++ {
		b.Entry(3, i, "x")
	}
	b.Snap(15, 3).Hard(3, membertest.OtherID, 20).Segment(21).Hard(3, membertest.OtherID, 20).Entry(3, 21, "y")
	m := membertest.AMember(b)
	m.DB = membertest.DatabaseFile(18, 9)
	m.Snaps["0000000000000003-000000000000000f.snap"] = membertest.SnapFile(15, 3, "")
	m.Snaps["0000000000000002-000000000000000a.snap"] = []byte("older, and not read")
	s := read(t, m.Write(t))
	if len(s.Damage) > 0 || s.FirstIndex != 16 || s.LastIndex != 21 || s.SnapshotIndex != 15 || s.V2Keys != 1 || len(s.Members) != 2 || s.Members[0].Name != "self" {
		t.Errorf("got %+v", *s)
	}
	if diff := cmp.Diff([]TermRange{{3, 16, 21}}, s.Terms); diff != "" {
		t.Error(diff)
	}
}

func TestOverwrittenEntries(t *testing.T) {
	b := membertest.NewLog().Change(1, 1, 0, membertest.SelfID, "http://self:2380").Hard(1, membertest.SelfID, 1).
		Entry(1, 2, "a").Entry(1, 3, "old").Change(1, 4, 1, membertest.OtherID, "").EntryOf(0, 1, 5, membertest.V2("PUT", "/0/members/a1/attributes", `{"name":"old"}`)).
		Hard(2, membertest.OtherID, 2).Entry(2, 3, "new").Hard(2, membertest.OtherID, 3)
	m := membertest.AMember(b)
	m.DB = membertest.DatabaseFile(3, 2)
	s := read(t, m.Write(t))
	if diff := cmp.Diff([]TermRange{{1, 1, 2}, {2, 3, 3}}, s.Terms); diff != "" || len(s.Damage) > 0 || s.LastIndex != 3 || len(s.Tail) > 0 {
		t.Errorf("%s%+v", diff, *s)
	}
	if s.Members[0].Name != "" {
		t.Errorf("a name from an overwritten entry is still there: %q", s.Members[0].Name)
	}
	if n := len(s.Sums); n != 3 || s.Sums[2].Term != 2 {
		t.Errorf("sums: %+v", s.Sums)
	}
}

// TestSums: the same entries have the same sums on two members, whatever the rest of their logs is.
func TestSums(t *testing.T) {
	long := func(other string) *State {
		b := membertest.NewLog().Change(1, 1, 0, membertest.SelfID, "http://self:2380").Hard(1, 0, 1)
		for i := uint64(2); i <= 10000; i++ {
			data := fmt.Sprint(i)
			if i == 9990 {
				data = other
			}
			b.Entry(1+i/5000, i, data)
		}
		return read(t, membertest.AMember(b.Hard(3, 0, 9000)).Write(t))
	}
	a, b := long("a"), long("b")
	if len(a.Sums) > 10000/sumEvery+sumLast+pruneStep || len(a.Sums) < 10000/sumEvery {
		t.Errorf("%d sums", len(a.Sums))
	}
	for i, sum := range a.Sums {
		if same := sum == b.Sums[i]; same != (sum.Index != 9990) {
			t.Errorf("index %d: the same is %v", sum.Index, same)
		}
	}
	for _, index := range []uint64{5, 127, 192, 5000, 6400, 9745, 10000} { // one of the first, a 64th, a term's first, the last 256
		if !hasSum(a, index) {
			t.Errorf("no sum of entry %d", index)
		}
	}
}

func hasSum(s *State, index uint64) bool {
	for _, sum := range s.Sums {
		if sum.Index == index {
			return true
		}
	}
	return false
}

func TestV2Keys(t *testing.T) {
	b := membertest.NewLog().Change(1, 1, 0, membertest.SelfID, "http://self:2380").Hard(1, 0, 1)
	dir := append(membertest.V2("PUT", "/1/d", ""), membertest.Number(nil, 5, 1)...)
	all := append(membertest.V2("DELETE", "/1/d", ""), membertest.Number(nil, 12, 1)...)
	for i, data := range [][]byte{membertest.V2("PUT", "/1/a", "1"), membertest.V2("PUT", "/1/a", "2"), membertest.V2("POST", "/1/q", "1"), membertest.V2("POST", "/1/q", "1"),
		membertest.V2("PUT", "/1/d/e", "1"), membertest.V2("PUT", "/1/d/f", "1"), dir, all, membertest.V2("DELETE", "/1/a", ""), membertest.V2("PUT", "/0/x", "1"), membertest.V2("QGET", "/1/z", "")} {
		b.EntryOf(0, 1, uint64(i+2), data)
	}
	if s := read(t, membertest.AMember(b).Write(t)); s.V2Keys != 2 {
		t.Errorf("%d v2 keys, want the two posted ones", s.V2Keys)
	}
}

func TestMembershipChangesInTheTail(t *testing.T) {
	b := membertest.Good().Change(2, 11, 2, membertest.SelfID, "http://new:2380").Change(2, 12, 1, membertest.OtherID, "")
	s := read(t, membertest.AMember(b).Write(t))
	want := []ConfChange{{Index: 11, Type: ChangeUpdate, MemberID: membertest.SelfID, PeerURLs: []string{"http://new:2380"}}, {Index: 12, Type: ChangeRemove, MemberID: membertest.OtherID}}
	if diff := cmp.Diff(want, s.Tail, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if len(s.Members) != 2 || s.Members[0].PeerURLs[0] != "http://self:2380" {
		t.Errorf("uncommitted changes are in force: %+v", s.Members)
	}
}

func TestNoMember(t *testing.T) {
	empty := t.TempDir()
	if err := os.MkdirAll(filepath.Join(empty, "member", "wal"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none"), empty} {
		if _, err := Read(t.Context(), dir, ""); !errors.Is(err, ErrNoMember) {
			t.Errorf("%s: %v", dir, err)
		}
		if _, _, err := Identity(filepath.Join(dir, "member", "wal")); !errors.Is(err, ErrNoMember) {
			t.Errorf("%s: %v", dir, err)
		}
		if _, err := KeepTail(t.Context(), dir, ""); err == nil {
			t.Errorf("%s: KeepTail kept nothing at all", dir)
		}
	}
}

func TestIdentityOfALogDamagedFurtherOn(t *testing.T) {
	b := membertest.Good().Segment(11)
	b.Files[1][20] ^= 0xff // in the second segment's metadata: the first one still has the identity
	dir := membertest.AMember(b).Write(t)
	id, cluster, err := Identity(filepath.Join(dir, "member", "wal"))
	if id != membertest.SelfID || cluster != membertest.ClusterID || err != nil {
		t.Errorf("%s %s %v", id, cluster, err)
	}
}

// TestHugeFiles: a sparse file of 1 TB takes neither time nor memory.
func TestHugeFiles(t *testing.T) {
	for file, code := range map[string]string{
		"wal/0000000000000000-0000000000000000.wal":   "segment_too_large",
		"snap/0000000000000009-0000000000000009.snap": "snapshot_too_large",
		"snap/db": "",
	} {
		dir := membertest.AMember(membertest.Good()).Write(t)
		path := filepath.Join(dir, "member", file)
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Truncate(1 << 40); err != nil {
			t.Fatal(err)
		}
		f.Close()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s := read(t, dir)
		runtime.ReadMemStats(&after)
		if got := codes(s); got != code {
			t.Errorf("%s: %q, want %q", file, got, code)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 20<<20 {
			t.Errorf("%s: %d bytes were allocated", file, used)
		}
	}
}

func codes(s *State) string {
	var out []string
	for _, d := range s.Damage {
		out = append(out, d.Code)
	}
	return strings.Join(out, " ")
}

// TestPipes: to open one would wait for ever.
func TestPipes(t *testing.T) {
	for _, file := range []string{"wal/0000000000000000-0000000000000000.wal", "snap/0000000000000009-0000000000000009.snap", "snap/db"} {
		dir := membertest.AMember(membertest.Good()).Write(t)
		path := filepath.Join(dir, "member", file)
		os.Remove(path)
		if err := mkfifo(path); err != nil {
			t.Fatal(err)
		}
		if s := read(t, dir); len(s.Damage) == 0 {
			t.Errorf("a pipe as %s passes for a healthy file", file)
		}
	}
}
