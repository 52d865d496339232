package member

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"time"

	"golang.org/x/sys/unix"
)

// ErrNoMember: the data directory holds no member.
var ErrNoMember = errors.New("no member in the data directory")

// Read reads the member in dataDir (the directory that holds `member`); walDir is ETCD_WAL_DIR, or "" for member/wal. Damage is
// in the State; an error means that nothing could be read at all. On a running member a file may change while it is read: the
// walk is done again when the last segments of two listings differ.
func Read(dataDir, walDir string) (*State, error) {
	member := filepath.Join(dataDir, "member")
	if _, err := os.Stat(member); errors.Is(err, os.ErrNotExist) {
		return nil, ErrNoMember
	}
	if walDir == "" {
		walDir = filepath.Join(member, "wal")
	}
	var s *State
	var err error
	for try := 0; try < 5; try++ {
		before, _ := segments(walDir)
		s, err = readOnce(filepath.Join(member, "snap"), walDir)
		after, _ := segments(walDir)
		if slices.Equal(before, after) && (err != nil || len(s.Damage) == 0 && !s.Torn) {
			break
		}
		time.Sleep(20 * time.Millisecond) // a record that is being written looks torn; real damage stays
	}
	return s, err
}

func readOnce(snapDir, walDir string) (*State, error) {
	s := &State{}
	w := &walker{state: s, v2: map[string]bool{}, names: map[uint64]published{}}
	// The database first: what it has applied is then certainly in the log that is read after it.
	s.readDatabase(filepath.Join(snapDir, "db"))
	snap, broken, err := newestSnapshot(snapDir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if snap != nil {
		s.SnapshotIndex, s.SnapshotTerm, s.Members = snap.Index, snap.Term, snap.Members
		for _, p := range snap.V2Paths {
			w.v2[p] = true
		}
	}
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
	w.walk(walDir, all)
	w.finish(snap)
	if len(broken) > 0 {
		s.Damage = append(s.Damage, broken...)
	}
	s.judge(w)
	return s, nil
}

func (s *State) readDatabase(path string) {
	d, err := readDatabase(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		s.damage("no_database", "db", "member/snap/db does not exist")
	case err != nil:
		s.damage("broken_database", "db", err.Error())
	default:
		s.Database = &d
	}
}

func (w *walker) walk(dir string, all []segment) {
	list := neededFrom(all, w.state.SnapshotIndex)
	if list == nil {
		w.state.damage("missing_segment", all[0].Name, fmt.Sprintf("the log begins at index %d, after the snapshot at %d", all[0].Index, w.state.SnapshotIndex))
		return
	}
	if a, b, hole := holeIn(list); hole {
		w.state.damage("missing_segment", b.Name, fmt.Sprintf("segment %s follows %s", b.Name, a.Name))
		return
	}
	var crc uint32
	for i, seg := range list {
		var err error
		crc, err = w.segment(dir, seg, crc, i == len(list)-1)
		if errors.Is(err, errStop) {
			return
		}
		if err != nil {
			w.state.damage("unreadable", seg.Name, err.Error())
			return
		}
	}
}

func (w *walker) finish(snap *snapshot) {
	s := w.state
	s.LastIndex, s.LastTerm = s.SnapshotIndex, s.SnapshotTerm
	if n := len(s.Terms); n > 0 {
		s.LastIndex, s.LastTerm = s.Terms[n-1].Last, s.Terms[n-1].Term
	}
	w.prune(sumLast)
	s.V2Keys = int64(len(w.v2))
	committed := s.KnownCommitted()
	s.Members = membership(s.Members, w.changes, w.names, committed)
	for _, c := range w.changes {
		if c.Index > s.HardState.Commit {
			s.Tail = append(s.Tail, c)
		}
	}
	if snap == nil {
		w.matched = true // a log from the beginning starts with the empty snapshot
	}
}

// membership applies the committed changes, and the names that members published.
func membership(base []Peer, changes []ConfChange, names map[uint64]published, upTo uint64) []Peer {
	byID := map[uint64]Peer{}
	for _, p := range base {
		byID[p.ID] = p
	}
	for _, c := range changes {
		if c.Index > upTo {
			break
		}
		switch c.Type {
		case "add", "learner":
			byID[c.MemberID] = Peer{ID: c.MemberID, Name: c.Name, PeerURLs: c.PeerURLs}
		case "update":
			p := byID[c.MemberID]
			p.ID, p.PeerURLs = c.MemberID, c.PeerURLs
			byID[c.MemberID] = p
		case "remove":
			delete(byID, c.MemberID)
		}
	}
	var out []Peer
	for id, p := range byID {
		if a, ok := names[id]; ok && a.index <= upTo {
			p.Name, p.ClientURLs = a.Name, a.ClientURLs
		}
		out = append(out, p)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out
}

// judge adds what only shows when everything is known.
func (s *State) judge(w *walker) {
	for _, check := range []struct {
		wrong      bool
		code, text string
	}{
		{!w.identity, "no_identity", "the log has no metadata record"},
		{!w.hardState, "no_hard_state", "the log has no HardState"},
		{!w.matched, "snapshot_not_in_log", fmt.Sprintf("the log does not know the snapshot at index %d", s.SnapshotIndex)},
		{w.hardState && s.HardState.Commit > s.LastIndex, "commit_beyond_log", fmt.Sprintf("index %d is committed, the log ends at %d", s.HardState.Commit, s.LastIndex)},
		{w.hardState && s.HardState.Commit < s.SnapshotIndex, "commit_before_snapshot", fmt.Sprintf("the commit index is %d, the snapshot is at %d", s.HardState.Commit, s.SnapshotIndex)},
		{s.Database != nil && s.Database.ConsistentIndex > s.LastIndex, "database_beyond_log", "the database has applied entries that the log does not hold"},
	} {
		if check.wrong {
			s.damage(check.code, "", check.text)
		}
	}
}

// hasData tells whether the file holds anything but zeros between two offsets. It skips holes, so a sparse file of 1 TB costs nothing.
func hasData(f *os.File, from, to int64) (bool, error) {
	buf := make([]byte, 1<<20)
	for from < to {
		if next, err := unix.Seek(int(f.Fd()), from, unix.SEEK_DATA); err == nil {
			from = next
		} else if errors.Is(err, unix.ENXIO) {
			return false, nil
		}
		n, err := f.ReadAt(buf[:min(int64(len(buf)), to-from)], from)
		if !allZero(buf[:n]) {
			return true, nil
		}
		from += int64(n)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		if n == 0 {
			return false, nil
		}
	}
	return false, nil
}
