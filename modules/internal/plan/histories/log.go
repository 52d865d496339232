package histories

import (
	"fmt"
	"hash/crc32"
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
)

// Host is what etcd_host_info registered for one host.
type Host = facts.Host

// Relation is the result of comparing two logs.
type Relation struct {
	Common   uint64 // the highest index at which both hold the same entry; 0: none, so no common history
	Conflict uint64 // the lowest index at which they certainly hold different entries; 0: none
	Apart    uint64 // with a conflict, the lowest index from which they may differ: not every sum of older entries is known
	Forced   uint64 // the same, where one of the two may hold the removals that a forced start wrote

	equal   uint64 // both hold the same entries up to here
	ofTerms uint64 // the lowest index at which their terms differ; 0: none
}

// Compare reads the sums and the runs of terms. Two kinds of entry prove no common history, since all clusters that were bootstrapped from the
// same etcd.conf have equal ones: those of term 1 (the members' own adds, written before the first election) and the first of each term, which a
// new leader leaves empty. (An empty cluster and the real one have index 4, term 2 in common.) Such entries can still contradict each other.
func Compare(a, b *facts.Log) Relation {
	var r Relation
	equal := max(min(a.FirstIndex, b.FirstIndex), 1) - 1
	mine := map[uint64]facts.EntrySum{}
	for _, s := range a.Sums {
		mine[s.Index] = s
	}
	for _, theirs := range b.Sums {
		own, both := mine[theirs.Index]
		switch {
		case !both:
			continue
		case own.Term != theirs.Term || own.CRC != theirs.CRC:
			r.Conflict = Lowest(r.Conflict, theirs.Index)
			continue
		case own.Term > 1 && own.CRC != emptyEntry && !beginsTerm(a, own.Index) && !beginsTerm(b, own.Index):
			r.Common = max(r.Common, theirs.Index)
		}
		if r.Conflict == 0 {
			equal = max(equal, theirs.Index)
		}
	}
	r.equal, r.ofTerms = equal, conflictOfTerms(a, b)
	return r.bounded()
}

// bounded works out where the two may be apart.
func (r Relation) bounded() Relation {
	switch {
	case r.ofTerms > 0 && (r.Conflict == 0 || r.ofTerms <= r.Conflict):
		r.Conflict = r.ofTerms
		r.Apart, r.Forced = r.ofTerms, max(r.equal+1, r.ofTerms-min(r.ofTerms, forcedRemovals))
	case r.Conflict > 0:
		r.Apart, r.Forced = r.equal+1, r.equal+1
	}
	return r
}

// And is what two comparisons of one log say, where the logs that it was compared with hold the same committed entries.
func (r Relation) And(o Relation) Relation {
	r.Common, r.equal = max(r.Common, o.Common), max(r.equal, o.equal)
	r.Conflict, r.ofTerms = Lowest(r.Conflict, o.Conflict), Lowest(r.ofTerms, o.ofTerms)
	return r.bounded()
}

// forcedRemovals is how many entries a forced start writes at most, one for each other member. They are of the log's last term, so another member
// may have other entries of that term there, without a kept sum. For all other entries, term and index decide.
const forcedRemovals = 8

// ApartFrom is the lowest index from which two logs may differ: Forced, where a forced start lies between the two.
func (r Relation) ApartFrom(a, b *Node) uint64 {
	if a.Dropped(b) || b.Dropped(a) || a.ForcedTail() || b.ForcedTail() || a.Facts.Forcing != nil || b.Facts.Forcing != nil {
		return r.Forced
	}
	return r.Apart
}

// Dropped is true where n's list says that the other is no longer a member.
func (n *Node) Dropped(other *Node) bool {
	return len(n.Facts.Members) > 0 && !n.Lists(other.DataID())
}

func conflictOfTerms(a, b *facts.Log) (lowest uint64) {
	for _, x := range a.Terms {
		for _, y := range b.Terms {
			if first := max(x.First, y.First); x.Term != y.Term && first <= min(x.Last, y.Last) {
				lowest = Lowest(lowest, first)
			}
		}
	}
	return lowest
}

// emptyEntry is the sum of an entry without data: etcd's sums are over the type, eight bytes, and the data. Where the log no longer has the run
// that such an entry begins, only its sum shows it.
var emptyEntry = crc32.Checksum(make([]byte, 8), crc32.MakeTable(crc32.Castagnoli))

// beginsTerm is true for the first entry of a term. It is false where the snapshot before the run ends in the same term: the run is cut there,
// and its first entry is like any other.
func beginsTerm(l *facts.Log, index uint64) bool {
	return slices.ContainsFunc(l.Terms, func(t facts.TermRange) bool {
		return t.First == index && !(t.Term == l.SnapshotTerm && t.First == l.SnapshotIndex+1)
	})
}

// Outlasts: n, whose log conflicts with that of o, had a later leader. By raft's rules what was committed is in the log of every later leader, so where o
// had the later one, or both have entries of one term, disks were put back or a start was forced, and either may hold what was acknowledged.
func (n *Node) Outlasts(o *Node) bool { return EndOf(n.Facts).Term > EndOf(o.Facts).Term }

// Lowest is the smaller of two indexes; 0 means none.
func Lowest(a, b uint64) uint64 {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}

// Newer compares as raft's election does: the term of the last entry, then its index. It uses neither the HardState's term, which a member that
// restarts alone raises again and again, nor the revision or the consistent index, which lag.
func Newer(a, b *facts.Log) bool {
	if a.LastTerm != b.LastTerm {
		return a.LastTerm > b.LastTerm
	}
	return a.LastIndex > b.LastIndex
}

// KnownCommitted is the highest index that this member knows to be committed.
func KnownCommitted(h *Host) uint64 {
	if f := h.Forcing; f != nil && h.Log != nil && !HasServed(h) {
		return h.Log.Commit // see beforeForcing: only this member committed what the database has applied since
	}
	var k uint64
	if h.Log != nil {
		k = max(h.Log.Commit, h.Log.KnownCommitted, h.Log.SnapshotIndex)
	}
	if h.Database != nil {
		k = max(k, h.Database.ConsistentIndex)
	}
	return k
}

// Revision is the greater of the process's answer and the database's revision; 0 where neither is known.
func Revision(h *Host) int64 {
	r := h.Live.Revision
	if h.Database != nil {
		r = max(r, h.Database.Revision)
	}
	return r
}

// Position is the end of a log: term and index of its last entry. Where the log could not be read so far, Committed is an index that the database
// has applied.
type Position struct {
	Term      uint64 `json:"term"`
	Index     uint64 `json:"index"`
	Committed uint64 `json:"committed,omitempty"`
}

// NewerThan compares as raft does in an election.
func (p Position) NewerThan(o Position) bool {
	return p.Term > o.Term || p.Term == o.Term && p.Index > o.Index
}

// BetterThan is true for a later end, and where an entry beyond o is known to be committed.
func (p Position) BetterThan(o Position) bool { return p.NewerThan(o) || p.Committed > o.Index }

// Text is for messages.
func (p Position) Text() string {
	if p.Committed > p.Index {
		return fmt.Sprintf("index %d", p.Committed)
	}
	return fmt.Sprintf("term %d, index %d", p.Term, p.Index)
}

// EndOf is the last entry of a log, or the snapshot that it begins with, as far as it can be read.
func EndOf(h *Host) (p Position) {
	if h.Log != nil {
		p = later(Position{Term: h.Log.LastTerm, Index: h.Log.LastIndex}, Position{Term: h.Log.SnapshotTerm, Index: h.Log.SnapshotIndex})
	}
	if h.Database != nil && h.Database.ConsistentIndex > p.Index {
		p.Committed = h.Database.ConsistentIndex
	}
	return p
}

func later(a, b Position) Position {
	best := a
	if b.NewerThan(a) {
		best = b
	}
	best.Committed = max(a.Committed, b.Committed)
	return best
}
