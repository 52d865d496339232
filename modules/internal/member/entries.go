package member

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"sort"
)

// keepSums: every 64th entry, the first of each term, and the last 256 are kept; in between the list is pruned now and then.
const (
	sumEvery  = 64
	sumLast   = 256
	pruneStep = 4096
)

// maxChanges bounds memory: no log holds that many changes of the membership, of names or of terms.
const maxChanges = 1 << 16

func (w *walker) entry(e entry) error {
	s := w.state
	if w.hardState && e.Index <= s.HardState.Commit {
		s.damage("committed_rewritten", w.file, fmt.Sprintf("entry %d was written again after index %d was committed", e.Index, s.HardState.Commit))
	}
	if e.Index <= s.SnapshotIndex {
		return nil // etcd drops these too; they are in the snapshot
	}
	w.lastIndex = max(w.lastIndex, s.SnapshotIndex)
	if e.Index > w.lastIndex+1 {
		s.damage("entry_hole", w.file, fmt.Sprintf("entry %d follows entry %d", e.Index, w.lastIndex))
	}
	if e.Index <= w.lastIndex {
		w.cut(e.Index)
	}
	if n := len(s.Terms); n > 0 && e.Term < s.Terms[n-1].Term {
		s.damage("term_falls", w.file, fmt.Sprintf("entry %d has term %d, the one before it %d", e.Index, e.Term, s.Terms[n-1].Term))
	}
	w.lastIndex = e.Index
	w.note(e)
	if len(s.Terms) > maxChanges || len(w.changes) > maxChanges || len(w.names) > maxChanges {
		s.damage("too_many_changes", w.file, "the log changes its term, membership or names more often than a cluster can")
		return errStop
	}
	if e.Type == entryNormal {
		w.request(e)
		return nil
	}
	c, err := decodeConfChange(e)
	if err != nil {
		return fmt.Errorf("membership change at index %d: %w", e.Index, err)
	}
	if c.Type == ChangeUnknown || c.Type == ChangeLearner {
		s.damage("unknown_conf_change", w.file, fmt.Sprintf("entry %d changes the membership in a way that etcd 3.2 does not know", e.Index))
	}
	w.changes = append(w.changes, c)
	return nil
}

// cut: the same index again means that a new leader overwrote the entries from there on.
func (w *walker) cut(from uint64) {
	s := w.state
	s.Terms = s.Terms[:sort.Search(len(s.Terms), func(i int) bool { return s.Terms[i].First >= from })]
	if n := len(s.Terms); n > 0 {
		s.Terms[n-1].Last = min(s.Terms[n-1].Last, from-1)
	}
	s.Sums = s.Sums[:sort.Search(len(s.Sums), func(i int) bool { return s.Sums[i].Index >= from })]
	w.changes = w.changes[:sort.Search(len(w.changes), func(i int) bool { return w.changes[i].Index >= from })]
	w.names = w.names[:sort.Search(len(w.names), func(i int) bool { return w.names[i].index >= from })]
	w.nextPrune = min(w.nextPrune, len(s.Sums))
}

func (w *walker) note(e entry) {
	s := w.state
	if s.FirstIndex == 0 || e.Index < s.FirstIndex {
		s.FirstIndex = e.Index
	}
	if n := len(s.Terms); n > 0 && s.Terms[n-1].Term == e.Term {
		s.Terms[n-1].Last = e.Index
	} else {
		s.Terms = append(s.Terms, TermRange{Term: e.Term, First: e.Index, Last: e.Index})
	}
	s.Sums = append(s.Sums, EntrySum{Index: e.Index, Term: e.Term, CRC: sumOf(e)})
	if len(s.Sums) >= w.nextPrune+pruneStep {
		w.prune(pruneStep / 2)
		w.nextPrune = len(s.Sums)
	}
}

func sumOf(e entry) uint32 {
	var kind [8]byte
	binary.LittleEndian.PutUint64(kind[:], e.Type)
	return crc32.Update(crc32.Checksum(kind[:], castagnoli), castagnoli, e.Data)
}

// prune thins the sums out, but for the last ones.
func (w *walker) prune(last int) {
	sums := w.state.Sums
	cut := max(0, len(sums)-last)
	kept := sums[:0]
	for i, sum := range sums {
		first := len(kept) == 0 || kept[len(kept)-1].Term != sum.Term
		if i >= cut || first || sum.Index%sumEvery == 0 {
			kept = append(kept, sum)
		}
	}
	w.state.Sums = kept
}
