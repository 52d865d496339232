package plan

import (
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/report"
	"etcd-quorum-restore/modules/internal/plan/rows"
)

// Plan is the decision. Its JSON form is what etcd_quorum_plan returns: do is for playbooks, report is for people.
type Plan struct {
	Do            `json:"do"`
	report.Report `json:"report"`
}

// Do is what playbooks, roles and modules act on; each field is read by one of them. Names of hosts are the inventory's.
type Do struct {
	Action         string                        `json:"action"`
	Run            string                        `json:"run"`      // as in the request
	ID             string                        `json:"id"`       // names this plan, see rows/id.go
	Survivor       string                        `json:"survivor"` // "" where there is none
	Code           int                           `json:"code"`     // exit status of check_quorum.yml: 0 quorum, 2 lost or degraded, 4 no host answered
	HasQuorum      bool                          `json:"has_quorum"`
	RestartWait    string                        `json:"restart_wait"` // what a restart waits for, as etcd_service has it: no member serves without a quorum
	JoinTimeout    int                           `json:"join_timeout"` // seconds that a host may take to join: it receives the database first
	Confirm        bool                          `json:"confirm"`      // an action needs somebody's consent, and has none yet
	Plays          map[string][]string           `json:"plays"`        // the hosts of each step, in order; and verify: members whose data is compared in the end
	Seen           map[string]histories.Position `json:"seen"`         // the end of each log that was ever read in this run; for the next look
	Resolved       map[string][]string           `json:"resolved"`     // as in the request
	Lock           []string                      `json:"lock"`         // hosts whose lock a run takes that changes something: all that answer, none in check mode
	Changes        bool                          `json:"changes"`      // some step of a restore acts on a host: it waits for runs of other control nodes
	Held           []string                      `json:"held"`         // hosts that do not join without consent: they hold committed entries of their own
	Down           []string                      `json:"down"`         // IDs of members that stay in the list and are known to be down
	Remove         []histories.Member            `json:"remove"`       // members that leave the live list
	Endpoints      []string                      `json:"endpoints"`
	Clients        Clients                       `json:"clients"`
	InitialCluster string                        `json:"initial_cluster"` // name=URL,...
	CAHost         string                        `json:"ca_host"`         // "" where no reachable host has the CA's key, or a copy
	CACopyHost     string                        `json:"ca_copy_host"`    // the same host, where it has a copy alone, which is to be put back first
	CAFirst        string                        `json:"ca_first"`        // the host that has the CA, or takes it over, where it has to become the group's first
	ManifestHost   string                        `json:"manifest_host"`   // "" where no reachable host runs etcd as a static pod
	QueryHost      string                        `json:"query_host"`      // the host that is asked about the cluster
	Renewal        Renewal                       `json:"renewal"`         // for renew_certificates.yml
	Restore        rows.Restore                  `json:"restore"`         // for restore_backup.yml
}
