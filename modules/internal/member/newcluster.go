package member

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
)

// NewCluster is what ForceNewCluster wrote. To includes the removals.
type NewCluster struct {
	Kept
	Removed []facts.ID // IDs of the members that are no longer part of the cluster
}

// Tail is what happened to the entries that were there before, without the removals: what KeepTail alone would have done.
func (n NewCluster) Tail() Kept {
	k := n.Kept
	k.To -= uint64(len(n.Removed))
	return k
}

// ForceNewCluster makes the member of dataDir the only one of its cluster: it appends to its log the removal of each other member, as committed.
// A plain start then does what --force-new-cluster does, and no flag is left behind. Keeping the log's tail and removing the others are one
// write: a kill leaves the old log or the new one. From then on every start is that of the single member, so the others must be fenced before.
//
// keepTail false gives up the entries beyond the commit index on disk, as --force-new-cluster does.
func ForceNewCluster(ctx context.Context, dataDir, walDir string, keepTail bool) (NewCluster, error) {
	return ForceNewClusterThrough(ctx, dataDir, walDir, keepTail, func(f *os.File) Target { return f })
}

// ForceNewClusterThrough is ForceNewCluster with a wrapper around the file, for tests.
func ForceNewClusterThrough(ctx context.Context, dataDir, walDir string, keepTail bool, wrap func(*os.File) Target) (n NewCluster, err error) {
	err = changeTail(ctx, dataDir, walDir, wrap, func(s *State, tail *lockedTail) (batch, error) {
		if err := s.MayForce(keepTail); err != nil {
			return nil, err
		}
		others, next := s.alone(keepTail)
		n = NewCluster{Kept: Kept{From: s.HardState.Commit, To: next.Commit, Term: next.Term, TornTail: s.Torn}}
		for _, p := range others {
			n.Removed = append(n.Removed, p.ID)
		}
		b := s.batchFor(others, next)
		n.Changed = len(b) > 0 || s.end.rest
		return b, room(tail.File, s.end.after(b))
	})
	return n, err
}

// alone returns the members to remove, ordered by ID as etcd does, and the HardState that commits their removal.
func (s *State) alone(keepTail bool) (others []Peer, next hardState) {
	members, next := s.atEnd, s.lastHardState()
	if !keepTail {
		members, next = s.Members, s.HardState
		if term := s.termAt(next.Commit); term > next.Term {
			next.Term, next.Vote = term, 0
		}
	}
	for _, p := range members {
		if p.ID != s.ID {
			others = append(others, p)
		}
	}
	next.Commit += uint64(len(others))
	return others, next
}

func (s *State) termAt(index uint64) uint64 {
	for _, t := range s.Terms {
		if t.First <= index && index <= t.Last {
			return t.Term
		}
	}
	return s.SnapshotTerm
}

// MayForce says why ForceNewCluster must not touch this log; nil where it may.
func (s *State) MayForce(keepTail bool) error {
	if err := s.mayWrite(); err != nil {
		return err
	}
	if len(s.unlisted) > 0 {
		return fault.New(fault.Unsupported, "the snapshot at index %d lists members for raft that its store does not have, or the reverse: %s",
			s.SnapshotIndex, strings.Join(s.unlisted, ", ")).WithHint("take another member as the survivor, or use method=flag")
	}
	if keepTail {
		return s.mayKeepTail()
	}
	if s.Database != nil && s.Database.ConsistentIndex > s.HardState.Commit {
		return fault.New(fault.Refused, "the database has applied entry %d, the commit index on disk is %d: without the log's tail, this member would hang on every write, or diverge",
			s.Database.ConsistentIndex, s.HardState.Commit).WithHint("keep the log's tail: keep_log_tail=yes, the default")
	}
	return s.mayBeAlone(s.Members)
}

// RoomToStart says why etcd could not start on this log, forced, for lack of space; nil where it can. It is called before the first change: the
// write's own check comes after the fence.
func RoomToStart(s *State, dataDir, walDir string) error {
	f, _, err := readfile.Open(filepath.Join(walDirOf(dataDir, walDir), s.end.file))
	if err != nil {
		return fault.Wrap(fault.Internal, err, "open the last log segment")
	}
	defer f.Close()
	others, next := s.alone(true)
	return room(f, s.end.after(s.batchFor(others, next)))
}

// after is the log's end with this batch.
func (e logEnd) after(b batch) int64 { return e.offset + int64(len(b.encode(e.crc))) }

// room checks the space that a start needs: etcd allocates the sparse part of the last segment when it starts, and exits where that does not fit.
// end is the log's end by then.
func room(f *os.File, end int64) error {
	var st unix.Stat_t
	var fs unix.Statfs_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return fault.Wrap(fault.Internal, err, "stat %s", f.Name())
	}
	if err := unix.Fstatfs(int(f.Fd()), &fs); err != nil {
		return fault.Wrap(fault.Internal, err, "ask for the free space of %s", f.Name())
	}
	need, free := max(st.Size, end)-st.Blocks*512, int64(fs.Bavail)*fs.Bsize
	if need > 0 && need > free {
		return fault.New(fault.Refused, "etcd could not start on %s: it allocates %d MB there, and %d MB are free", f.Name(), (need+1<<20-1)>>20, free>>20).
			WithHint("make room on that filesystem, then run this again")
	}
	return nil
}

// unlistedIn names the IDs that only one of two lists has: raft's list in a snapshot, and the list of the store in it.
func unlistedIn(raft []facts.ID, store []Peer) (out []string) {
	var listed []facts.ID
	for _, p := range store {
		listed = append(listed, p.ID)
	}
	for _, id := range append(slices.Clone(raft), listed...) {
		if slices.Contains(raft, id) != slices.Contains(listed, id) {
			out = append(out, id.String())
		}
	}
	return out
}
