// Package health says how a cluster is: who its members are, which of them answer, and whether they have a quorum. etcdctl's own answers mislead:
// v2 `cluster-health` calls a cluster healthy when any member is, and neither API says how many are needed.
//
// gather.go asks, judge.go decides (pure functions), lines.go prints it in etcdctl's words.
package health

import (
	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
)

// Endpoint is what one client URL answered.
type Endpoint struct {
	Endpoint  string   `json:"endpoint"`
	Health    bool     `json:"health"` // v3: a linearizable read returned; v2: GET /health says so
	Serves    bool     `json:"serves"` // answers at least for itself
	Took      float64  `json:"took"`   // seconds
	Error     string   `json:"error"`
	MemberID  facts.ID `json:"member_id"`
	ClusterID facts.ID `json:"cluster_id"`
	Version   string   `json:"version"`
	DBSize    int64    `json:"db_size"`
	Leader    facts.ID `json:"leader"`
	IsLeader  bool     `json:"is_leader"`
	Term      uint64   `json:"term"`
	Index     uint64   `json:"index"`
	Revision  int64    `json:"revision"`
	members   []facts.ClusterMember
	kind      fault.Kind // of the error
}

// Picture is the cluster as seen from here.
type Picture struct {
	API         string                `json:"api"`
	ClusterID   facts.ID              `json:"cluster_id"`
	Members     []facts.ClusterMember `json:"members"`
	MembersFrom string                `json:"members_from"` // the URL that gave the list
	Endpoints   []Endpoint            `json:"endpoints"`
	Alarms      []etcd.Alarm          `json:"alarms"`
	alarmsError error                 // no healthy member answered: that is not the same as no alarm
	down        []string              // IDs of members that are known to be down
	Verdict
}

// Verdict is what a Picture means.
type Verdict struct {
	Quorum   bool     `json:"quorum"`   // proven by a linearizable read (v2: by /health)
	Healthy  int      `json:"healthy"`  // members that are
	Needed   int      `json:"needed"`   // for a quorum
	Joined   bool     `json:"joined"`   // all members are healthy, agree on leader and term, and none is behind
	Leader   facts.ID `json:"leader"`   // member ID
	Problems []string `json:"problems"` // what is wrong, a sentence each
	Lines    []string `json:"lines"`
}

// Unsupported is an error where every server answers and none has the API that was asked for: v2 is off by default from 3.4 on, and gone in 3.6.
func (p Picture) Unsupported() error {
	for _, e := range p.Endpoints {
		if e.kind != fault.Unsupported {
			return nil
		}
	}
	if len(p.Endpoints) == 0 {
		return nil
	}
	return fault.New(fault.Unsupported, "the servers have no %s API: %s", p.API, p.Endpoints[0].Error).WithHint("use api=v3")
}
