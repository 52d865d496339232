package plan

import (
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
)

// relation is what two logs say of each other.
type relation struct {
	common   uint64 // the highest index at which both hold the same entry; 0: no such place, and so no common history
	conflict uint64 // the lowest index at which they are known to hold different entries; 0: none
}

// compare reads the sums and the runs of terms. Two kinds of entry prove no common history, since every cluster that was ever
// bootstrapped from the same etcd.conf has them alike: those of term 1 (the members' own adds, written before the first election) and
// the first of each term, which a new leader leaves empty. (An empty cluster and the real one have index 4, term 2 in common.) They can
// still contradict.
func compare(a, b *facts.Log) relation {
	var r relation
	mine := map[uint64]facts.EntrySum{}
	for _, s := range a.Sums {
		mine[s.Index] = s
	}
	for _, theirs := range b.Sums {
		own, both := mine[theirs.Index]
		switch {
		case !both:
		case own.Term != theirs.Term || own.CRC != theirs.CRC:
			r.conflict = lowest(r.conflict, theirs.Index)
		case own.Term > 1 && !beginsTerm(a, own.Index) && !beginsTerm(b, own.Index):
			r.common = max(r.common, theirs.Index)
		}
	}
	for _, x := range a.Terms {
		for _, y := range b.Terms {
			if first := max(x.First, y.First); x.Term != y.Term && first <= min(x.Last, y.Last) {
				r.conflict = lowest(r.conflict, first)
			}
		}
	}
	return r
}

func beginsTerm(l *facts.Log, index uint64) bool {
	return slices.ContainsFunc(l.Terms, func(t facts.TermRange) bool { return t.First == index })
}

// lowest is the smaller of two indexes of which 0 means none.
func lowest(a, b uint64) uint64 {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}

// newer compares as raft's election does: term of the last entry, then its index. Not the HardState's term, which a member that
// restarts alone raises for ever; not the revision or the consistent index, which lag.
func newer(a, b *facts.Log) bool {
	if a.LastTerm != b.LastTerm {
		return a.LastTerm > b.LastTerm
	}
	return a.LastIndex > b.LastIndex
}

// known is the highest index that this member knows to be committed.
func known(h *Host) uint64 {
	var k uint64
	if h.Log != nil {
		k = max(h.Log.Commit, h.Log.KnownCommitted, h.Log.SnapshotIndex)
	}
	if h.Database != nil {
		k = max(k, h.Database.ConsistentIndex)
	}
	return k
}

func revision(h *Host) int64 {
	r := h.Live.Revision
	if h.Database != nil {
		r = max(r, h.Database.Revision)
	}
	return r
}
