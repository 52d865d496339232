package plan

// Actions.
const (
	Nothing       = "nothing"
	Start         = "start"
	FinishJoin    = "finish_join"
	FinishForce   = "finish_force"
	Force         = "force"
	RestoreBackup = "restore_backup"
	RemoveHost    = "remove_host" // only where it is asked for
	Refuse        = "refuse"
)

// Plan is the decision. Its JSON form is what etcd_quorum_plan returns.
type Plan struct {
	Action         string              `json:"action"`
	Code           int                 `json:"code"` // exit status of check_quorum.yml: 0 quorum, 2 lost or degraded, 4 no host answered
	Quorum         Quorum              `json:"quorum"`
	Survivor       string              `json:"survivor"`
	Candidates     []string            `json:"candidates"`
	Reason         string              `json:"reason"`
	Refusals       []Refusal           `json:"refusals"`
	Members        []Member            `json:"members"` // the current membership
	Hosts          map[string]HostPlan `json:"hosts"`
	Steps          map[string][]string `json:"steps"`
	Plays          map[string][]string `json:"plays"`  // the hosts of each step, in order
	Remove         []Member            `json:"remove"` // members that leave the live list
	StaysOut       []string            `json:"stays_out"`
	Discarded      []Discarded         `json:"discarded"`
	Clients        Clients             `json:"clients"`
	InitialCluster string              `json:"initial_cluster"`
	ClusterID      string              `json:"cluster_id"`
	CAHost         string              `json:"ca_host"`
	Rehearse       bool                `json:"rehearse"` // there is room for a rehearsal, as far as known
	NeedBytes      int64               `json:"need_bytes"`
	NotSimulated   map[string][]string `json:"not_simulated"`
	Undo           []string            `json:"undo"`
	Afterwards     []string            `json:"afterwards"`
	Findings       []Finding           `json:"findings"` // what should not stay on a host, see findings.go
	Checkup        []string            `json:"checkup"`  // the same for people, with the certificates' dates
	Speaker        string              `json:"speaker"`  // the host that is asked about the cluster
	Lines          []string            `json:"lines"`
	Restore        Restore             `json:"restore"` // for restore_backup.yml
}

// Quorum in figures. Present is true only if a linearizable read succeeded on a member of the real cluster.
type Quorum struct {
	Present bool `json:"present"`
	Members int  `json:"members"`
	Running int  `json:"running"`
	Needed  int  `json:"needed"`
}

// Refusal is a reason why nothing may be done, and the next command.
type Refusal struct {
	Code string `json:"code"`
	Msg  string `json:"msg"`
	Hint string `json:"hint"`
}

// Member is an entry of the current membership, with its host ("" if no host of the inventory is known to be it).
type Member struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	PeerURLs   []string `json:"peer_urls"`
	ClientURLs []string `json:"client_urls"`
	Host       string   `json:"host"`
}

// HostPlan is what a playbook needs to know of a host.
type HostPlan struct {
	Name       string   `json:"name"` // ETCD_NAME
	MemberID   string   `json:"member_id"`
	PeerURLs   []string `json:"peer_urls"`
	ClientURLs []string `json:"client_urls"`
	Reachable  bool     `json:"reachable"`
	Data       string   `json:"data"` // verdict, see usable.go
	Fate       string   `json:"fate"`
}

// Discarded is what the action gives up. Nothing of it is deleted: it is set aside on its host.
type Discarded struct {
	Host    string `json:"host"`
	What    string `json:"what"` // tail, overruled, empty_cluster, other_history, other_cluster, damaged, behind
	First   uint64 `json:"first_index,omitempty"`
	Last    uint64 `json:"last_index,omitempty"`
	Entries uint64 `json:"entries,omitempty"`
	Text    string `json:"text"`
}

// Clients is for the modules that edit lists of URLs.
type Clients struct {
	Remove []Client `json:"remove"`
	Keep   []Client `json:"keep"`
}

// Client is a host as the URL modules match it.
type Client struct {
	Name    string   `json:"name"`
	Aliases []string `json:"aliases"`
}
