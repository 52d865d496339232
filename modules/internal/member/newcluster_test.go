package member

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/membertest"
)

// removalOf is the data of an entry that removes a member and was made by a forced start.
func removalOf(id uint64) []byte { return membertest.Numbers(0, 1, id) }

const thirdID = 0xC3

// clusters are logs of a member among others, with the expected result of ForceNewCluster.
var clusters = map[string]struct {
	log     func() *membertest.Log
	removed []facts.ID
}{
	"two others":              {func() *membertest.Log { return membertest.Good().Change(2, 11, 0, thirdID, "http://third:2380") }, []facts.ID{membertest.OtherID, thirdID}},
	"another with a lower ID": {func() *membertest.Log { return membertest.Good().Change(2, 11, 0, 0x42, "http://low:2380") }, []facts.ID{0x42, membertest.OtherID}},
	"alone, with a tail":      {func() *membertest.Log { return membertest.Good().Change(2, 11, 1, membertest.OtherID, "") }, nil},
	"an earlier KeepTail":     {func() *membertest.Log { return membertest.Good().Hard(2, membertest.SelfID, 10) }, []facts.ID{membertest.OtherID}},
	"a forced start by the flag that was killed": {
		func() *membertest.Log { return membertest.Good().EntryOf(1, 2, 11, removalOf(membertest.OtherID)) }, nil},
}

func init() {
	for name, log := range tails {
		c := clusters[name]
		c.log, c.removed = log, []facts.ID{membertest.OtherID}
		clusters[name] = c
	}
}

func TestForceNewCluster(t *testing.T) {
	for name, c := range clusters {
		t.Run(name, func(t *testing.T) {
			dir := membertest.AMember(c.log()).Write(t)
			before := read(t, dir)
			got, err := ForceNewCluster(t.Context(), dir, "", true)
			last := before.LastIndex + uint64(len(c.removed))
			want := NewCluster{Kept{Changed: true, From: before.HardState.Commit, To: last, Term: max(before.LastTerm, before.HardState.Term), TornTail: before.Torn}, c.removed}
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Fatal(diff, err)
			}
			alone(t, dir, last)
			sum := treeSum(t, dir)
			if again, err := ForceNewCluster(t.Context(), dir, "", true); again.Changed || err != nil || treeSum(t, dir) != sum {
				t.Errorf("the second run: %+v %v", again, err)
			}
		})
	}
}

// alone checks that the log at dir is whole, ends with committed entry last, and has one member.
func alone(t *testing.T, dir string, last uint64) {
	t.Helper()
	s := read(t, dir)
	if len(s.Damage) > 0 || s.Torn || s.TailEntries() != 0 || s.LastIndex != last || len(s.Members) != 1 || s.Members[0].ID != s.ID {
		t.Errorf("expected one member and the end at %d: %+v", last, *s)
	}
}

// TestForcedRecords compares byte for byte with an independent encoder; molecule/walcheck compares with etcd's.
func TestForcedRecords(t *testing.T) {
	for keepTail, from := range map[bool]uint64{true: 10, false: 8} {
		b := membertest.Good()
		dir := membertest.AMember(b).Write(t)
		if _, err := ForceNewCluster(t.Context(), dir, "", keepTail); err != nil {
			t.Fatal(err)
		}
		b.EntryOf(1, 2, from+1, removalOf(membertest.OtherID)).Hard(2, membertest.SelfID, from+1)
		if got := content(t, dir); !bytes.Equal(got, bytes.TrimRight(*b.Last(), "\x00")) {
			t.Errorf("keepTail %v: %x", keepTail, got[max(0, len(got)-120):])
		}
		alone(t, dir, from+1)
	}
}

// TestForceKilled: it ends after each of its steps, and in the middle of one. Each time the log is the old one or the new one, and the next run
// gives the same bytes as a run that was not killed.
func TestForceKilled(t *testing.T) {
	for name, c := range clusters {
		for how, half := range halves {
			t.Run(name+"/"+how, func(t *testing.T) { killForceEverywhere(t, c.log, half) })
		}
	}
}

func killForceEverywhere(t *testing.T, log func() *membertest.Log, half func(io.WriterAt, []byte, int64)) {
	undisturbed := membertest.AMember(log()).Write(t)
	before := read(t, undisturbed)
	if _, err := ForceNewCluster(t.Context(), undisturbed, "", true); err != nil {
		t.Fatal(err)
	}
	after, want := read(t, undisturbed), content(t, undisturbed)
	for n := 0; ; n++ {
		dir := membertest.AMember(log()).Write(t)
		_, err := ForceNewClusterThrough(t.Context(), dir, "", true, func(f *os.File) Target { return &killer{Target: f, n: n, half: half} })
		if err == nil {
			if n < 2 {
				t.Fatalf("it took %d steps only", n)
			}
			return
		}
		if !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		s := read(t, dir)
		old := s.LastIndex == before.LastIndex && s.HardState.Commit == before.HardState.Commit && len(s.Members) == len(before.Members)
		done := s.LastIndex == after.LastIndex && s.HardState.Commit == after.LastIndex && len(s.Members) == 1
		if len(s.Damage) > 0 || !old && !done {
			t.Fatalf("killed at step %d: neither the old log nor the new one: %+v", n, *s)
		}
		if _, err := ForceNewCluster(t.Context(), dir, "", true); err != nil {
			t.Fatalf("killed at step %d: the next run: %v", n, err)
		}
		if !bytes.Equal(content(t, dir), want) {
			t.Fatalf("killed at step %d: the next run gives another log", n)
		}
	}
}

// TestLeftover: what an interrupted write leaves behind the end of the log is no damage; what etcd wrote there is.
func TestLeftover(t *testing.T) {
	b := membertest.Good()
	end := int64(len(*b.Last()))
	forced := membertest.AMember(b).Write(t)
	if _, err := ForceNewCluster(t.Context(), forced, "", true); err != nil {
		t.Fatal(err)
	}
	batch := content(t, forced)[end:]
	for name, c := range map[string]struct {
		behind []byte
		damage string
	}{
		"all but the first frame": {append(make([]byte, 8), batch[8:]...), ""},
		"its first record":        {append(make([]byte, 8), batch[8:48]...), ""},
		"its second record":       {append(make([]byte, 40), batch[40:]...), ""},
		"another record behind":   {append(append(make([]byte, 8), batch[8:]...), otherRecord(t)...), "good_bytes_after_end"},
		"another record":          {append(make([]byte, 8), otherRecord(t)...), "good_bytes_after_end"},
	} {
		t.Run(name, func(t *testing.T) {
			log := membertest.Good()
			log.Room = 0
			*log.Last() = append(append(*log.Last(), c.behind...), make([]byte, 4096)...)
			dir := membertest.AMember(log).Write(t)
			s := read(t, dir)
			if got := codes(s); got != c.damage || s.LastIndex != 10 {
				t.Errorf("damage %q, want %q; last index %d", got, c.damage, s.LastIndex)
			}
		})
	}
}

// otherRecord is a whole record that no forced start of the log Good would write.
func otherRecord(t *testing.T) []byte {
	t.Helper()
	b := membertest.Good()
	at := len(*b.Last())
	return append([]byte(nil), (*b.Entry(2, 11, "lost").Last())[at:]...)
}

func TestForceNewClusterRefuses(t *testing.T) {
	ahead := func() *membertest.Member {
		m := membertest.AMember(membertest.Good())
		m.DB = membertest.DatabaseFile(9, 5)
		return m
	}
	unlisted := func() *membertest.Member {
		m := membertest.AMember(membertest.Good().Snap(4, 2))
		m.Snaps["0000000000000002-0000000000000004.snap"] = membertest.SnapFile(4, 2, `{"Root":{"Path":"/","Children":{"0":{"Path":"/0","Children":{"members":{"Path":"/0/members","Children":{`+
			`"a1":{"Path":"/0/members/a1","Children":{}},"b2":{"Path":"/0/members/b2","Children":{}}}}}}}}}`)
		return m
	}
	for name, c := range map[string]struct {
		member   *membertest.Member
		keepTail bool
		want     string
	}{
		"removed itself in the tail":            {membertest.AMember(membertest.Good().Change(2, 11, 1, membertest.SelfID, "")), true, "entry 11 removes this member itself"},
		"never was a member":                    {membertest.AMember(membertest.NewLog().Change(1, 1, 0, membertest.OtherID, "http://other:2380").Hard(1, 0, 1)), true, "is not a member"},
		"damage":                                {membertest.AMember(membertest.Good().Entry(2, 12, "x")), true, "entry_hole"},
		"the database ahead, the tail given up": {ahead(), false, "the database has applied entry 9"},
		"raft's list is not the store's":        {unlisted(), true, "b2"},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.HasPrefix(name, "never") {
				c.member.DB = membertest.DatabaseFile(1, 2)
			}
			dir := c.member.Write(t)
			before := treeSum(t, dir)
			_, err := ForceNewCluster(t.Context(), dir, "", c.keepTail)
			if err == nil || !strings.Contains(err.Error(), c.want) || fault.HintOf(err) == "" {
				t.Errorf("got %v, hint %q", err, fault.HintOf(err))
			}
			if treeSum(t, dir) != before {
				t.Error("it refused, and wrote")
			}
		})
	}
}

// TestForcedIsMarked: a forced start's removal differs from a `member remove`.
func TestForcedIsMarked(t *testing.T) {
	dir := membertest.AMember(membertest.Good().EntryOf(1, 2, 11, removalOf(membertest.OtherID)).Change(2, 12, 0, thirdID, "http://third:2380").Change(2, 13, 1, thirdID, "")).Write(t)
	var forced []uint64
	for _, c := range read(t, dir).Tail {
		if c.Forced {
			forced = append(forced, c.Index)
		}
	}
	if diff := cmp.Diff([]uint64{11}, forced); diff != "" {
		t.Error(diff)
	}
}

// TestOneSegmentHoldsAll: only the last segment is written to, also where the log has several.
func TestOneSegmentHoldsAll(t *testing.T) {
	b := membertest.Good()
	b.Segment(11)
	b.Hard(2, membertest.SelfID, 10).Entry(2, 11, "x")
	dir := membertest.AMember(b).Write(t)
	first, err := os.ReadFile(filepath.Join(dir, "member/wal", b.Names[0]))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ForceNewCluster(t.Context(), dir, "", true); err != nil {
		t.Fatal(err)
	}
	alone(t, dir, 12)
	if now, err := os.ReadFile(filepath.Join(dir, "member/wal", b.Names[0])); err != nil || !bytes.Equal(first, now) {
		t.Error("the first segment changed: ", err)
	}
}
