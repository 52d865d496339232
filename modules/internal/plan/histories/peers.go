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

// Dropped is a member that a list no longer has, and that answers.
type Dropped struct {
	Name, URL string
	By        *Node // who asked it
}

// AnsweringDropped are removed members of this cluster that Ansible does not reach, and that answer at a URL which some host's etcd.conf still names.
func (c *Cluster) AnsweringDropped() (all []Dropped) {
	for _, n := range c.Nodes {
		for _, each := range n.initialCluster() {
			seen, ok := SeenAt(n.Facts.Sees, []string{each.URL})
			if !n.Answered() || !ok || seen.Error != "" || c.ClusterID != 0 && seen.ClusterID != c.ClusterID {
				continue
			}
			known := slices.ContainsFunc(c.Members, func(m facts.ClusterMember) bool { return facts.HasURL(m.PeerURLs, each.URL) }) ||
				slices.ContainsFunc(c.Nodes, func(o *Node) bool { return o.Answered() && facts.HasURL(o.allPeerURLs(), each.URL) }) ||
				slices.ContainsFunc(all, func(d Dropped) bool { return facts.HasURL([]string{d.URL}, each.URL) })
			if !known {
				all = append(all, Dropped{c.nameAt(each), each.URL, n})
			}
		}
	}
	return all
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
