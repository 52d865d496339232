package member

import "etcd-quorum-restore/modules/internal/facts"

// State is what the files of one member say.
type State struct {
	ID, ClusterID facts.ID
	HardState     hardState
	SnapshotIndex uint64
	SnapshotTerm  uint64
	FirstIndex    uint64 // first entry that the log still holds; 0 without entries
	LastTerm      uint64 // of the last entry, or the snapshot's where there is none behind it
	LastIndex     uint64
	Terms         []TermRange
	Sums          []EntrySum   // also of entries that are in the snapshot, if the log still holds them
	Members       []Peer       // membership at KnownCommitted
	Tail          []ConfChange // membership changes beyond the commit index
	V2Keys        int64        // user keys of the v2 store, with the log's changes applied by path; an estimate where keys expire
	Database      *Database
	Torn          bool // the last record is torn; it was never acknowledged
	Damage        []Damage
	// BrokenSnapshots are .snap files newer than the one in use that etcd would skip, as a power cut leaves them. The log still holds their
	// content.
	BrokenSnapshots []Damage

	end      logEnd   // where the next record goes
	atEnd    []Peer   // membership at the end of the log
	unlisted []string // IDs that only one of the snapshot's two lists has: raft's, and its store's
}

// logEnd is where the log ends, and the running checksum there.
type logEnd struct {
	file   string
	offset int64
	crc    uint32
	rest   bool // the rest of a torn record, or of an interrupted write, lies behind it
}

// Peer is a member of the cluster as the files know it. An empty name is a member that was added and never started.
type Peer struct {
	ID         facts.ID
	Name       string
	PeerURLs   []string
	ClientURLs []string
}

// TermRange is a run of entries of one term.
type TermRange struct{ Term, First, Last uint64 }

// EntrySum is the CRC-32C of an entry's type and data: equal entries have equal sums on every member.
type EntrySum struct {
	Index, Term uint64
	CRC         uint32
}

// Damage is a reason not to trust the files. Code does not change between releases; this package's documentation lists the codes.
type Damage struct{ Code, File, Text string }

func (d Damage) Error() string { return d.Text }

// KnownCommitted is the greatest index that these files prove to be committed. The database and a snapshot hold only applied, hence committed,
// entries; the commit index on disk may lag behind both.
func (s *State) KnownCommitted() uint64 {
	known := max(s.HardState.Commit, s.SnapshotIndex)
	if s.Database != nil {
		known = max(known, s.Database.ConsistentIndex)
	}
	return known
}

// TailEntries is how many entries the log holds beyond its on-disk commit index: a plain forced start throws them away.
func (s *State) TailEntries() uint64 {
	if s.LastIndex <= s.HardState.Commit {
		return 0
	}
	return s.LastIndex - s.HardState.Commit
}

func (s *State) damage(code, file, text string) {
	s.Damage = append(s.Damage, Damage{Code: code, File: file, Text: text})
}
