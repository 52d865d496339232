package member

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/membertest"
)

// entries appends entries of one term, with contents that depend on the index.
func entries(b *membertest.Log, term, from, to uint64) *membertest.Log {
	for i := from; i <= to; i++ {
		b.Entry(term, i, fmt.Sprint("value ", i))
	}
	return b
}

// TestSumsBelowTheSnapshot: entries that are in the snapshot are compared too, where they certainly lead to it.
func TestSumsBelowTheSnapshot(t *testing.T) {
	self := uint64(membertest.SelfID)
	begin := func() *membertest.Log { return entries(membertest.Start(), 2, 2, 10).Hard(2, self, 10) }
	for name, c := range map[string]struct {
		log   *membertest.Log
		index uint64 // of the snapshot
		term  uint64
		want  []uint64
	}{
		"a snapshot of its own":                    {entries(begin().Snap(8, 2), 2, 11, 12), 8, 2, []uint64{3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
		"right after it":                           {begin().Snap(10, 2), 10, 2, []uint64{3, 4, 5, 6, 7, 8, 9, 10}},
		"a second one":                             {entries(begin().Snap(5, 2), 2, 11, 12).Hard(2, self, 12).Snap(12, 2), 12, 2, []uint64{3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
		"two terms, the first of each left out":    {entries(begin(), 3, 11, 14).Hard(3, self, 14).Snap(14, 3), 14, 3, []uint64{3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14}},
		"a tail that was overwritten before it":    {entries(entries(begin(), 2, 11, 13), 3, 11, 13).Hard(3, self, 12).Snap(12, 3), 12, 3, []uint64{3, 4, 5, 6, 7, 8, 9, 10, 12, 13}},
		"a leader's, the log jumps":                {entries(begin().Hard(3, 0, 20).Snap(20, 3), 3, 21, 22), 20, 3, []uint64{21, 22}},
		"a leader's, over a longer log of its own": {entries(entries(begin(), 2, 11, 30).Hard(3, 0, 20).Snap(20, 3), 3, 21, 22), 20, 3, []uint64{21, 22}},
		"a leader's, then one of its own": {
			entries(entries(begin().Hard(3, 0, 20).Snap(20, 3), 3, 21, 25).Hard(3, 0, 25).Snap(24, 3), 3, 26, 26), 24, 3, []uint64{22, 23, 24, 25, 26}},
		"a leader's, over a longer log, then one of its own": {
			entries(entries(begin(), 2, 11, 30).Hard(3, 0, 20).Snap(20, 3), 3, 21, 25).Hard(3, 0, 25).Snap(24, 3), 24, 3, []uint64{22, 23, 24, 25}},
	} {
		t.Run(name, func(t *testing.T) {
			m := membertest.AMember(c.log)
			m.DB = membertest.DatabaseFile(c.index, 5)
			m.Snaps[fmt.Sprintf("%016x-%016x.snap", c.term, c.index)] = membertest.SnapFile(c.index, c.term, "")
			s := read(t, m.Write(t))
			var got []uint64
			for _, sum := range s.Sums {
				got = append(got, sum.Index)
				whole := entry{Type: entryNormal, Data: fmt.Append(nil, "value ", sum.Index)}
				if sum.CRC != sumOf(whole) {
					t.Errorf("entry %d: another content", sum.Index)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" || len(s.Damage) > 0 || s.SnapshotIndex != c.index {
				t.Errorf("%s%+v", diff, s.Damage)
			}
			for _, r := range s.Terms {
				if r.First <= c.index {
					t.Errorf("terms of entries that etcd does not read: %v", s.Terms)
				}
			}
		})
	}
}

// TestMemoryOfTerms: a log that changes its term with every entry takes no more memory than its size.
func TestMemoryOfTerms(t *testing.T) {
	var below trail
	for i := uint64(1); i <= 3*maxChanges; i++ {
		below.follow(entry{Term: i, Index: i})
	}
	if len(below.terms) > maxChanges+1 {
		t.Errorf("%d terms", len(below.terms))
	}
}
