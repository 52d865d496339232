package member

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// ErrNoMember: the data directory holds no member.
var ErrNoMember = errors.New("no member in the data directory")

const (
	readTries = 5
	readPause = 20 * time.Millisecond
)

// Read reads the member in dataDir (the directory that holds `member`); walDir is ETCD_WAL_DIR, or "" for member/wal. Damage is
// in the State; an error means that nothing could be read at all. A running etcd makes and takes away files meanwhile: it is all
// read again when two listings differ.
func Read(dataDir, walDir string) (*State, error) {
	member := filepath.Join(dataDir, "member")
	if _, err := os.Stat(member); errors.Is(err, os.ErrNotExist) {
		return nil, ErrNoMember
	}
	walDir = walDirOf(dataDir, walDir)
	snapDir := filepath.Join(member, "snap")
	for try := 1; ; try++ {
		before := listing(walDir, snapDir)
		s, err := readOnce(snapDir, walDir)
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

// listing is what decides which files are read.
func listing(walDir, snapDir string) []string {
	var out []string
	list, _ := segments(walDir)
	for _, s := range list {
		out = append(out, s.Name)
	}
	snaps, _ := snapshotFiles(snapDir)
	return append(out, snaps...)
}

// readOnce reads the snapshot, then the database, then the log: etcd writes them the other way round, so on a running member each
// is at least as new as what was read before it says.
func readOnce(snapDir, walDir string) (*State, error) {
	s := &State{}
	w := &walker{state: s}
	snap, err := s.newestSnapshot(snapDir)
	if err != nil {
		return nil, err
	}
	if snap != nil {
		s.SnapshotIndex, s.SnapshotTerm, s.Members, w.removed = snap.Index, snap.Term, snap.Members, snap.Removed
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

// newerDatabase: a database that came from the leader with the snapshot lies beside the one it replaces until etcd moves it there,
// which it also does at its next start.
func (s *State) newerDatabase(dir string) (Database, error) {
	name := fmt.Sprintf("%016x.snap.db", s.SnapshotIndex)
	d, err := ReadDatabase(filepath.Join(dir, name))
	if !errors.Is(err, os.ErrNotExist) {
		return d, err
	}
	d, err = ReadDatabase(filepath.Join(dir, "db")) // again: it may have been moved in this moment
	if err == nil && d.ConsistentIndex < s.SnapshotIndex {
		s.damage("database_behind_snapshot", "db", fmt.Sprintf("the database is at index %d, the snapshot at %d, and there is no %s", d.ConsistentIndex, s.SnapshotIndex, name))
	}
	return d, err
}

func (w *walker) finish() {
	s := w.state
	s.LastIndex, s.LastTerm = s.SnapshotIndex, s.SnapshotTerm
	if last := w.above.last(); last.Index > 0 {
		s.LastIndex, s.LastTerm = last.Index, last.Term
	}
	w.above.prune(sumLast)
	s.Terms, s.Sums = w.above.terms, append(w.below.upTo(s.SnapshotIndex, s.SnapshotTerm), w.above.sums...)
	s.V2Keys = int64(len(w.v2.paths))
	base := s.Members
	s.Members = membership(base, w.removed, w.changes, w.names, s.KnownCommitted())
	s.atEnd = membership(base, w.removed, w.changes, w.names, s.LastIndex)
	for _, c := range w.changes {
		if c.Index > s.HardState.Commit {
			s.Tail = append(s.Tail, c)
		}
	}
}

// judge adds what only shows when everything is known.
func (s *State) judge(w *walker) {
	if len(s.Damage) > 0 {
		return // what follows from a log that could not be read to its end would hide the reason
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
