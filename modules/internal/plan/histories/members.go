package histories

import (
	"cmp"
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
)

// findMembers takes the current membership from a member that has quorum, else from the best log's host, else (no log can be read) from any host
// that runs. It never uses the inventory: after a forced start, or half-way through the joins, that is wrong.
func (c *Cluster) findMembers() {
	var sources []*Node
	if c.Best != nil {
		sources = append(sources, c.Best)
	}
	sources = append(sources, c.Quorum...)
	if c.Best == nil && len(c.Splits) == 0 {
		sources = append(sources, c.Which(func(n *Node) bool { return n.Up() })...)
		sources = append(sources, c.Which(func(n *Node) bool { return n.Answered() })...)
	}
	for _, n := range sources {
		if len(n.Facts.Members) == 0 {
			continue
		}
		c.Members, c.ClusterID = sortedMembers(n.Facts.Members), n.ClusterID()
		return
	}
	if c.Best != nil {
		c.ClusterID = c.Best.ClusterID()
	}
}

// sortedMembers drops repeated IDs: two entries of one member would count twice in the majority.
func sortedMembers(in []facts.ClusterMember) []facts.ClusterMember {
	var out []facts.ClusterMember
	for _, m := range in {
		if !slices.ContainsFunc(out, func(o facts.ClusterMember) bool { return o.ID == m.ID }) {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b facts.ClusterMember) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// SameCluster prevents that the ID of a foreign cluster's data counts as a member's: IDs are made from names and URLs.
func (c *Cluster) SameCluster(n *Node) bool {
	return n.ClusterID() == 0 || c.ClusterID == 0 || n.ClusterID() == c.ClusterID
}

// Started is false for a member that was added and never started: it has no name.
func (c *Cluster) Started(m *facts.ClusterMember) bool { return m.Name != "" }

// Member is an entry of the current membership, with its host ("" where no host of the inventory was matched).
type Member struct {
	ID         facts.ID `json:"id"`
	Name       string   `json:"name"`
	PeerURLs   []string `json:"peer_urls"`
	ClientURLs []string `json:"client_urls"`
	Host       string   `json:"host"`
}

// MemberList is the current membership, by ID.
func (c *Cluster) MemberList() []Member {
	list := []Member{}
	for i := range c.Members {
		list = append(list, c.MemberOf(&c.Members[i]))
	}
	return list
}

// MemberOf is a member's entry.
func (c *Cluster) MemberOf(m *facts.ClusterMember) Member {
	out := Member{ID: m.ID, Name: m.Name, PeerURLs: Unique(m.PeerURLs), ClientURLs: Unique(m.ClientURLs)}
	if n := c.HostOf(m); n != nil {
		out.Host = n.Name
	}
	return out
}

// MemberName is the host's name if there is one, else the member's, else its ID: an unstarted member has no name.
func (c *Cluster) MemberName(m *facts.ClusterMember) string {
	if n := c.HostOf(m); n != nil {
		return n.Name
	}
	if m.Name != "" {
		return m.Name
	}
	if hosts := HostsOf(m.PeerURLs); len(hosts) > 0 {
		return hosts[0]
	}
	return "member " + m.ID.String()
}

// NamesInOrder are these names in the inventory's order, and behind them those of members without a host.
func (c *Cluster) NamesInOrder(names []string) []string {
	at := func(name string) int {
		if i := slices.IndexFunc(c.Nodes, func(n *Node) bool { return n.Name == name }); i >= 0 {
			return i
		}
		return len(c.Nodes)
	}
	slices.SortStableFunc(names, func(a, b string) int { return at(a) - at(b) })
	return names
}

// DataIsMembers is true where the data's ID is that of the host's entry in the list.
func (c *Cluster) DataIsMembers(n *Node) bool {
	return n.Member != nil && c.SameCluster(n) && n.DataID() != 0 && n.DataID() == n.Member.ID
}
