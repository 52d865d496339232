package plan

// stretch is a run of entries that one leader wrote in one term. No two leaders share a seed, so seed and index identify an entry.
type stretch struct {
	seed        string
	term        uint64
	first, last uint64
}

func (s stretch) entries() uint64 { return s.last - s.first + 1 }

// wal is a member's log from index 1 on, including the part that is now in a snapshot.
type wal []stretch

// bootstrap are the entries that every cluster of this configuration begins with.
var bootstrap = wal{{"bootstrap", 1, 1, 3}}

func (w wal) last() stretch {
	if len(w) == 0 {
		return stretch{}
	}
	return w[len(w)-1]
}

// newcomers are the entries that a new cluster writes for itself: its members' names and its version.
const newcomers = 4

// with appends n entries.
func (w wal) with(seed string, term, n uint64) wal {
	out := append(wal{}, w...)
	end := out.last()
	if end.seed == seed && end.term == term {
		out[len(out)-1].last += n
		return out
	}
	return append(out, stretch{seed, term, end.last + 1, end.last + n})
}

// upTo is the log without the entries behind an index.
func (w wal) upTo(index uint64) wal {
	var out wal
	for _, s := range w {
		if s.first <= index {
			s.last = min(s.last, index)
			out = append(out, s)
		}
	}
	return out
}

// common is the highest index up to which two logs hold the same entries.
func (w wal) common(o wal) (index uint64) {
	for i := range min(len(w), len(o)) {
		if w[i].seed != o[i].seed || w[i].first != o[i].first {
			if w[i].term == o[i].term && w[i].first == o[i].first && i > 0 && w[i].term > w[i-1].term {
				index++ // the first entry of a term is empty, whoever leads
			}
			return index
		}
		index = min(w[i].last, o[i].last)
		if w[i].last != o[i].last {
			return index
		}
	}
	return index
}

// termAt is the term of an entry; 0 where the log does not hold it.
func (w wal) termAt(index uint64) uint64 {
	for _, s := range w {
		if s.first <= index && index <= s.last {
			return s.term
		}
	}
	return 0
}

func (w wal) newerThan(o wal) bool {
	a, b := w.last(), o.last()
	return a.term > b.term || a.term == b.term && a.last > b.last
}

// of returns the entries of a stretch that the log holds. A log holds a prefix of what one leader wrote.
func (w wal) of(s stretch) (held stretch, some bool) {
	for _, own := range w {
		if own.seed == s.seed {
			held = stretch{s.seed, s.term, max(own.first, s.first), min(own.last, s.last)}
			return held, held.first <= held.last
		}
	}
	return held, false
}
