package histories

import (
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
)

// SeenAt is what a host saw at one of the URLs; false where it did not look.
func SeenAt(sees map[string]facts.Seen, urls []string) (facts.Seen, bool) {
	for _, url := range SortedKeys(sees) {
		if facts.HasURL(urls, url) {
			return sees[url], true
		}
	}
	return facts.Seen{}, false
}

// SeenBy is a host that reaches the member, as one of this cluster, on its peer port.
func (c *Cluster) SeenBy(m *facts.ClusterMember) *Node {
	for _, n := range c.Nodes {
		if !n.Answered() || n.Member != nil && n.Member.ID == m.ID {
			continue
		}
		if seen, ok := SeenAt(n.Facts.Sees, m.PeerURLs); ok && seen.Error == "" && (c.ClusterID == 0 || seen.ClusterID == c.ClusterID) {
			return n
		}
	}
	return nil
}

// DownMembers do not take part: no linearizable read of their own succeeded, and (where Ansible cannot look) they do not answer their peers.
func (c *Cluster) DownMembers() []facts.ClusterMember {
	var down []facts.ClusterMember
	for _, m := range c.Members {
		n := c.HostOf(&m)
		if n != nil && n.Answered() {
			if len(Intersection(c.Quorum, []*Node{n})) == 0 {
				down = append(down, m)
			}
		} else if c.SeenBy(&m) == nil {
			down = append(down, m)
		}
	}
	return down
}

// GoneStarted are started members that nobody reaches.
func (c *Cluster) GoneStarted() []facts.ClusterMember {
	var gone []facts.ClusterMember
	for _, m := range c.Members {
		if n := c.HostOf(&m); c.Started(&m) && (n == nil || !n.Answered()) && c.SeenBy(&m) == nil {
			gone = append(gone, m)
		}
	}
	return gone
}

// Lists is true where the list has a member of this ID.
func Lists(members []facts.ClusterMember, memberID facts.ID) bool {
	return slices.ContainsFunc(members, func(m facts.ClusterMember) bool { return m.ID == memberID })
}
