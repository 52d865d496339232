package histories

import (
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
)

// matchMembers finds each member's host: by the ID of its data, by the ID that its process answers, by peer URL, by a name or an address. A
// strong sign for one host counts before a weak sign for another. What two hosts have in common, such as the address of a bastion, or an ID in
// copied data, is a sign for neither.
func (c *Cluster) matchMembers() {
	own, book := c.ownNames(), c.namesByURL()
	named := func(n *Node, theirs []string) bool {
		return slices.ContainsFunc(theirs, func(name string) bool { return slices.Contains(own[n], facts.CanonicalHost(name)) })
	}
	for _, sign := range []func(*Node, *facts.ClusterMember) bool{
		func(n *Node, m *facts.ClusterMember) bool {
			return c.SameCluster(n) && n.DataID() != 0 && n.DataID() == m.ID
		},
		func(n *Node, m *facts.ClusterMember) bool {
			return c.SameCluster(n) && n.LiveID() != 0 && n.LiveID() == m.ID
		},
		func(n *Node, m *facts.ClusterMember) bool {
			return n.Answered() && facts.ShareURL(n.Facts.Config.PeerURLs, m.PeerURLs)
		},
		func(n *Node, m *facts.ClusterMember) bool {
			return named(n, slices.Concat([]string{m.Name}, HostsOf(m.PeerURLs), HostsOf(m.ClientURLs)))
		},
		func(n *Node, m *facts.ClusterMember) bool { return named(n, book[urlKey(m.PeerURLs)]) },
	} {
		c.matchBy(sign)
	}
}

// matchBy matches the pairs of which neither side has another partner.
func (c *Cluster) matchBy(sign func(*Node, *facts.ClusterMember) bool) {
	partners := map[*Node][]*facts.ClusterMember{}
	hosts := map[*facts.ClusterMember]int{}
	for _, m := range c.Homeless() {
		for _, n := range c.Nodes {
			if n.Member == nil && sign(n, m) {
				partners[n] = append(partners[n], m)
				hosts[m]++
			}
		}
	}
	for n, members := range partners {
		if len(members) == 1 && hosts[members[0]] == 1 {
			n.Member = members[0]
		}
	}
}

// ownNames are each host's names in the inventory, in etcd.conf, and in its own URLs, without those that mean more than one host.
func (c *Cluster) ownNames() map[*Node][]string {
	own, hosts := map[*Node][]string{}, map[string]int{}
	for _, n := range c.Nodes {
		all := append([]string{n.Name}, c.input.Addresses[n.Name]...)
		if conf := n.Facts.Config; n.Answered() {
			all = slices.Concat(all, []string{conf.Name}, HostsOf(conf.PeerURLs), HostsOf(conf.ClientURLs))
		}
		for i := range all {
			all[i] = facts.CanonicalHost(all[i])
		}
		own[n] = slices.DeleteFunc(Unique(all), IsLoopback)
		for _, name := range own[n] {
			hosts[name]++
		}
	}
	for n := range own {
		own[n] = slices.DeleteFunc(own[n], func(name string) bool { return hosts[name] > 1 })
	}
	return own
}

// namesByURL collects every record of who is at a peer URL: an unstarted member has no name, and an unreachable host can only be found by its
// name.
func (c *Cluster) namesByURL() map[string][]string {
	book := map[string][]string{}
	for _, n := range c.Nodes {
		for _, m := range n.Facts.Members {
			book[urlKey(m.PeerURLs)] = append(book[urlKey(m.PeerURLs)], m.Name)
		}
		for _, p := range n.initialCluster() {
			book[urlKey([]string{p.URL})] = append(book[urlKey([]string{p.URL})], p.Name)
		}
	}
	return book
}

func urlKey(urls []string) string {
	if len(urls) == 0 {
		return ""
	}
	return facts.CanonicalURL(urls[0])
}

// Homeless are the members without a known host.
func (c *Cluster) Homeless() []*facts.ClusterMember {
	var all []*facts.ClusterMember
	for i := range c.Members {
		if m := &c.Members[i]; c.HostOf(m) == nil {
			all = append(all, m)
		}
	}
	return all
}

// Strangers are hosts of [etcd] without a known member, and without a sign that they are none: they have neither data nor peer URLs of their own.
func (c *Cluster) Strangers() []*Node {
	return c.Which(func(n *Node) bool {
		return n.Member == nil && !n.IsNew && (!n.Answered() || !n.HasData() && !slices.ContainsFunc(HostsOf(n.Facts.Config.PeerURLs), func(h string) bool { return !IsLoopback(h) }))
	})
}
