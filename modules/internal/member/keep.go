package member

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/encoding/protowire"

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

// target is the file that is written; tests interrupt it between any two calls.
type target interface {
	io.WriterAt
	Sync() error
}

// KeepTail moves the on-disk commit index to the end of the log, so that a forced start keeps every entry of it. In raft's terms it
// is the outcome in which this member wins the election. Only for a member that is stopped, fenced, and forced right afterwards:
// started in its old cluster it would have committed alone.
func KeepTail(dataDir, walDir string) (Kept, error) {
	return keepTail(dataDir, walDir, func(f *os.File) target { return f })
}

func keepTail(dataDir, walDir string, wrap func(*os.File) target) (Kept, error) {
	if walDir == "" {
		walDir = filepath.Join(dataDir, "member", "wal")
	}
	if held, err := Locked(dataDir, walDir); err != nil {
		return Kept{}, fault.Wrap(fault.Internal, err, "ask for etcd's locks")
	} else if held {
		return Kept{}, fault.New(fault.Refused, "an etcd runs on %s", dataDir).WithHint("stop it first: etcd_service state=stopped")
	}
	s, err := Read(dataDir, walDir)
	if err != nil {
		return Kept{}, fault.Wrap(fault.Corrupt, err, "read %s", dataDir)
	}
	next, err := decideTail(s)
	if err != nil {
		return Kept{}, err
	}
	k := Kept{From: s.HardState.Commit, To: next.Commit, Term: next.Term, TornTail: s.Torn}
	if !s.Torn && next == hardState(s.HardState) {
		return k, nil
	}
	list, err := segments(walDir)
	if err != nil || len(list) == 0 {
		return Kept{}, fault.New(fault.Corrupt, "%s holds no log segment", walDir)
	}
	k.Changed = true
	return k, writeTail(filepath.Join(walDir, list[len(list)-1].Name), s, next, wrap)
}

// decideTail says what the last HardState has to be, or why this log must not be touched.
func decideTail(s *State) (hardState, error) {
	if len(s.Damage) > 0 {
		d := s.Damage[0]
		return hardState{}, fault.New(fault.Corrupt, "the log is damaged (%s): %s", d.Code, d.Text).
			WithHint("take another member as the survivor, or restore a backup")
	}
	for _, c := range s.Tail {
		switch {
		case c.Type == "learner" || c.Type == "unknown":
			return hardState{}, fault.New(fault.Refused, "entry %d changes the membership in a way that etcd 3.2 does not know", c.Index)
		case c.Type == "remove" && c.MemberID == s.ID:
			return hardState{}, fault.New(fault.Refused, "entry %d removes this member itself; etcd would exit with \"permanently removed\"", c.Index).
				WithHint("take another member as the survivor")
		}
	}
	next := hardState(s.HardState)
	next.Commit = s.LastIndex
	if s.LastTerm > next.Term { // torn between the entry and its HardState
		next.Term, next.Vote = s.LastTerm, 0
	}
	return next, nil
}

// writeTail appends one record. etcd ends the log at a zero frame and does not repair a record that was torn within its first 31
// bytes, so the frame is written last: at every instant the file is one that etcd accepts.
func writeTail(path string, s *State, next hardState, wrap func(*os.File) target) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := holdLock(f); err != nil {
		return fault.Wrap(fault.Refused, err, "lock %s: an etcd runs on it", path)
	}
	end, crc, err := endOfLog(f, s)
	if err != nil {
		return err
	}
	out := wrap(f)
	if s.Torn {
		if err := zeroTorn(out, f, end); err != nil {
			return err
		}
	}
	frame, body := encodeRecord(typeHardState, crc, next.encode())
	if err := ensureRoom(f, end+frameBytes+int64(len(body))); err != nil {
		return err
	}
	if _, err := out.WriteAt(body, end+frameBytes); err != nil {
		return err
	}
	if err := out.Sync(); err != nil {
		return err
	}
	if _, err := out.WriteAt(frame, end); err != nil {
		return err
	}
	return out.Sync()
}

// endOfLog reads the last segment again, under the lock: where the next record goes, and the running checksum there. The checksum
// of earlier segments is in the segment's first record.
func endOfLog(f *os.File, s *State) (int64, uint32, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	in := newSegmentReader(f, st.Size(), 0, true)
	var last hardState
	for {
		r, err := in.next()
		var bad *badRecord
		switch {
		case errors.Is(err, errEnd), errors.As(err, &bad) && bad.torn && s.Torn && bad.offset == s.TornAt.Offset:
			if last != (hardState{}) && last != hardState(s.HardState) {
				return 0, 0, fault.New(fault.Refused, "%s changed while it was read", f.Name())
			}
			return in.offset, in.crc, nil
		case err != nil:
			return 0, 0, fault.Wrap(fault.Refused, err, "%s changed while it was read", f.Name())
		}
		if r.Type == typeHardState {
			if last, err = decodeHardState(r.Data); err != nil {
				return 0, 0, err
			}
		}
	}
}

// zeroTorn makes a torn record's frame zero first, so that etcd ends the log there, and then all that follows in the segment.
func zeroTorn(out target, f *os.File, from int64) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	first := min(from+frameBytes, st.Size())
	if _, err := out.WriteAt(make([]byte, first-from), from); err != nil {
		return err
	}
	if err := out.Sync(); err != nil {
		return err
	}
	zeros := make([]byte, 1<<20)
	for at := first; at < st.Size(); {
		n := min(int64(len(zeros)), st.Size()-at)
		if _, err := out.WriteAt(zeros[:n], at); err != nil {
			return err
		}
		at += n
	}
	return out.Sync()
}

// ensureRoom: a segment that was cut short by a full disk may have no room for the record; zeros behind its end are no record.
func ensureRoom(f *os.File, need int64) error {
	st, err := f.Stat()
	if err != nil || st.Size() >= need {
		return err
	}
	if err := f.Truncate(need); err != nil {
		return fmt.Errorf("lengthen %s: %w", f.Name(), err)
	}
	return f.Sync()
}

// encodeRecord gives the frame and the padded body of walpb.Record{type, crc, data}.
func encodeRecord(kind int64, crc uint32, data []byte) (frame, body []byte) {
	crc = crc32.Update(crc, castagnoli, data)
	body = protowire.AppendTag(body, 1, protowire.VarintType)
	body = protowire.AppendVarint(body, uint64(kind))
	body = protowire.AppendTag(body, 2, protowire.VarintType)
	body = protowire.AppendVarint(body, uint64(crc))
	body = protowire.AppendTag(body, 3, protowire.BytesType)
	body = protowire.AppendBytes(body, data)
	word := uint64(len(body))
	if padding := (8 - len(body)%8) % 8; padding != 0 {
		word |= (0x80 | uint64(padding)) << 56
		body = append(body, make([]byte, padding)...)
	}
	return binary.LittleEndian.AppendUint64(nil, word), body
}
