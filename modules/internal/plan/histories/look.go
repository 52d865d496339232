// Package histories concludes from the facts of all hosts how they belong to one cluster: which logs share a history (family.go), which of those
// is the cluster's (look.go), whose log all others are compared with (best.go), who is a member and on which host (members.go), who sees whom
// (peers.go), and whether each host's data is usable (usable.go). It makes no decision and no text.
package histories

import "slices"

// Look makes all conclusions, one after the other: each step uses the results of those before it.
func Look(f Input) *Cluster {
	v := &Cluster{input: f}
	for _, name := range f.Ordered() {
		h := f.Hosts[name]
		n := &Node{Name: name, Facts: &h, IsNew: slices.Contains(f.NewHosts, name)}
		beforeForcing(&h)
		if slices.Contains(f.Unreadable, name) {
			h.Log, n.Why = nil, "files unreadable"
		}
		v.Nodes = append(v.Nodes, n)
	}
	v.Families = sortFamilies(v.Nodes, f.Chosen)
	v.findQuorum()
	v.keepChosenSide()
	v.findSuperseded()
	v.findLeftOut()
	v.chooseBest()
	v.findMembers()
	v.matchMembers()
	v.findCopies()
	v.judgeData()
	v.findSeen()
	return v
}

// findQuorum counts only members of the real cluster: an empty cluster answers linearizable reads as well.
func (c *Cluster) findQuorum() {
	for _, n := range c.Nodes {
		if n.Up() && n.Facts.Live.Quorum && c.Families.Real(n) {
			c.Quorum = append(c.Quorum, n)
		}
	}
}

// keepChosenSide applies where two sides serve that contradict each other: only the side whose writes the operator chose to keep counts as having
// quorum.
func (c *Cluster) keepChosenSide() {
	chosen := c.Node(c.input.Chosen)
	if chosen == nil || !slices.Contains(c.Quorum, chosen) || !chosen.Readable() {
		return
	}
	c.Quorum = slices.DeleteFunc(c.Quorum, func(n *Node) bool {
		both := []*Node{chosen, n}
		return n.Readable() && (contradictedBy(chosen, both) != nil || contradictedBy(n, both) != nil) || n.Excludes(chosen) || chosen.Excludes(n)
	})
}

// Excludes is true where n's list says that o is no member. If two processes have quorum and one Excludes the other, they are of two clusters.
func (n *Node) Excludes(o *Node) bool {
	return o.LiveID() != 0 && len(n.Facts.Members) > 0 && !Lists(n.Facts.Members, o.LiveID())
}
