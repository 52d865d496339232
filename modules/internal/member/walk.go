package member

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
)

// walker collects a log's facts, record by record.
type walker struct {
	ctx       context.Context // of the one walk that this walker makes
	state     *State
	file      string
	identity  bool
	hardState bool
	matched   bool // a snapshot record equals the .snap file, or begins the log where there is none
	lastIndex uint64
	base      []Peer     // membership at the snapshot
	removed   []facts.ID // members that were removed before the snapshot
	changes   []ConfChange
	names     []published
	v2        v2Keys
	below     trail // entries at and below the snapshot's index
	above     trail
}

// errStop ends the walk at damage that is already noted.
var errStop = errors.New("stop")

func (w *walker) walk(dir string, all []segment) error {
	list := neededFrom(all, w.state.SnapshotIndex)
	if list == nil {
		w.state.damage("missing_segment", all[0].Name, fmt.Sprintf("the log begins at index %d, after the snapshot at %d", all[0].Index, w.state.SnapshotIndex))
		return nil
	}
	if a, b, hole := holeIn(list); hole {
		w.state.damage("missing_segment", b.Name, fmt.Sprintf("segment %s follows %s", b.Name, a.Name))
		return nil
	}
	var crc uint32
	for i, seg := range list {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		var err error
		crc, err = w.segment(dir, seg, crc, i == len(list)-1)
		switch {
		case errors.Is(err, errStop):
			return nil
		case errors.Is(err, errMoved), w.ctx.Err() != nil:
			return err
		case err != nil:
			w.state.damage("unreadable", seg.Name, err.Error())
			return nil
		}
	}
	return nil
}

func (w *walker) segment(dir string, s segment, crc uint32, last bool) (uint32, error) {
	f, size, err := openRegular(filepath.Join(dir, s.Name))
	if err != nil {
		return crc, err
	}
	defer f.Close()
	if size > maxSegment {
		w.state.damage("segment_too_large", s.Name, fmt.Sprintf("a segment of %d bytes; etcd cuts them at 64 MB", size))
		return crc, errStop
	}
	w.file = s.Name
	in := newSegmentReader(f, size, crc, last)
	for tries, n := 0, 0; ; n++ {
		if n%recordsBetween == 0 && w.ctx.Err() != nil {
			return in.crc, w.ctx.Err()
		}
		r, err := in.next()
		if err == nil {
			if err := w.record(r); errors.Is(err, errStop) {
				return in.crc, err
			} else if err != nil {
				w.state.damage("undecodable_record", s.Name, fmt.Sprintf("the record at offset %d: %v", r.Offset, err))
				return in.crc, errStop
			}
			continue
		}
		more := last && unsettled(f, in, err)
		if more && tries < settleTries {
			tries++
			time.Sleep(settlePause)
			in.again()
			continue
		}
		if last {
			w.state.end = logEnd{file: s.Name, offset: in.offset, crc: in.crc, rest: more}
		}
		if errors.Is(err, errEnd) && !more {
			return in.crc, nil
		}
		return in.crc, w.end(f, in, err)
	}
}

// The walk checks its context after this many records: a segment may hold millions of records without content.
const recordsBetween = 1024

// A running etcd writes while the end of its log is read: the end looks torn, or data appears behind it. Real damage stays, so the end is read
// again this many times.
const settleTries = 8

var settlePause = 5 * time.Millisecond // tests of files at rest shorten it

func unsettled(f *os.File, in *segmentReader, err error) bool {
	var bad *badRecord
	if errors.As(err, &bad) {
		return true
	}
	if !errors.Is(err, errEnd) {
		return false
	}
	more, err := hasData(f, in.offset, in.size)
	return more || err != nil
}

// end decides what it means that no further record can be read.
func (w *walker) end(f *os.File, in *segmentReader, err error) error {
	var bad *badRecord
	switch {
	case errors.As(err, &bad) && bad.torn:
		return w.torn(f, in, bad)
	case errors.As(err, &bad):
		w.state.damage(bad.code, w.file, bad.Error())
		return errStop
	case errors.Is(err, errEnd):
		return w.behind(f, in)
	}
	return err
}

// torn handles a torn record. A power cut tears only the last write, so data behind it is a record that was written, and that etcd would drop.
func (w *walker) torn(f *os.File, in *segmentReader, bad *badRecord) error {
	w.state.Torn = true
	whole, err := in.wholeBody(bad.offset)
	if err != nil {
		return err
	}
	if whole {
		w.state.damage("frame_damaged", w.file, fmt.Sprintf("the record at offset %d is whole, but not as long as its frame says; etcd would drop it in silence", bad.offset))
		return nil
	}
	more, err := hasData(f, bad.end, in.size)
	if !more && err == nil { // a flipped bit in a frame can claim whole records that follow, up to the zeros behind the log
		_, more, err = recordBehind(f, bad.offset+frameBytes, in.size)
	}
	if more {
		w.state.damage("good_bytes_after_torn", w.file, fmt.Sprintf("a torn record at offset %d has data behind it; etcd would drop that in silence", bad.offset))
	}
	return err
}

// behind checks what follows the end. The rest of a torn record, or of an interrupted write of this package, is harmless; any other whole record
// is a lost entry.
func (w *walker) behind(f *os.File, in *segmentReader) error {
	at, found, err := recordBehind(f, in.offset+frameBytes, in.size)
	if !found || err != nil {
		return err
	}
	if ours, err := w.interrupted(f, in); ours || err != nil {
		return err
	}
	w.state.damage("good_bytes_after_end", w.file, fmt.Sprintf("the log ends at offset %d, and a record follows at %d; etcd would drop that in silence", in.offset, at))
	return nil
}

// interrupted is true where ForceNewCluster was killed before it wrote the frame that makes its batch count. What it would write for this log is
// known, so its rest differs from a log that lost a frame.
func (w *walker) interrupted(f *os.File, in *segmentReader) (bool, error) {
	s := *w.state
	w.conclude(&s)
	for _, keepTail := range []bool{true, false} {
		raw := s.batchFor(s.alone(keepTail)).encode(in.crc)
		if ours, err := isLeftover(f, in.offset, in.size, raw); ours || err != nil {
			return ours, err
		}
	}
	return false, nil
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
		return w.hardStateRecord(r.Data)
	case typeSnapshot:
		return w.snapshotRecord(r.Data)
	case typeCRC:
		return nil
	}
	return fmt.Errorf("its type %d is unknown", r.Type)
}

func (w *walker) metadata(raw []byte) error {
	id, cluster, err := decodeIdentity(raw)
	if err != nil {
		return err
	}
	s := w.state
	if w.identity && (id != s.ID || cluster != s.ClusterID) {
		s.damage("two_identities", w.file, fmt.Sprintf("the log belongs to member %s of cluster %s, and from here to member %s of cluster %s", s.ID, s.ClusterID, id, cluster))
		return nil
	}
	s.ID, s.ClusterID, w.identity = id, cluster, true
	return nil
}

func (w *walker) hardStateRecord(raw []byte) error {
	h, err := decodeHardState(raw)
	if err != nil {
		return err
	}
	s := w.state
	if old := s.HardState; h.Term < old.Term || h.Commit < old.Commit {
		s.damage("hard_state_falls", w.file, fmt.Sprintf("term %d and commit %d follow term %d and commit %d", h.Term, h.Commit, old.Term, old.Commit))
	}
	s.HardState, w.hardState = h, true
	return nil
}

func (w *walker) snapshotRecord(raw []byte) error {
	index, term, err := decodeSnapshotMark(raw)
	if err != nil || index > w.state.SnapshotIndex {
		return err
	}
	w.below.mark(index, term)
	if index != w.state.SnapshotIndex {
		return nil
	}
	if term != w.state.SnapshotTerm {
		w.state.damage("snapshot_mismatch", w.file, fmt.Sprintf("the log has a snapshot at index %d with term %d, the .snap file says term %d", index, term, w.state.SnapshotTerm))
	}
	w.matched = true
	return nil
}
