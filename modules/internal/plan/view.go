package plan

import (
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
)

// node is one host with what was concluded about it.
type node struct {
	name   string
	f      *Host
	isNew  bool // of new_etcd
	member *facts.ClusterMember
	data   verdict
	why    string // a few words on the verdict
}

// answered: Ansible reached the host, and etcd_host_info ran there.
func (n *node) answered() bool { return !n.f.Unreachable && !n.f.Failed && n.f.Runtime != "" }

// broken: Ansible reached the host, but there are no facts of it. It may run etcd.
func (n *node) broken() bool { return !n.f.Unreachable && !n.answered() }

// up: a process of etcd is there, whether or not it answers.
func (n *node) up() bool {
	return n.answered() && (n.f.State == facts.Running || n.f.State == facts.Starting || n.f.Live.Serves)
}

func (n *node) fenced() bool { return n.answered() && n.f.Fenced != nil }

// hasData: there is a member directory, or something that could be one. Only a host that surely has none counts as empty.
func (n *node) hasData() bool {
	return n.answered() && (n.f.Member != nil || n.f.Log != nil || n.f.Database != nil || (n.f.DataDir.Exists && !n.f.DataDir.Empty))
}

// readable: the log can be compared with others.
func (n *node) readable() bool {
	return n.answered() && n.f.Log != nil && n.f.Member != nil && id(n.f.Member.ID) != "" && id(n.f.Member.ClusterID) != "" &&
		n.f.Log.LastIndex > 0 && len(n.f.Log.Damage) == 0 && n.f.Database != nil
}

// justJoined: its log is whole and holds no entry yet.
func (n *node) justJoined() bool {
	return n.answered() && n.f.Log != nil && n.f.Log.LastIndex == 0 && len(n.f.Log.Damage) == 0 && n.f.Database != nil
}

func (n *node) dataID() string {
	if n.answered() && n.f.Member != nil {
		return id(n.f.Member.ID)
	}
	return ""
}

func (n *node) liveID() string {
	if n.answered() {
		return id(n.f.Live.MemberID)
	}
	return ""
}

// cluster is the ID of the cluster that the data, or else the process, belongs to.
func (n *node) cluster() string {
	switch {
	case !n.answered():
		return ""
	case n.f.Member != nil && id(n.f.Member.ClusterID) != "":
		return id(n.f.Member.ClusterID)
	}
	return id(n.f.Live.ClusterID)
}

// view is the cluster as the rows see it.
type view struct {
	req       Request
	nodes     []*node // in the inventory's order
	histories histories
	quorum    []*node // members of the real cluster that answered a linearizable read
	best      *node   // its log is the measure of all others
	sound     []*node // logs that no other contradicts
	members   []facts.ClusterMember
	clusterID string
	split     []Refusal // why no best log could be chosen
}

func look(req Request) *view {
	v := &view{req: req}
	for _, name := range req.ordered() {
		h := req.Hosts[name]
		n := &node{name: name, f: &h, isNew: slices.Contains(req.NewHosts, name)}
		if slices.Contains(req.Unreadable, name) {
			h.Log, n.why = nil, "files unreadable"
		}
		v.nodes = append(v.nodes, n)
	}
	v.histories = sortHistories(v.nodes, req)
	v.findQuorum()
	v.chooseBest()
	v.findMembers()
	v.matchMembers()
	v.judgeData()
	return v
}

func (v *view) node(name string) *node {
	for _, n := range v.nodes {
		if n.name == name {
			return n
		}
	}
	return nil
}

// which lists the nodes that pass.
func (v *view) which(pass func(*node) bool) []*node {
	var out []*node
	for _, n := range v.nodes {
		if pass(n) {
			out = append(out, n)
		}
	}
	return out
}

func names(nodes []*node) []string {
	out := []string{}
	for _, n := range nodes {
		out = append(out, n.name)
	}
	return out
}

func (v *view) hostOf(m *facts.ClusterMember) *node {
	for _, n := range v.nodes {
		if n.member != nil && id(n.member.ID) == id(m.ID) {
			return n
		}
	}
	return nil
}

func (v *view) needed() int { return len(v.members)/2 + 1 }

func (v *view) hasQuorum() bool { return len(v.quorum) > 0 }

// findQuorum takes only the members of the real cluster: an empty cluster answers linearizable reads as well.
func (v *view) findQuorum() {
	for _, n := range v.nodes {
		if n.up() && n.f.Live.Quorum && v.histories.real(n) {
			v.quorum = append(v.quorum, n)
		}
	}
}
