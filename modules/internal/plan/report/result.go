package report

import (
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/rows"
)

// Report is for people: what was found, what is done and why, what is given up, how to undo it.
type Report struct {
	Reason        string                `json:"reason"`
	Refusals      []rows.Refusal        `json:"refusals"`
	Holds         []rows.Refusal        `json:"holds"` // why hosts are held
	Quorum        Quorum                `json:"quorum"`
	ClusterID     facts.ID              `json:"cluster_id"`
	Members       []histories.Member    `json:"members"` // the current membership
	Hosts         map[string]HostReport `json:"hosts"`
	Candidates    []string              `json:"candidates"`
	Steps         map[string][]string   `json:"steps"` // of each host
	StaysOut      []string              `json:"stays_out"`
	Discarded     []rows.Discarded      `json:"discarded"`
	GivenUp       []string              `json:"given_up"`   // the same in words, with what only unreachable data held; empty where nothing is done
	NeedBytes     int64                 `json:"need_bytes"` // of the survivor's backup
	NotSimulated  map[string][]string   `json:"not_simulated"`
	Undo          []string              `json:"undo"`
	Afterwards    []string              `json:"afterwards"`
	AtEnd         []string              `json:"at_end"`     // the same as it stands in the plan, and at the end of a run
	LeftToDo      []string              `json:"left_to_do"` // at clients, by an earlier run, where etcd itself needs nothing
	Findings      []Finding             `json:"findings"`   // what should not stay on a host, see findings.go
	Checkup       []string              `json:"checkup"`    // the same for people, with the certificates' dates
	Lines         []string              `json:"lines"`
	Going         []string              `json:"going"`    // lines for a run that carries the plan out, see goingLines
	File          string                `json:"file"`     // that has the plan; "" where it was not written
	Acts          bool                  `json:"-"`        // the plan does something
	Commands      map[string]string     `json:"commands"` // for sentences of playbooks; HOST stands for the host in question
	RestoreReport RestoreReport         `json:"restore"`
	End           End                   `json:"end"`
}

// Quorum in figures. Present is true only if a linearizable read succeeded on a member of the real cluster.
type Quorum struct {
	Present bool `json:"present"`
	Members int  `json:"members"`
	Running int  `json:"running"`
	Needed  int  `json:"needed"`
}

// HostReport is what was found on a host, and what happens to it.
type HostReport struct {
	Name       string   `json:"name"` // ETCD_NAME
	MemberID   facts.ID `json:"member_id"`
	ListedURLs []string `json:"listed_urls"` // its peer URLs in the member list, whatever its etcd.conf says
	PeerURLs   []string `json:"peer_urls"`
	ClientURLs []string `json:"client_urls"`
	Reachable  bool     `json:"reachable"`
	Data       string   `json:"data"` // verdict, see histories/usable.go
	Outcome    string   `json:"outcome"`
}

// RestoreReport says why a backup may not be restored, or what the restore does.
type RestoreReport struct {
	Refusals []rows.Refusal `json:"refusals"`
	Lines    []string       `json:"lines"`
}
