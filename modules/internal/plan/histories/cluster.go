package histories

import (
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
)

// Input is what the histories are concluded from.
type Input struct {
	Hosts      map[string]Host
	Earlier    map[string]Host     // the same hosts some seconds before; may be empty
	Seen       map[string]Position // where logs ended in an earlier look of this run
	Order      []string            // the inventory's order; hosts that it lacks follow by name
	NewHosts   []string            // members of new_etcd: looked at, but not yet part of the cluster
	Addresses  map[string][]string // other names and addresses of hosts: from the inventory, and from the control node's resolver
	Unreadable []string            // hosts whose files could not be read in full when they were copied
	Chosen     string              // the host whose history the operator has chosen, whatever else is lost; "" where none is
}

// Ordered lists the hosts in the inventory's order.
func (r Input) Ordered() []string {
	var out []string
	for _, name := range r.Order {
		if _, ok := r.Hosts[name]; ok && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, name := range SortedKeys(r.Hosts) {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// Cluster is what the facts show about the cluster.
type Cluster struct {
	input     Input
	Nodes     []*Node // in the inventory's order
	Families  Families
	Quorum    []*Node // members of the real cluster that answered a linearizable read
	Best      *Node   // all other logs are compared with its log
	sound     []*Node // logs that no other contradicts
	Members   []facts.ClusterMember
	ClusterID facts.ID
	Splits    []Split // why no best log could be chosen
}

// Node is the host of this inventory name, nil where there is none.
func (c *Cluster) Node(name string) *Node {
	for _, n := range c.Nodes {
		if n.Name == name {
			return n
		}
	}
	return nil
}

// Which lists the nodes for which pass is true.
func (c *Cluster) Which(pass func(*Node) bool) []*Node {
	var out []*Node
	for _, n := range c.Nodes {
		if pass(n) {
			out = append(out, n)
		}
	}
	return out
}

// InOrder sorts nodes in the inventory's order.
func (c *Cluster) InOrder(nodes []*Node) []*Node {
	return Intersection(c.Nodes, nodes)
}

// HostOf is the host that a member was matched to; nil where there is none.
func (c *Cluster) HostOf(m *facts.ClusterMember) *Node {
	for _, n := range c.Nodes {
		if n.Member != nil && n.Member.ID == m.ID {
			return n
		}
	}
	return nil
}

// Needed is the number of members that make a majority.
func (c *Cluster) Needed() int { return len(c.Members)/2 + 1 }

// HasQuorum is true where a member of the real cluster answered a linearizable read.
func (c *Cluster) HasQuorum() bool { return len(c.Quorum) > 0 }

// accepted is the host that the operator named as survivor, with the loss accepted.
func (c *Cluster) accepted(among []*Node) *Node {
	for _, n := range among {
		if n.Name == c.input.Chosen && !c.HasQuorum() {
			return n
		}
	}
	return nil
}

// CAHost is the first reachable host that has the CA's key; "" where none has.
func (c *Cluster) CAHost() string {
	for _, n := range c.Nodes {
		if n.Answered() && n.Facts.CAKey {
			return n.Name
		}
	}
	return ""
}

// CARenewalHost is the host from which a new CA is being rolled out; "" where none is.
func (c *Cluster) CARenewalHost() string {
	for _, n := range c.Nodes {
		if n.Answered() && n.Facts.CARenewal != "" {
			return n.Name
		}
	}
	return ""
}
