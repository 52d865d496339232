package histories

import (
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
)

// findCopies looks for data of a member that another host is, or holds as well, as after somebody has copied a data directory, or cloned a host.
// Two processes of one member vote twice, so such data counts for nobody, and such a process is no part of the quorum.
func (c *Cluster) findCopies() {
	for _, n := range c.Which((*Node).HasData) {
		if c.memberByID(n.DataID()) == nil || !c.SameCluster(n) || c.DataIsMembers(n) {
			continue
		}
		holders := c.Which(func(o *Node) bool { return o != n && o.DataID() == n.DataID() && c.SameCluster(o) })
		if len(holders) == 0 {
			continue
		}
		n.CopyOf = holders[0]
		if i := slices.IndexFunc(holders, c.DataIsMembers); i >= 0 {
			n.CopyOf = holders[i]
		}
	}
	c.Quorum = slices.DeleteFunc(c.Quorum, func(n *Node) bool { return n.CopyOf != nil })
}

// Moved is true where the data is of a member whose peer URL is another host's by its etcd.conf, or where this host's own is another member's. It can
// be forced, which writes the URL anew; started with others, it would be looked for at the other host, and may meet its original there.
func (c *Cluster) Moved(n *Node) bool {
	if !c.DataIsMembers(n) || facts.ShareURL(n.Facts.Config.PeerURLs, n.Member.PeerURLs) {
		return false
	}
	others := slices.ContainsFunc(c.Members, func(m facts.ClusterMember) bool { return facts.ShareURL(n.Facts.Config.PeerURLs, m.PeerURLs) })
	return others || slices.ContainsFunc(c.Nodes, func(o *Node) bool {
		return o != n && o.Answered() && facts.ShareURL(o.Facts.Config.PeerURLs, n.Member.PeerURLs)
	})
}
