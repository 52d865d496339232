package walcheck

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/coreos/etcd/wal"
	"github.com/coreos/etcd/wal/walpb"

	"etcd-quorum-restore/modules/internal/member"
)

// TestSumsBelowTheSnapshot: the sums of entries that a snapshot holds are those of what etcd reads from the log's beginning.
func TestSumsBelowTheSnapshot(t *testing.T) {
	dir := newMember(t).save(1, 1, join(1, 1, selfID)).fill(1, 2, 400).snapshot(380, 1).fill(2, 401, 600).snapshot(520, 2).fill(2, 601, 640).done()
	withDatabase(t, dir)
	s, err := member.Read(t.Context(), dir, "")
	if err != nil || len(s.Damage) > 0 {
		t.Fatal(err, s)
	}
	w, err := wal.OpenForRead(filepath.Join(dir, "member", "wal"), walpb.Snapshot{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	_, _, all, err := w.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	below := 0
	for _, sum := range s.Sums {
		e := all[sum.Index-1]
		if sum != (member.EntrySum{Index: e.Index, Term: e.Term, CRC: entrySum(e)}) {
			t.Errorf("entry %d: %+v, of etcd's reading %d", sum.Index, sum, entrySum(e))
		}
		if sum.Index <= s.SnapshotIndex {
			below++
		}
	}
	if below == 0 {
		t.Error("no sum of an entry that is in the snapshot")
	}
}

// TestCommonHistoryAfterASnapshot: all members are killed right after they have made a snapshot, so that hardly an entry is behind it. Each
// two have entries below it in common that prove one history, and contradict each other nowhere that both know to be committed.
func TestCommonHistoryAfterASnapshot(t *testing.T) {
	c := newCluster(t)
	for i := 0; c.read(0).SnapshotIndex == 0; i++ {
		if err := c.members[0].put(i, "one by one"); err != nil {
			t.Fatal(err)
		}
	}
	at := c.read(0).SnapshotIndex
	c.await("all have made it", func() bool { return c.read(1).SnapshotIndex >= at && c.read(2).SnapshotIndex >= at })
	for _, m := range c.members {
		m.kill()
	}
	for _, pair := range [][2]int{{0, 1}, {0, 2}, {1, 2}} {
		a, b := c.read(pair[0]), c.read(pair[1])
		if common, wrong := share(a, b, min(a.SnapshotIndex, b.SnapshotIndex)); common == 0 || wrong > 0 {
			t.Errorf("members %v: %d entries in common below their snapshots, %d contradictions", pair, common, wrong)
		}
	}
	c.healthy()
}

// share counts the sums up to an index that prove one history, as package plan counts them, and those that disprove it: different, and
// known to be committed by both.
func share(a, b *member.State, upTo uint64) (equal, different int) {
	sums := map[uint64]member.EntrySum{}
	for _, s := range a.Sums {
		sums[s.Index] = s
	}
	for _, s := range b.Sums {
		own, both := sums[s.Index]
		switch {
		case !both || s.Index > upTo:
		case own == s && s.Term > 1 && !beginsTerm(a, s.Index) && !beginsTerm(b, s.Index):
			equal++
		case own != s && s.Index <= min(a.KnownCommitted(), b.KnownCommitted()):
			different++
		}
	}
	return equal, different
}

func beginsTerm(s *member.State, index uint64) bool {
	return slices.ContainsFunc(s.Terms, func(r member.TermRange) bool { return r.First == index })
}
