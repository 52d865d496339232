package member

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"etcd-quorum-restore/modules/internal/fault"
)

// Kept is what KeepTail did. From is the commit index that was on disk, To the new one.
type Kept struct {
	Changed  bool   `json:"changed"`
	From     uint64 `json:"from"`
	To       uint64 `json:"to"`
	Term     uint64 `json:"term"`
	TornTail bool   `json:"torn_tail"` // a torn last record was zeroed: it was never acknowledged
}

// Target is the last segment, as KeepTail writes it.
type Target interface {
	io.WriterAt
	Sync() error
	Truncate(size int64) error
}

// KeepTail moves the on-disk commit index to the end of the log, so that a forced start keeps every entry of it. In raft's terms it
// is the outcome in which this member wins the election. Only for a member that is stopped, fenced, and forced right afterwards:
// started in its old cluster it would have committed alone.
func KeepTail(dataDir, walDir string) (Kept, error) {
	return KeepTailThrough(dataDir, walDir, func(f *os.File) Target { return f })
}

// KeepTailThrough is KeepTail with something between it and the file: tests interrupt it before, in and after each call, and show
// what is left to etcd's own reader.
func KeepTailThrough(dataDir, walDir string, wrap func(*os.File) Target) (_ Kept, err error) {
	walDir = walDirOf(dataDir, walDir)
	if _, err := os.Stat(dataDir); err != nil {
		return Kept{}, fault.Wrap(fault.Refused, err, "no member in %s", dataDir)
	}
	tail, err := lockTail(dataDir, walDir)
	if err != nil {
		return Kept{}, err
	}
	defer func() { err = errors.Join(err, tail.Close()) }()
	s, err := Read(dataDir, walDir)
	if err != nil {
		return Kept{}, fault.Wrap(fault.Corrupt, err, "read %s", dataDir)
	}
	if err := s.MayKeep(); err != nil {
		return Kept{}, err
	}
	if err := tail.unchanged(walDir, s); err != nil {
		return Kept{}, err
	}
	next := s.lastHardState()
	k := Kept{From: s.HardState.Commit, To: next.Commit, Term: next.Term, TornTail: s.Torn}
	k.Changed = s.end.rest || next != hardState(s.HardState)
	out := tailWriter{out: wrap(tail.File), file: tail.File, size: tail.before.Size(), end: s.end}
	if !k.Changed {
		return k, out.out.Sync() // an earlier run may have been killed between its last write and the fsync of it
	}
	if err := out.clear(s.Torn); err != nil {
		return k, fault.Wrap(fault.Internal, err, "clear the end of %s; run this again", tail.Name())
	}
	if next != hardState(s.HardState) {
		err = out.appendRecord(typeHardState, next.encode())
	}
	if err != nil {
		return k, fault.Wrap(fault.Internal, err, "write to %s; run this again", tail.Name())
	}
	return k, nil
}

// MayKeep says why this log must not be touched by KeepTail; nil where it may.
func (s *State) MayKeep() error {
	if len(s.Damage) > 0 {
		d := s.Damage[0]
		return fault.New(fault.Corrupt, "the member's files are damaged (%s): %s", d.Code, d.Text).
			WithHint("take another member as the survivor, or restore a backup")
	}
	for _, c := range s.Tail {
		if c.Type == ChangeRemove && c.MemberID == s.ID {
			return fault.New(fault.Refused, "entry %d removes this member itself; etcd would exit with \"permanently removed\"", c.Index).
				WithHint("take another member as the survivor")
		}
	}
	if s.end.offset%8 != 0 {
		// The frame is written as one aligned word, which no power cut tears; there it could not be.
		return fault.New(fault.Refused, "the log ends at offset %d, which is no multiple of 8; etcd 3 did not write this", s.end.offset).
			WithHint("take another member as the survivor, or restore a backup")
	}
	if !slices.ContainsFunc(s.atEnd, func(p Peer) bool { return p.ID == s.ID }) {
		return fault.New(fault.Refused, "by its own log, member %x is not a member of its cluster", s.ID).
			WithHint("take another member as the survivor")
	}
	return nil
}

// lastHardState is what the log's last HardState has to be.
func (s *State) lastHardState() hardState {
	next := hardState(s.HardState)
	next.Commit = s.LastIndex
	if s.LastTerm > next.Term { // torn between the entry and its HardState
		next.Term, next.Vote = s.LastTerm, 0
	}
	return next
}

// tailWriter writes behind the end of the log. etcd ends the log at a zero frame, and does not repair a record that was torn within
// its first 31 bytes; so a frame is cleared before, and written after, what follows it. At every instant the file is one that etcd
// accepts.
type tailWriter struct {
	out  Target
	file *os.File // the same file, for reading
	size int64
	end  logEnd
}

// clear makes a torn record's frame zero, so that etcd ends the log there, and then all that follows: a record written over the
// rest of a torn one would be followed by that rest, and not by the end of the log.
func (w *tailWriter) clear(torn bool) error {
	behind := min(w.end.offset+frameBytes, w.size)
	if torn {
		if err := w.write(make([]byte, behind-w.end.offset), w.end.offset); err != nil {
			return err
		}
	}
	wrote := false
	err := dataIn(w.file, behind, w.size, func(offset int64, piece []byte) (bool, error) {
		wrote = true
		_, err := w.out.WriteAt(make([]byte, len(piece)), offset)
		return true, err
	})
	if err == nil && wrote {
		err = w.out.Sync()
	}
	if err != nil {
		return err
	}
	return w.lengthen(w.size)
}

// lengthen makes room up to need, and never leaves a piece of a frame at the end of the file: that looks torn. A segment that etcd
// repaired has no room at all.
func (w *tailWriter) lengthen(need int64) error {
	need = (max(need, w.size) + 7) &^ 7
	if need == w.size {
		return nil
	}
	if err := w.out.Truncate(need); err != nil {
		return fmt.Errorf("lengthen it to %d bytes: %w", need, err)
	}
	w.size = need
	return w.out.Sync()
}

// appendRecord writes the body, and then the frame that makes it part of the log.
func (w *tailWriter) appendRecord(kind uint64, data []byte) error {
	frame, body, _ := encodeRecord(kind, w.end.crc, data)
	at := w.end.offset + frameBytes
	if err := w.lengthen(at + int64(len(body))); err != nil {
		return err
	}
	if err := w.write(body, at); err != nil {
		return err
	}
	return w.write(frame, w.end.offset)
}

func (w *tailWriter) write(b []byte, at int64) error {
	if _, err := w.out.WriteAt(b, at); err != nil {
		return err
	}
	return w.out.Sync()
}
