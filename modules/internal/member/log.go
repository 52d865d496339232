package member

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// segment is one file of the log: sequence and index of its first record.
type segment struct {
	Name       string
	Seq, Index uint64
}

func segments(dir string) ([]segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []segment
	for _, e := range entries {
		var s segment
		if !strings.HasSuffix(e.Name(), ".wal") {
			continue
		}
		if n, err := fmt.Sscanf(e.Name(), "%016x-%016x.wal", &s.Seq, &s.Index); err != nil || n != 2 {
			continue // etcd ignores such names too
		}
		s.Name = e.Name()
		out = append(out, s)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Seq < out[j].Seq })
	return out, nil
}

// neededFrom cuts the segments that etcd would not read: it begins with the last one whose first index is not behind the snapshot.
func neededFrom(all []segment, index uint64) []segment {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Index <= index {
			return all[i:]
		}
	}
	return nil
}

func holeIn(list []segment) (before, after segment, hole bool) {
	for i := 1; i < len(list); i++ {
		if list[i].Seq != list[i-1].Seq+1 {
			return list[i-1], list[i], true
		}
	}
	return segment{}, segment{}, false
}

// walker gathers a log's facts, record by record.
type walker struct {
	state     *State
	file      string
	identity  bool
	hardState bool
	matched   bool // a snapshot record equals the .snap file
	lastIndex uint64
	changes   []ConfChange
	v2        map[string]bool
	names     map[uint64]published
	nextPrune int
}

type published struct {
	index uint64
	attributes
}

// keepSums: every 64th entry, the first of each term, and the last 256 are kept; in between the list is pruned now and then.
const (
	sumEvery  = 64
	sumLast   = 256
	pruneStep = 4096
)

func (w *walker) segment(dir string, s segment, crc uint32, last bool) (uint32, error) {
	f, err := os.Open(filepath.Join(dir, s.Name))
	if err != nil {
		return crc, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return crc, err
	}
	w.file = s.Name
	in := newSegmentReader(f, st.Size(), crc, last)
	for {
		r, err := in.next()
		var bad *badRecord
		switch {
		case errors.Is(err, errEnd):
			return in.crc, nil
		case errors.As(err, &bad):
			w.bad(f, st.Size(), bad)
			return in.crc, errStop
		case err != nil:
			return in.crc, err
		}
		if err := w.record(r); err != nil {
			w.state.damage("undecodable_record", s.Name, err.Error())
			return in.crc, errStop
		}
	}
}

// errStop ends the walk at damage that is already noted.
var errStop = errors.New("stop")

func (w *walker) bad(f *os.File, size int64, bad *badRecord) {
	if !bad.torn {
		w.state.damage(bad.code, w.file, fmt.Sprintf("%s (at offset %d)", bad.text, bad.offset))
		return
	}
	w.state.Torn, w.state.TornAt = true, Torn{File: w.file, Offset: bad.offset}
	if more, err := hasData(f, bad.end, size); err != nil {
		w.state.damage("unreadable", w.file, err.Error())
	} else if more {
		w.state.damage("good_bytes_after_torn", w.file, fmt.Sprintf("a torn record at offset %d has data behind it; etcd would drop that in silence", bad.offset))
	}
}

func (w *walker) record(r record) error {
	switch r.Type {
	case typeMetadata:
		return w.metadata(r.Data)
	case typeEntry:
		e, err := decodeEntry(r.Data)
		if err != nil {
			return err
		}
		return w.entry(e)
	case typeHardState:
		h, err := decodeHardState(r.Data)
		w.state.HardState, w.hardState = h, true
		return err
	case typeSnapshot:
		index, term, err := two(r.Data)
		if err == nil && index == w.state.SnapshotIndex {
			if term != w.state.SnapshotTerm {
				w.state.damage("snapshot_mismatch", w.file, fmt.Sprintf("the log has a snapshot at index %d with term %d, the .snap file says term %d", index, term, w.state.SnapshotTerm))
			}
			w.matched = true
		}
		return err
	case typeCRC:
		return nil
	}
	return fmt.Errorf("a record of unknown type %d", r.Type)
}

func (w *walker) metadata(raw []byte) error {
	id, cluster, err := two(raw)
	if err != nil {
		return err
	}
	if w.identity && (id != w.state.ID || cluster != w.state.ClusterID) {
		w.state.damage("two_identities", w.file, fmt.Sprintf("the log belongs to member %x of cluster %x, and from here to member %x of cluster %x", w.state.ID, w.state.ClusterID, id, cluster))
	}
	w.state.ID, w.state.ClusterID, w.identity = id, cluster, true
	return nil
}

func (w *walker) entry(e entry) error {
	s := w.state
	if e.Index <= s.SnapshotIndex {
		return nil // etcd drops these too; they are in the snapshot
	}
	if w.lastIndex == 0 {
		w.lastIndex = s.SnapshotIndex
	}
	if e.Index > w.lastIndex+1 {
		s.damage("entry_hole", w.file, fmt.Sprintf("entry %d follows entry %d", e.Index, w.lastIndex))
	}
	if e.Index <= w.lastIndex {
		w.rewrite(e)
	}
	if n := len(s.Terms); n > 0 && e.Term < s.Terms[n-1].Term {
		s.damage("term_falls", w.file, fmt.Sprintf("entry %d has term %d, the one before it %d", e.Index, e.Term, s.Terms[n-1].Term))
	}
	w.lastIndex = e.Index
	w.note(e)
	if e.Type == entryConfChange || e.Type == entryConfChangeV2 {
		c, err := decodeConfChange(e)
		if err != nil {
			return err
		}
		w.changes = append(w.changes, c)
		return nil
	}
	w.v2Entry(e)
	return nil
}

// rewrite: the same index again means that a new leader overwrote the entries from there on. That may only happen beyond what was
// committed at the time.
func (w *walker) rewrite(e entry) {
	s := w.state
	if e.Index <= s.HardState.Commit {
		s.damage("committed_rewritten", w.file, fmt.Sprintf("entry %d was written again after index %d was committed", e.Index, s.HardState.Commit))
	}
	for n := len(s.Terms); n > 0 && s.Terms[n-1].First >= e.Index; n = len(s.Terms) {
		s.Terms = s.Terms[:n-1]
	}
	if n := len(s.Terms); n > 0 {
		s.Terms[n-1].Last = min(s.Terms[n-1].Last, e.Index-1)
	}
	for n := len(s.Sums); n > 0 && s.Sums[n-1].Index >= e.Index; n = len(s.Sums) {
		s.Sums = s.Sums[:n-1]
	}
	for n := len(w.changes); n > 0 && w.changes[n-1].Index >= e.Index; n = len(w.changes) {
		w.changes = w.changes[:n-1]
	}
	if s.FirstIndex > e.Index {
		s.FirstIndex = e.Index
	}
}

func (w *walker) note(e entry) {
	s := w.state
	if s.FirstIndex == 0 {
		s.FirstIndex = e.Index
	}
	if n := len(s.Terms); n > 0 && s.Terms[n-1].Term == e.Term {
		s.Terms[n-1].Last = e.Index
	} else {
		s.Terms = append(s.Terms, TermRange{Term: e.Term, First: e.Index, Last: e.Index})
	}
	var kind [8]byte
	binary.LittleEndian.PutUint64(kind[:], uint64(e.Type))
	sum := crc32.Update(crc32.Checksum(kind[:], castagnoli), castagnoli, e.Data)
	s.Sums = append(s.Sums, EntrySum{Index: e.Index, Term: e.Term, CRC: sum})
	if len(s.Sums) >= w.nextPrune+pruneStep {
		w.prune(pruneStep / 2)
		w.nextPrune = len(s.Sums)
	}
}

// prune thins the sums out, but for the last ones.
func (w *walker) prune(last int) {
	sums := w.state.Sums
	cut := max(0, len(sums)-last)
	kept := sums[:0]
	for i, sum := range sums {
		first := i == 0 || len(kept) > 0 && kept[len(kept)-1].Term != sum.Term
		if i >= cut || first || sum.Index%sumEvery == 0 {
			kept = append(kept, sum)
		}
	}
	w.state.Sums = kept
}

const maxV2Paths = 1 << 20 // bounds memory; beyond it the count of v2 keys is a lower bound

func (w *walker) v2Entry(e entry) {
	r, ok := decodeV2Request(e.Data)
	if !ok {
		return
	}
	if id, a, ok := r.published(); ok {
		w.names[id] = published{index: e.Index, attributes: a}
		return
	}
	path := string(r.Path)
	if !strings.HasPrefix(path, "/1/") {
		return
	}
	switch string(r.Method) {
	case "PUT":
		w.addV2(path)
	case "POST":
		w.addV2(fmt.Sprintf("%s/%020d", path, e.Index)) // the store names it by its own index; only the count matters
	case "DELETE":
		for p := range w.v2 {
			if p == path || strings.HasPrefix(p, path+"/") {
				delete(w.v2, p)
			}
		}
	}
}

func (w *walker) addV2(path string) {
	if len(w.v2) < maxV2Paths {
		w.v2[path] = true
	}
}
