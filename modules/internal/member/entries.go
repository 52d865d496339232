package member

import (
	"fmt"
	"sort"
)

// maxChanges bounds memory: no log has that many changes of the membership, of names or of terms.
const maxChanges = 1 << 16

func (w *walker) entry(e entry) error {
	s := w.state
	if w.hardState && e.Index <= s.HardState.Commit {
		s.damage("committed_rewritten", w.file, fmt.Sprintf("entry %d was written again after index %d was committed", e.Index, s.HardState.Commit))
	}
	if e.Index <= s.SnapshotIndex {
		w.below.follow(e) // etcd drops these, since they are in the snapshot; they may still be compared with other members' entries
		return nil
	}
	w.lastIndex = max(w.lastIndex, s.SnapshotIndex)
	if e.Index > w.lastIndex+1 {
		s.damage("entry_hole", w.file, fmt.Sprintf("entry %d follows entry %d", e.Index, w.lastIndex))
	}
	if e.Index <= w.lastIndex {
		w.cut(e.Index)
	}
	if n := len(w.above.terms); n > 0 && e.Term < w.above.terms[n-1].Term {
		s.damage("term_falls", w.file, fmt.Sprintf("entry %d has term %d, the one before it %d", e.Index, e.Term, w.above.terms[n-1].Term))
	}
	w.lastIndex = e.Index
	if s.FirstIndex == 0 || e.Index < s.FirstIndex {
		s.FirstIndex = e.Index
	}
	w.above.note(e)
	if len(w.above.terms) > maxChanges || len(w.changes) > maxChanges || len(w.names) > maxChanges {
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

// cut handles an index that comes again: a new leader overwrote the entries from there on.
func (w *walker) cut(from uint64) {
	w.above.cut(from)
	w.changes = w.changes[:sort.Search(len(w.changes), func(i int) bool { return w.changes[i].Index >= from })]
	w.names = w.names[:sort.Search(len(w.names), func(i int) bool { return w.names[i].index >= from })]
}
