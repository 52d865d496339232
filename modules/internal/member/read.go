package member

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"etcd-quorum-restore/modules/internal/readfile"
)

// ErrNoMember: the data directory holds no member.
var ErrNoMember = errors.New("no member in the data directory")

const (
	readTries = 5
	readPause = 20 * time.Millisecond
)

// Read reads the member in dataDir (the directory that holds `member`); walDir is ETCD_WAL_DIR, or "" for member/wal. Damage is in the State; an
// error means that nothing could be read at all. A running etcd adds and removes files meanwhile: when two listings differ, everything is read
// again. Kind timeout: ctx has ended, and nothing is known.
func Read(ctx context.Context, dataDir, walDir string) (*State, error) {
	return readfile.Await(ctx, dataDir, func() (*State, error) { return readMember(ctx, dataDir, walDir) })
}

func readMember(ctx context.Context, dataDir, walDir string) (*State, error) {
	member := filepath.Join(dataDir, "member")
	if _, err := os.Stat(member); errors.Is(err, os.ErrNotExist) {
		return nil, ErrNoMember
	}
	walDir = walDirOf(dataDir, walDir)
	snapDir := filepath.Join(member, "snap")
	for try := 1; ; try++ {
		before := listing(walDir, snapDir)
		s, err := readOnce(ctx, snapDir, walDir)
		if over := readfile.Over(ctx, dataDir); over != nil {
			return nil, over // what was read is incomplete, but not damaged
		}
		still := !errors.Is(err, errMoved) && slices.Equal(before, listing(walDir, snapDir))
		if still {
			return s, err
		}
		if try == readTries {
			if s == nil {
				return nil, err
			}
			s.damage("changes_while_read", walDir, "files came and went while they were read; etcd runs, so read again")
			return s, nil
		}
		time.Sleep(readPause)
	}
}

// listing is the set of names that decides which files are read.
func listing(walDir, snapDir string) []string {
	var out []string
	list, _ := segments(walDir)
	for _, s := range list {
		out = append(out, s.Name)
	}
	snaps, _ := snapshotFiles(snapDir)
	return append(out, snaps...)
}

// readOnce reads the snapshot, then the database, then the log. etcd writes them in the opposite order, so on a running member each is at least
// as new as those read before it require.
func readOnce(ctx context.Context, snapDir, walDir string) (*State, error) {
	s := &State{}
	w := &walker{ctx: ctx, state: s}
	snap, err := s.newestSnapshot(ctx, snapDir)
	if err != nil {
		return nil, err
	}
	if snap != nil {
		s.SnapshotIndex, s.SnapshotTerm, w.base, w.removed = snap.Index, snap.Term, snap.Members, snap.Removed
		s.unlisted = unlistedIn(snap.Voters, snap.Members)
		for _, p := range snap.V2Paths {
			w.v2.add(p)
		}
	}
	s.readDatabase(snapDir)
	all, err := segments(walDir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(all) == 0 {
		if snap == nil && s.Database == nil {
			return nil, ErrNoMember
		}
		s.damage("no_log", walDir, "there are no log segments")
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	if err := w.walk(walDir, all); err != nil {
		return s, err
	}
	w.finish()
	s.judge(w)
	return s, nil
}

func (s *State) readDatabase(dir string) {
	d, err := ReadDatabase(filepath.Join(dir, "db"))
	if err == nil && d.ConsistentIndex < s.SnapshotIndex {
		d, err = s.newerDatabase(dir)
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		s.damage("no_database", "db", "member/snap/db does not exist")
	case err != nil:
		s.damage("broken_database", "db", err.Error())
	default:
		s.Database = &d
	}
}

// newerDatabase looks for a database that came from the leader with the snapshot. It is beside the one that it replaces until etcd moves it
// there, which etcd also does at its next start.
func (s *State) newerDatabase(dir string) (Database, error) {
	name := fmt.Sprintf("%016x.snap.db", s.SnapshotIndex)
	d, err := ReadDatabase(filepath.Join(dir, name))
	if !errors.Is(err, os.ErrNotExist) {
		return d, err
	}
	d, err = ReadDatabase(filepath.Join(dir, "db")) // again: etcd may just have moved it
	if err == nil && d.ConsistentIndex < s.SnapshotIndex {
		s.damage("database_behind_snapshot", "db", fmt.Sprintf("the database is at index %d, the snapshot at %d, and there is no %s", d.ConsistentIndex, s.SnapshotIndex, name))
	}
	return d, err
}

func (w *walker) finish() {
	s := w.state
	w.above.prune(sumLast)
	s.Sums = append(w.below.upTo(s.SnapshotIndex, s.SnapshotTerm), w.above.sums...)
	s.V2Keys = int64(len(w.v2.paths))
	w.conclude(s)
	for _, c := range w.changes {
		if c.Index > s.HardState.Commit {
			s.Tail = append(s.Tail, c)
		}
	}
}

// conclude finds the log's end and its members. The end of the last segment needs them before the walk is over.
func (w *walker) conclude(s *State) {
	s.LastIndex, s.LastTerm, s.Terms = s.SnapshotIndex, s.SnapshotTerm, w.above.terms
	if last := w.above.last(); last.Index > 0 {
		s.LastIndex, s.LastTerm = last.Index, last.Term
	}
	s.Members = membership(w.base, w.removed, w.changes, w.names, s.KnownCommitted())
	s.atEnd = membership(w.base, w.removed, w.changes, w.names, s.LastIndex)
}

// judge adds the damage that only shows when everything is known.
func (s *State) judge(w *walker) {
	if len(s.Damage) > 0 {
		return // the log could not be read to its end, and what follows from that would hide the reason
	}
	for _, check := range []struct {
		wrong      bool
		code, text string
	}{
		{!w.identity, "no_identity", "the log has no metadata record"},
		{!w.matched, "snapshot_not_in_log", fmt.Sprintf("the log does not know the snapshot at index %d", s.SnapshotIndex)},
		{!w.hardState, "no_hard_state", "the log has no HardState"},
		{w.hardState && s.HardState.Commit > s.LastIndex, "commit_beyond_log", fmt.Sprintf("index %d is committed, the log ends at %d", s.HardState.Commit, s.LastIndex)},
		{w.hardState && s.HardState.Commit < s.SnapshotIndex, "commit_before_snapshot", fmt.Sprintf("the commit index is %d, the snapshot is at %d", s.HardState.Commit, s.SnapshotIndex)},
		{len(s.Terms) > 0 && s.Terms[0].Term < s.SnapshotTerm, "term_falls", fmt.Sprintf("the snapshot has term %d, the entry after it less", s.SnapshotTerm)},
		{s.Database != nil && s.Database.ConsistentIndex > s.LastIndex, "database_beyond_log", "the database has applied entries that the log does not hold"},
	} {
		if check.wrong {
			s.damage(check.code, "", check.text)
		}
	}
}
