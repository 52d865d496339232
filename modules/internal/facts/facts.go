// Package facts is the vocabulary that etcd_host_info speaks and etcd_quorum_plan understands: what is known of one host's etcd.
// IDs are lower-case hexadecimal without 0x, as etcdctl prints them. Revisions, indexes and terms are etcd's own. A nil pointer or
// an empty list means "not known", never zero.
package facts

// Runtimes.
const (
	Systemd   = "systemd"    // etcd.service
	StaticPod = "static_pod" // the kubelet runs etcd from a manifest
	AllInOne  = "all_in_one" // inside the master process
	None      = "none"
)

// States of etcd on a host.
const (
	Running  = "running"
	Stopped  = "stopped"
	Starting = "starting"
	Failed   = "failed"
	Fenced   = "fenced"
	Absent   = "absent"
)

// Host is the answer of etcd_host_info.
type Host struct {
	Unreachable  bool            `json:"unreachable,omitempty"` // set by Ansible, not by the module
	Failed       bool            `json:"failed,omitempty"`      // set by Ansible: the module itself failed
	Msg          string          `json:"msg,omitempty"`
	Runtime      string          `json:"runtime"`
	State        string          `json:"state"`
	Version      string          `json:"version,omitempty"` // of the running server
	PID          int             `json:"pid,omitempty"`
	StartedAt    string          `json:"started_at,omitempty"` // RFC 3339, of the process
	Config       Config          `json:"config"`
	Certificates []Certificate   `json:"certificates"`
	DataDir      DataDir         `json:"data_dir"`
	Member       *Member         `json:"member"`  // who this host's data says it is
	Members      []ClusterMember `json:"members"` // the current membership, as this host knows it
	MembersFrom  string          `json:"members_from,omitempty"`
	Live         Live            `json:"live"`
	Joined       bool            `json:"joined"`    // runs as a member of a cluster that has quorum
	Sees         map[string]Seen `json:"sees"`      // by peer URL
	Forcing      *Forcing        `json:"forcing"`   // an interrupted etcd_force_new_cluster
	Restoring    *Restoring      `json:"restoring"` // a backup is being put back by etcd_restore
	Fenced       *Fence          `json:"fenced"`
	SetAside     []SetAside      `json:"set_aside"`
	Log          *Log            `json:"log"`
	Database     *Database       `json:"database"`
	V2Data       *V2Data         `json:"v2_data"`
	ForceFlags   []ForceFlag     `json:"force_flags"`
	Probe        string          `json:"probe,omitempty"` // static pod: present, removed, none
	CAKey        bool            `json:"ca_key"`          // this host holds the CA's private key
	NodeService  string          `json:"node_service,omitempty"`
	Enabled      bool            `json:"enabled"` // etcd starts at boot
	Clock        string          `json:"clock"`   // RFC 3339 with milliseconds, UTC
	BackupDir    *Space          `json:"backup_dir"`
	Checks       []Check         `json:"checks"`
}

// Space is room in a directory.
type Space struct {
	Path           string `json:"path"`
	FreeBytes      int64  `json:"free_bytes"`
	SameFilesystem bool   `json:"same_filesystem"` // as the data
}

// Config is what etcd.conf says.
type Config struct {
	Path                string   `json:"path"`
	Name                string   `json:"name"`
	ListenPeerURLs      []string `json:"listen_peer_urls"`
	ListenClientURLs    []string `json:"listen_client_urls"`
	PeerURLs            []string `json:"peer_urls"`   // ETCD_INITIAL_ADVERTISE_PEER_URLS
	ClientURLs          []string `json:"client_urls"` // ETCD_ADVERTISE_CLIENT_URLS
	InitialCluster      string   `json:"initial_cluster"`
	InitialClusterState string   `json:"initial_cluster_state"`
	InitialClusterToken string   `json:"initial_cluster_token"`
	WALDir              string   `json:"wal_dir,omitempty"` // ETCD_WAL_DIR, where set
}

// Certificate is a certificate file's public part.
type Certificate struct {
	Path        string   `json:"path"`
	Purpose     string   `json:"purpose"` // ca, server, peer, client
	Subject     string   `json:"subject"`
	SANs        []string `json:"sans"`
	NotBefore   string   `json:"not_before"`
	NotAfter    string   `json:"not_after"`
	ExpiresDays int      `json:"expires_days"`
	Error       string   `json:"error,omitempty"`
}

// DataDir is the data directory; FreeBytes is what an unprivileged process may still write to its filesystem.
type DataDir struct {
	Path         string `json:"path"`
	Exists       bool   `json:"exists"`
	Empty        bool   `json:"empty"` // no `member` in it
	Bytes        int64  `json:"bytes"` // allocated, of `member`
	FreeBytes    int64  `json:"free_bytes"`
	IsMountPoint bool   `json:"is_mount_point"`
	Owner        string `json:"owner"`
}

// Member identifies the data on a host.
type Member struct {
	ID        string `json:"id"`
	ClusterID string `json:"cluster_id"`
	Name      string `json:"name"`
}

// ClusterMember is an entry of a member list. An empty name is a member that was added and never started.
type ClusterMember struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	PeerURLs   []string `json:"peer_urls"`
	ClientURLs []string `json:"client_urls,omitempty"`
}

// Live is what the running process answers. Quorum is true only after a linearizable read.
type Live struct {
	Serves       bool   `json:"serves"` // answers a client call
	Quorum       bool   `json:"quorum"`
	MemberID     string `json:"member_id,omitempty"`
	ClusterID    string `json:"cluster_id,omitempty"`
	Leader       string `json:"leader,omitempty"`
	Term         uint64 `json:"term,omitempty"`
	RaftIndex    uint64 `json:"raft_index,omitempty"`
	Revision     int64  `json:"revision,omitempty"`
	Keys         int64  `json:"keys"` // v3 keys at Revision
	ForceProcess bool   `json:"force_process"`
	Error        string `json:"error,omitempty"`
}

// Seen is what this host's network sees of another member, on its peer port.
type Seen struct {
	ID        string `json:"id,omitempty"`
	ClusterID string `json:"cluster_id,omitempty"`
	Members   int    `json:"members,omitempty"` // how many members that one knows
	Error     string `json:"error,omitempty"`
}

// Forcing is /etc/etcd/forcing.json: etcd_force_new_cluster began here and has not proven its effect yet.
type Forcing struct {
	When      string `json:"when"`
	Phase     string `json:"phase"`
	MemberID  string `json:"member_id"`
	ClusterID string `json:"cluster_id"`
}

// Restoring is /etc/etcd/restoring.json: etcd_restore began here, and the platform does not use the result yet. The IDs are those of the
// member that it makes, so that its data are never taken for data that were there before.
type Restoring struct {
	When      string `json:"when"`
	Phase     string `json:"phase"`
	Backup    string `json:"backup"`
	MemberID  string `json:"member_id"`
	ClusterID string `json:"cluster_id"`
	Token     string `json:"token"` // the new ETCD_INITIAL_CLUSTER_TOKEN
}

// Fence is /etc/etcd/fenced.json. MemberID is null where the host had no data.
type Fence struct {
	When      string  `json:"when"`
	Why       string  `json:"why"`
	ClusterID *string `json:"cluster_id"`
	MemberID  *string `json:"member_id"`
	Survivor  string  `json:"survivor"`
}

// SetAside is a data directory that was moved aside.
type SetAside struct {
	Path     string `json:"path"`
	MemberID string `json:"member_id,omitempty"`
	Bytes    int64  `json:"bytes"`
}

// Log is the member's write-ahead log. Commit is what the last HardState on disk says; it lags after a crash.
type Log struct {
	FirstIndex      uint64       `json:"first_index"`
	LastTerm        uint64       `json:"last_term"` // of the last entry
	LastIndex       uint64       `json:"last_index"`
	Term            uint64       `json:"term"` // of the HardState
	Vote            string       `json:"vote"`
	Commit          uint64       `json:"commit"`
	KnownCommitted  uint64       `json:"known_committed"` // the greatest of commit, consistent index and snapshot index
	SnapshotIndex   uint64       `json:"snapshot_index"`
	SnapshotTerm    uint64       `json:"snapshot_term"`
	Terms           []TermRange  `json:"terms"`
	Sums            []EntrySum   `json:"sums"`
	TailEntries     uint64       `json:"tail_entries"` // last_index - commit
	ConfChanges     []ConfChange `json:"conf_changes"` // beyond commit
	Torn            bool         `json:"torn"`         // the last record is torn, as a power cut leaves it
	Damage          []Damage     `json:"damage"`
	BrokenSnapshots []Damage     `json:"broken_snapshots,omitempty"` // newer .snap files that etcd passes over; no damage
}

// TermRange is a run of entries of one term.
type TermRange struct {
	Term  uint64 `json:"term"`
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// EntrySum is the CRC-32C of an entry's data: equal entries have equal sums on every member.
type EntrySum struct {
	Index uint64 `json:"index"`
	Term  uint64 `json:"term"`
	CRC   uint32 `json:"crc"`
}

// ConfChange is a membership change.
type ConfChange struct {
	Index    uint64   `json:"index"`
	Type     string   `json:"type"` // add, remove, update, learner, unknown
	MemberID string   `json:"member_id"`
	PeerURLs []string `json:"peer_urls,omitempty"`
	Name     string   `json:"name,omitempty"`
}

// Damage is a reason why a member's files cannot be trusted; Code is stable.
type Damage struct {
	Code string `json:"code"`
	File string `json:"file"`
	Text string `json:"text"`
}

// Database is member/snap/db.
type Database struct {
	ConsistentIndex uint64 `json:"consistent_index"`
	Revision        int64  `json:"revision"`
	Bytes           int64  `json:"bytes"`
}

// V2Data tells whether the v2 store holds user keys.
type V2Data struct {
	Present bool  `json:"present"`
	Keys    int64 `json:"keys"`
}

// ForceFlag is a place where a forced start is still asked for.
type ForceFlag struct {
	Where string `json:"where"` // process, etcd.conf, drop-in, manifest
	Path  string `json:"path"`
}

// Check is a pre-check. Status is ok, failed or ignored.
type Check struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Line   string `json:"line"`
	Advice string `json:"advice,omitempty"`
}
