package walcheck

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/coreos/etcd/raft/raftpb"

	"etcd-quorum-restore/modules/internal/member"
)

// stricter are verdicts on logs that etcd's reader accepts: it drops entries silently, its raft panics on them later, or no raft can have written
// them. The documentation of package member says which is which.
var stricter = map[string]bool{
	"good_bytes_after_torn": true, "good_bytes_after_end": true, "committed_rewritten": true, "term_falls": true,
	"hard_state_falls": true, "no_hard_state": true, "commit_beyond_log": true, "commit_before_snapshot": true,
	"unknown_conf_change": true, "no_identity": true, "database_beyond_log": true, "no_database": true, "broken_database": true,
	"undecodable_snapshot": true, "database_behind_snapshot": true,
	"frame_damaged":       true, // the record is whole, and etcd's reader drops it for its wrong length
	"snapshot_not_in_log": true, // etcd's server forgets its reader's error
	"undecodable_record":  true, // a record whose type was flipped: its message has fields that do not belong there
}

// disagreement says where the project's reading of a member differs from etcd's.
func disagreement(o theirs, theirErr error, s *member.State, ourErr error) error {
	if ourErr != nil {
		s = &member.State{Damage: []member.Damage{{Code: "unreadable", Text: ourErr.Error()}}}
	}
	if len(s.Damage) > 0 {
		if theirErr == nil && !stricter[s.Damage[0].Code] {
			return fmt.Errorf("etcd takes it, we say %v", s.Damage)
		}
		return nil
	}
	if theirErr != nil {
		return fmt.Errorf("etcd does not take it (%w), we do", theirErr)
	}
	if s.Torn != o.Repaired {
		return fmt.Errorf("torn %v, repaired by etcd %v", s.Torn, o.Repaired)
	}
	return sameFacts(o, s)
}

func sameFacts(o theirs, s *member.State) error {
	lastIndex, lastTerm := o.SnapIndex, o.SnapTerm
	if n := len(o.Entries); n > 0 {
		lastIndex, lastTerm = o.Entries[n-1].Index, o.Entries[n-1].Term
	}
	for _, fact := range []struct {
		name         string
		theirs, ours uint64
	}{
		{"member ID", o.ID, uint64(s.ID)}, {"cluster ID", o.Cluster, uint64(s.ClusterID)},
		{"term", o.State.Term, s.HardState.Term}, {"vote", o.State.Vote, uint64(s.HardState.Vote)}, {"commit", o.State.Commit, s.HardState.Commit},
		{"snapshot index", o.SnapIndex, s.SnapshotIndex}, {"snapshot term", o.SnapTerm, s.SnapshotTerm},
		{"last index", lastIndex, s.LastIndex}, {"last term", lastTerm, s.LastTerm},
	} {
		if fact.theirs != fact.ours {
			return fmt.Errorf("%s: etcd reads %d, we read %d", fact.name, fact.theirs, fact.ours)
		}
	}
	return sameEntries(o.Entries, s)
}

// sameEntries compares each entry's term by the term ranges, and the contents of all whose sums are kept.
func sameEntries(entries []raftpb.Entry, s *member.State) error {
	sums := map[uint64]member.EntrySum{}
	for _, sum := range s.Sums {
		if sum.Index > s.SnapshotIndex { // TestSumsBelowTheSnapshot checks the others
			sums[sum.Index] = sum
		}
	}
	ranges := s.Terms
	for _, e := range entries {
		for len(ranges) > 0 && ranges[0].Last < e.Index {
			ranges = ranges[1:]
		}
		if len(ranges) == 0 || ranges[0].Term != e.Term || ranges[0].First > e.Index {
			return fmt.Errorf("entry %d: term %d is not in %v", e.Index, e.Term, s.Terms)
		}
		if sum, ok := sums[e.Index]; ok && sum != (member.EntrySum{Index: e.Index, Term: e.Term, CRC: entrySum(e)}) {
			return fmt.Errorf("entry %d: another content", e.Index)
		}
		delete(sums, e.Index)
	}
	if len(sums) > 0 || len(ranges) > 1 {
		return fmt.Errorf("we read entries that etcd does not: %d sums, terms %v", len(sums), ranges)
	}
	return nil
}

func entrySum(e raftpb.Entry) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(binary.LittleEndian.AppendUint64(nil, uint64(e.Type)), table), table, e.Data)
}
