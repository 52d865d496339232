package member

import (
	"context"
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

// KeepTail moves the commit index on disk to the end of the log, so that a forced start keeps every entry of it. In raft's terms it is the
// outcome in which this member wins the election. It is only for a member that is stopped, fenced, and forced right afterwards: started in its
// old cluster, it would have committed alone.
func KeepTail(ctx context.Context, dataDir, walDir string) (Kept, error) {
	return KeepTailThrough(ctx, dataDir, walDir, func(f *os.File) Target { return f })
}

// KeepTailThrough is KeepTail with a wrapper around the file: tests interrupt it before, in and after each call, and let etcd's own reader read
// the result.
func KeepTailThrough(ctx context.Context, dataDir, walDir string, wrap func(*os.File) Target) (k Kept, err error) {
	err = changeTail(ctx, dataDir, walDir, wrap, func(s *State, _ *lockedTail) (batch, error) {
		next := s.lastHardState()
		k = Kept{From: s.HardState.Commit, To: next.Commit, Term: next.Term, TornTail: s.Torn}
		b := s.batchFor(nil, next)
		k.Changed = len(b) > 0 || s.end.rest
		return b, s.MayKeep()
	})
	return k, err
}

// MayKeep says why this log must not be touched by KeepTail; nil where it may.
func (s *State) MayKeep() error {
	if err := s.mayWrite(); err != nil {
		return err
	}
	return s.mayKeepTail()
}

// mayWrite refuses unless the log is whole and ends where a write can follow.
func (s *State) mayWrite() error {
	if len(s.Damage) > 0 {
		d := s.Damage[0]
		return fault.New(fault.Corrupt, "the member's files are damaged (%s): %s", d.Code, d.Text).
			WithHint("take another member as the survivor, or restore a backup")
	}
	if s.end.offset%8 != 0 {
		// The frame is written as one aligned word, which no power cut tears; here it would not be aligned.
		return fault.New(fault.Refused, "the log ends at offset %d, which is no multiple of 8; etcd 3 did not write this", s.end.offset).
			WithHint("take another member as the survivor, or restore a backup")
	}
	return nil
}

func (s *State) mayKeepTail() error {
	for _, c := range s.Tail {
		if c.Type == ChangeRemove && c.MemberID == s.ID {
			return fault.New(fault.Refused, "entry %d removes this member itself; etcd would exit with \"permanently removed\"", c.Index).
				WithHint("take another member as the survivor")
		}
	}
	return s.mayBeAlone(s.atEnd)
}

func (s *State) mayBeAlone(members []Peer) error {
	if !slices.ContainsFunc(members, func(p Peer) bool { return p.ID == s.ID }) {
		return fault.New(fault.Refused, "by its own log, member %s is not a member of its cluster", s.ID).
			WithHint("take another member as the survivor")
	}
	return nil
}

// lastHardState is the HardState that the log must end in.
func (s *State) lastHardState() hardState {
	next := s.HardState
	next.Commit = s.LastIndex
	if s.LastTerm > next.Term { // torn between the entry and its HardState
		next.Term, next.Vote = s.LastTerm, 0
	}
	return next
}
