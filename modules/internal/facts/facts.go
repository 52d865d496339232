// Package facts is the vocabulary of etcd_host_info and etcd_quorum_plan: what is known of one host's etcd. Revisions, indexes and terms are
// etcd's own. A nil pointer or an empty list means "not known", never zero.
package facts

import "path/filepath"

// Runtimes.
const (
	Systemd   = "systemd"        // etcd.service
	StaticPod = "static_pod"     // the kubelet runs etcd from a manifest
	AllInOne  = "all_in_one"     // inside the master process
	Container = "etcd_container" // docker runs it for etcd_container.service
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
	Hint         string          `json:"hint,omitempty"` // the module's, where it failed
	Runtime      string          `json:"runtime"`
	State        string          `json:"state"`
	Version      string          `json:"version,omitempty"` // of the running server
	PID          int             `json:"pid,omitempty"`
	StartedAt    string          `json:"started_at,omitempty"` // RFC 3339, of the process
	Config       Config          `json:"config"`
	Certificates []Certificate   `json:"certificates"`
	DataDir      DataDir         `json:"data_dir"`
	Member       *Member         `json:"member"`  // the identity in this host's data
	Members      []ClusterMember `json:"members"` // the current membership, as this host knows it
	MembersFrom  string          `json:"members_from,omitempty"`
	Live         Live            `json:"live"`
	MovedFrom    string          `json:"moved_from,omitempty"` // an address of its peer URLs in the member list that this host does not have any more
	Joined       bool            `json:"joined"`               // runs as a member of a cluster that has quorum
	Sees         map[string]Seen `json:"sees"`                 // by peer URL
	Forcing      *Forcing        `json:"forcing"`              // an interrupted etcd_force_new_cluster
	Restoring    *Restoring      `json:"restoring"`            // a backup is being put back by etcd_restore
	ClientsLeft  *ClientsLeft    `json:"clients_left"`
	Fenced       *Fence          `json:"fenced"`
	PutBack      *Fence          `json:"put_back"` // a fence that was lifted; etcd is still to be started
	SetAside     []SetAside      `json:"set_aside"`
	Log          *Log            `json:"log"`
	Database     *Database       `json:"database"`
	V2Data       *V2Data         `json:"v2_data"`
	ForceFlags   []ForceFlag     `json:"force_flags"`
	Probe        string          `json:"probe,omitempty"` // static pod: present, removed, none
	CAKey        bool            `json:"ca_key"`          // this host holds the CA's private key
	CACopy       string          `json:"ca_copy"`         // where it has none: a directory or archive on this host with the key of the CA in use
	CARenewal    string          `json:"ca_renewal"`      // the stage of the replacement of the CA by a new one, which this host leads; "" where none is under way
	NodeService  string          `json:"node_service,omitempty"`
	Enabled      bool            `json:"enabled"` // etcd starts at boot
	Clock        string          `json:"clock"`   // RFC 3339 with milliseconds, UTC
	Waited       bool            `json:"waited"`  // this look waited for modules of an earlier run: those of other hosts may be older
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

// Certificate is the public part of a certificate. A file with several (a bundle in ca.crt) gives one each, in the file's order.
type Certificate struct {
	Path         string   `json:"path"`
	Position     int      `json:"position"` // in the file, from 1; 0 where there is none
	Purpose      string   `json:"purpose"`  // ca, server, peer, client
	Subject      string   `json:"subject"`
	Issuer       string   `json:"issuer"`
	Serial       string   `json:"serial"` // hexadecimal, as openssl's index.txt has it
	Usages       []string `json:"usages"` // serverAuth, clientAuth, any, or an object identifier; empty: not limited
	SANs         []string `json:"sans"`
	MissingHosts []string `json:"missing_hosts"` // of this host's URLs: names and addresses that it is not issued for
	NotBefore    string   `json:"not_before"`
	NotAfter     string   `json:"not_after"`
	ExpiresDays  int      `json:"expires_days"` // negative once it has expired
	Error        string   `json:"error,omitempty"`
}

// Renewal is the advice for a certificate that has to be renewed.
func (c Certificate) Renewal() string {
	return "renew it: ansible-playbook playbooks/renew_certificates.yml"
}

// Reissue is the advice for a certificate with wrong names or usages. openshift-ansible's playbook renews all, whatever their names
// [openshift-ansible release-3.11, playbooks/openshift-etcd].
func (c Certificate) Reissue() string {
	if c.Purpose == "ca" {
		return "renew it by openshift-ansible's playbooks/openshift-etcd/redeploy-ca.yml, then all others by redeploy-certificates.yml beside it"
	}
	return "renew it by openshift-ansible's playbooks/openshift-etcd/redeploy-certificates.yml"
}

// RestartMark is the file that etcd_ca leaves beside a CA's file until its reader (etcd, master, flannel) was restarted.
func RestartMark(path, reader string) string { return path + ".restart-" + reader }

// CAArriving ends the name of a CA's directory that was received from another host, and has not taken its place here.
const CAArriving = ".arriving"

// MarkOfANewCA is the text of a mark that is left for a new CA: while both are trusted, the process works with what it has loaded.
const MarkOfANewCA = "A restart is due: a new CA is being made known, or the old one leaves.\n"

// DataDir is the data directory; FreeBytes is what an unprivileged process may still write to its filesystem.
type DataDir struct {
	Path         string `json:"path"`
	Exists       bool   `json:"exists"`
	Empty        bool   `json:"empty"` // no `member` in it
	Bytes        int64  `json:"bytes"` // allocated, of `member`
	FreeBytes    int64  `json:"free_bytes"`
	IsMountPoint bool   `json:"is_mount_point"`
	// Of `member` in it; the data then cannot be set aside by a rename.
	MemberIsMountPoint bool   `json:"member_is_mount_point"`
	Owner              string `json:"owner"`
}

// Member is the identity in the data on a host.
type Member struct {
	ID        ID     `json:"id"`
	ClusterID ID     `json:"cluster_id"`
	Name      string `json:"name"`
}

// ClusterMember is an entry of a member list. An empty name is a member that was added and never started.
type ClusterMember struct {
	ID         ID       `json:"id"`
	Name       string   `json:"name"`
	PeerURLs   []string `json:"peer_urls"`
	ClientURLs []string `json:"client_urls,omitempty"`
}

// Live is what the running process answers. Quorum is true only after a linearizable read.
type Live struct {
	Serves       bool   `json:"serves"` // answers a client call
	Quorum       bool   `json:"quorum"`
	MemberID     ID     `json:"member_id,omitempty"`
	ClusterID    ID     `json:"cluster_id,omitempty"`
	Leader       ID     `json:"leader,omitempty"`
	Term         uint64 `json:"term,omitempty"`
	RaftIndex    uint64 `json:"raft_index,omitempty"`
	Revision     int64  `json:"revision,omitempty"`
	Keys         int64  `json:"keys"` // v3 keys at Revision
	ForceProcess bool   `json:"force_process"`
	Error        string `json:"error,omitempty"`
}

// Seen is what this host sees of another member, on its peer port.
type Seen struct {
	ID        ID     `json:"id,omitempty"`
	ClusterID ID     `json:"cluster_id,omitempty"`
	Members   int    `json:"members,omitempty"` // how many members that member knows
	Error     string `json:"error,omitempty"`
}

// Phases of a forced start.
const (
	ForcingBegun  = "begun"  // nothing is changed yet, or the log's tail is being kept
	ForcingStart  = "start"  // the forced start was asked for
	ForcingProven = "proven" // the data is that of a single member; what is left is to start it without the flag
)

// Forcing is /etc/etcd/forcing.json: etcd_force_new_cluster began here and has not proven its effect yet. To keep the log's tail, the run moves
// the log's commit index to its end: Commit is the index from before, 0 in records of older versions.
type Forcing struct {
	Commit    uint64 `json:"commit"`
	When      string `json:"when"`
	Phase     string `json:"phase"`
	Method    string `json:"method"` // log or flag; "" in a record of an older version, which is of the flag
	MemberID  ID     `json:"member_id"`
	ClusterID ID     `json:"cluster_id"`
}

// Restoring is /etc/etcd/restoring.json: etcd_restore began here, and the platform does not use the result yet. The IDs are those of the member
// that it makes, so that nobody takes its data for older data of this host.
type Restoring struct {
	When      string `json:"when"`
	Phase     string `json:"phase"`
	Backup    string `json:"backup"`
	MemberID  ID     `json:"member_id"`
	ClusterID ID     `json:"cluster_id"`
	Token     string `json:"token"` // the new ETCD_INITIAL_CLUSTER_TOKEN
}

// ClientsLeft is clients.json beside etcd.conf: what is left to do at clients of etcd, since a run changes the members first. All stands for a
// record that cannot be parsed: every master is restarted then.
type ClientsLeft struct {
	Restart []string `json:"restart"` // masters, by their names in the inventory
	Remove  []Client `json:"remove"`  // hosts whose URLs are to leave the lists
	Lost    bool     `json:"lost"`    // the cluster's revision went back
	All     bool     `json:"all,omitempty"`
}

// Client is a host as the URL modules match it.
type Client struct {
	Name    string   `json:"name"`
	Aliases []string `json:"aliases"`
}

// ClientsLeftPath is where the record is.
func ClientsLeftPath(etcdConf string) string {
	return filepath.Join(filepath.Dir(etcdConf), "clients.json")
}

// Kinds of a fence.
const (
	FenceRecovery = "recovery" // the quorum is being restored, and the survivor runs alone; the survivor's own fence is of this kind, too
	FenceLost     = "lost"     // the host was lost, and came back when the cluster had gone on without it
	FenceLeaving  = "leaving"  // the host was taken out of a cluster that has quorum
	FenceJoining  = "joining"  // its old data is being set aside, so that it can join anew
)

// UnknownSurvivor is the survivor in a fence's record where nobody knows which host went on.
const UnknownSurvivor = "unknown"

// Fence is /etc/etcd/fenced.json. MemberID is null where the host had no data. A record without a kind was written by an older version, or cannot
// be parsed.
type Fence struct {
	When      string `json:"when"`
	Why       string `json:"why"`
	Kind      string `json:"kind"`
	ClusterID *ID    `json:"cluster_id"`
	MemberID  *ID    `json:"member_id"`
	Survivor  string `json:"survivor"` // the host that continues the cluster instead; its name in the inventory
	Run       string `json:"run"`      // the playbook's run that fenced it, or last confirmed the fence; "" where none did
	Ran       bool   `json:"ran"`      // etcd ran, or was to run, when it was fenced first
	Earlier   string `json:"earlier"`  // survivors of fences that this one took the place of, with commas between them; "" where there were none
}

// SetAside is a data directory that was moved aside.
type SetAside struct {
	Path     string `json:"path"`
	MemberID ID     `json:"member_id,omitempty"`
	Bytes    int64  `json:"bytes"`
}

// Log is the member's write-ahead log. Commit is what the last HardState on disk says; it lags after a crash.
type Log struct {
	FirstIndex      uint64       `json:"first_index"`
	LastTerm        uint64       `json:"last_term"` // of the last entry
	LastIndex       uint64       `json:"last_index"`
	Term            uint64       `json:"term"` // of the HardState
	Vote            ID           `json:"vote"`
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
	BrokenSnapshots []Damage     `json:"broken_snapshots,omitempty"` // newer .snap files that etcd skips; no damage
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
	MemberID ID       `json:"member_id"`
	PeerURLs []string `json:"peer_urls,omitempty"`
	Name     string   `json:"name,omitempty"`
	Forced   bool     `json:"forced,omitempty"` // a removal that a forced start wrote
}

// Damage is a reason not to trust a member's files; Code does not change between releases.
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

// ForceFlag is a place that still asks for a forced start.
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
