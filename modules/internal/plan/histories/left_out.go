package histories

import (
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
)

// findLeftOut looks for data that another host's cluster has dropped, where no fence says so. A host that joins gets the list of that day in its
// etcd.conf before its fence is lifted, and keeps it if its new data is lost again.
func (c *Cluster) findLeftOut() {
	joined := c.Which(func(n *Node) bool {
		return n.Answered() && !n.Readable() && n.Facts.Config.InitialClusterState == "existing" && n.inList(n.initialCluster())
	})
	for _, n := range c.Which((*Node).Readable) {
		for _, x := range joined {
			if c.leftOut(n, x) {
				n.LeftOutBy = append(n.LeftOutBy, x)
			}
		}
	}
}

// leftOut is true where the list that x was to join lacks n, n's own list has x, and no host on x's list still lists n.
func (c *Cluster) leftOut(n, x *Node) bool {
	list := x.initialCluster()
	known := slices.ContainsFunc(n.Facts.Members, func(m facts.ClusterMember) bool { return facts.ShareURL(m.PeerURLs, x.PeerURLs()) })
	if !known || n.inList(list) || len(c.JoinedWith(x)) == 0 {
		return false
	}
	return !slices.ContainsFunc(c.Nodes, func(o *Node) bool {
		return o != x && o.inList(list) && o.Readable() && o.Facts.Forcing == nil && o.Lists(n.DataID()) && !o.apartFrom(n)
	})
}

// JoinedWith are the names of the hosts whose cluster x was to join. Data that cannot be read counts as that cluster's, too.
func (c *Cluster) JoinedWith(x *Node) (names []string) {
	for _, each := range x.initialCluster() {
		if !facts.HasURL(x.PeerURLs(), each.URL) {
			names = append(names, c.nameAt(each))
		}
	}
	if x.HasData() {
		names = append(names, x.Name)
	}
	return Unique(names)
}

func (c *Cluster) nameAt(p facts.Listed) string {
	for _, n := range c.Nodes {
		if facts.HasURL(n.allPeerURLs(), p.URL) || !n.Answered() && sameName(n.Name, p.Name) {
			return n.Name
		}
	}
	return p.Name
}

func (n *Node) initialCluster() []facts.Listed {
	return facts.ParseInitialCluster(n.Facts.Config.InitialCluster)
}

func (n *Node) inList(list []facts.Listed) bool {
	return slices.ContainsFunc(list, func(p facts.Listed) bool { return facts.HasURL(n.allPeerURLs(), p.URL) })
}

// allPeerURLs are also those that its own data lists: a host that has moved has others in its etcd.conf.
func (n *Node) allPeerURLs() []string {
	urls := n.PeerURLs()
	for _, m := range n.Facts.Members {
		if m.ID == n.DataID() {
			urls = append(urls, m.PeerURLs...)
		}
	}
	return urls
}
