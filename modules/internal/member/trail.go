package member

import (
	"encoding/binary"
	"hash/crc32"
	"sort"
)

// A trail keeps the first 128 entries, every 64th, the first of each term, and the last 256; the list is pruned from time to time. The first ones
// distinguish a member that stopped when the cluster was young from one of another cluster.
const (
	sumFirst  = 128
	sumEvery  = 64
	sumLast   = 256
	pruneStep = 4096
)

// trail is what is kept of a run of entries: their terms, and the sums of some.
type trail struct {
	terms     []TermRange
	sums      []EntrySum
	nextPrune int
}

func (t *trail) note(e entry) {
	if n := len(t.terms); n > 0 && t.terms[n-1].Term == e.Term {
		t.terms[n-1].Last = e.Index
	} else {
		t.terms = append(t.terms, TermRange{Term: e.Term, First: e.Index, Last: e.Index})
	}
	t.sums = append(t.sums, EntrySum{Index: e.Index, Term: e.Term, CRC: sumOf(e)})
	if len(t.sums) >= t.nextPrune+pruneStep {
		t.prune(pruneStep / 2)
		t.nextPrune = len(t.sums)
	}
}

// cut drops the entries from an index on.
func (t *trail) cut(from uint64) {
	t.terms = t.terms[:sort.Search(len(t.terms), func(i int) bool { return t.terms[i].First >= from })]
	if n := len(t.terms); n > 0 {
		t.terms[n-1].Last = min(t.terms[n-1].Last, from-1)
	}
	t.sums = t.sums[:sort.Search(len(t.sums), func(i int) bool { return t.sums[i].Index >= from })]
	t.nextPrune = min(t.nextPrune, len(t.sums))
}

func sumOf(e entry) uint32 {
	var kind [8]byte
	binary.LittleEndian.PutUint64(kind[:], e.Type)
	return crc32.Update(crc32.Checksum(kind[:], castagnoli), castagnoli, e.Data)
}

// prune drops most sums, but not the last ones.
func (t *trail) prune(last int) {
	cut := max(0, len(t.sums)-last)
	kept := t.sums[:0]
	for i, sum := range t.sums {
		first := len(kept) == 0 || kept[len(kept)-1].Term != sum.Term
		if i >= cut || i < sumFirst || first || sum.Index%sumEvery == 0 {
			kept = append(kept, sum)
		}
	}
	t.sums = kept
}

// The functions below handle entries at and below the snapshot's index. These serve only to compare logs: a member that has just made a snapshot
// has nothing else in common with others. Some of them may be wrong: where a leader sent a snapshot, entries that it overruled stay in the log,
// and nothing there overwrites them. raft's log matching tells them apart: entries of the same index and term have the same entries before them.
// So they count only where the log holds the snapshot's own entry, with its term.

func (t *trail) follow(e entry) {
	switch last := t.last(); {
	case last.Index+1 < e.Index, len(t.terms) > maxChanges:
		*t = trail{} // a snapshot from a leader lies between; or no cluster wrote this
	case last.Index >= e.Index:
		t.cut(e.Index)
	}
	t.note(e)
}

func (t *trail) last() (last struct{ Index, Term uint64 }) {
	if n := len(t.terms); n > 0 {
		last.Index, last.Term = t.terms[n-1].Last, t.terms[n-1].Term
	}
	return last
}

// mark handles the mark of a snapshot in the log: entries that do not lead to it were overruled by it.
func (t *trail) mark(index, term uint64) {
	if len(t.terms) == 0 || t.terms[0].First > index {
		return
	}
	for _, r := range t.terms {
		if r.First <= index && index <= r.Last && r.Term == term {
			return
		}
	}
	*t = trail{}
}

// upTo returns the sums of entries that certainly lead to the snapshot. The first of each term is left out: it proves no common history, and
// without the term's range nobody can tell that it is the first.
func (t *trail) upTo(index, term uint64) []EntrySum {
	if last := t.last(); last.Index != index || last.Term != term {
		return nil
	}
	t.prune(sumLast)
	var out []EntrySum
	terms := t.terms
	for _, sum := range t.sums {
		for terms[0].Last < sum.Index {
			terms = terms[1:]
		}
		if terms[0].First != sum.Index {
			out = append(out, sum)
		}
	}
	return out
}
