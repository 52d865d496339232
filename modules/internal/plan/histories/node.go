package histories

import "etcd-quorum-restore/modules/internal/facts"

// Node is one host with all conclusions about it.
type Node struct {
	Name   string
	Facts  *Host
	IsNew  bool // of new_etcd
	Member *facts.ClusterMember
	Data   Verdict
	Why    string // a few words on the verdict

	CopyOf       *Node    // the host that holds the same member's data, see copies.go
	Seen         Position // the best end of its log, see seen.go
	SupersededBy []Favour // fences whose survivor went on without this host's data, see superseded.go
	LeftOutBy    []*Node  // hosts that were to join a cluster without it, see left_out.go
}

// Answered is true where Ansible reached the host and etcd_host_info ran there.
func (n *Node) Answered() bool {
	return !n.Facts.Unreachable && !n.Facts.Failed && n.Facts.Runtime != ""
}

// Broken is true where Ansible reached the host, but there are no facts of it. It may run etcd.
func (n *Node) Broken() bool { return !n.Facts.Unreachable && !n.Answered() }

// Up is true where a process of etcd exists, whether or not it answers.
func (n *Node) Up() bool {
	return n.Answered() && (n.Facts.State == facts.Running || n.Facts.State == facts.Starting || n.Facts.Live.Serves)
}

// Fenced is true where the record of a fence is on the host.
func (n *Node) Fenced() bool { return n.Answered() && n.Facts.Fenced != nil }

// HasData is true where there is a member directory, or something that could be one. Only a host that certainly has none counts as empty.
func (n *Node) HasData() bool {
	return n.Answered() && (n.Facts.Member != nil || n.Facts.Log != nil || n.Facts.Database != nil || (n.Facts.DataDir.Exists && !n.Facts.DataDir.Empty))
}

// Readable is true where the log can be compared with others.
func (n *Node) Readable() bool {
	return n.Answered() && n.Facts.Log != nil && n.Facts.Member != nil && n.Facts.Member.ID != 0 && n.Facts.Member.ClusterID != 0 &&
		n.Facts.Log.LastIndex > 0 && len(n.Facts.Log.Damage) == 0 && n.Facts.Database != nil
}

// justJoined is true where the log is whole and has no entry yet.
func (n *Node) justJoined() bool {
	return n.Answered() && n.Facts.Log != nil && n.Facts.Log.LastIndex == 0 && len(n.Facts.Log.Damage) == 0 && n.Facts.Database != nil
}

// DataID is the member ID of the data, 0 where there is none.
func (n *Node) DataID() facts.ID {
	if n.Answered() && n.Facts.Member != nil {
		return n.Facts.Member.ID
	}
	return 0
}

// LiveID is the member ID that the process answers; 0 where none answers.
func (n *Node) LiveID() facts.ID {
	if n.Answered() {
		return n.Facts.Live.MemberID
	}
	return 0
}

// ClusterID is the ID of the cluster that the data, or else the process, belongs to.
func (n *Node) ClusterID() facts.ID {
	switch {
	case !n.Answered():
		return 0
	case n.Facts.Member != nil && n.Facts.Member.ClusterID != 0:
		return n.Facts.Member.ClusterID
	}
	return n.Facts.Live.ClusterID
}

// EtcdName is ETCD_NAME: what etcd.conf says now, else the member list.
func (n *Node) EtcdName() string {
	switch {
	case n.Answered() && n.Facts.Config.Name != "":
		return n.Facts.Config.Name
	case n.Member != nil:
		return n.Member.Name
	}
	return ""
}

// PeerURLs are those of etcd.conf, else those of the member list.
func (n *Node) PeerURLs() []string {
	switch {
	case n.Answered() && len(n.Facts.Config.PeerURLs) > 0:
		return Unique(n.Facts.Config.PeerURLs)
	case n.Member != nil:
		return Unique(n.Member.PeerURLs)
	}
	return []string{}
}

// ClientURLs are those of etcd.conf, else those of the member list.
func (n *Node) ClientURLs() []string {
	switch {
	case n.Answered() && len(n.Facts.Config.ClientURLs) > 0:
		return Unique(n.Facts.Config.ClientURLs)
	case n.Member != nil:
		return Unique(n.Member.ClientURLs)
	}
	return []string{}
}

// Names are the nodes' inventory names.
func Names(nodes []*Node) []string {
	out := []string{}
	for _, n := range nodes {
		out = append(out, n.Name)
	}
	return out
}

// Intersection has the nodes of the first list that are also in the second.
func Intersection(a, b []*Node) []*Node {
	var out []*Node
	for _, x := range a {
		for _, y := range b {
			if x == y {
				out = append(out, x)
			}
		}
	}
	return out
}

// OwnID is the member ID of the data, or else the one that the process answers.
func (n *Node) OwnID() facts.ID {
	if known := n.DataID(); known != 0 {
		return known
	}
	return n.LiveID()
}
