package plan

import (
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
)

// findMembers takes the current membership from a member that has quorum, else from the best log's host, else (no log can be read)
// from whoever runs. The inventory is never asked: after a forced start, or half-way through the joins, it is wrong.
func (v *view) findMembers() {
	var sources []*node
	if v.best != nil {
		sources = append(sources, v.best)
	}
	sources = append(sources, v.quorum...)
	if v.best == nil && len(v.split) == 0 {
		sources = append(sources, v.which(func(n *node) bool { return n.up() })...)
		sources = append(sources, v.which(func(n *node) bool { return n.answered() })...)
	}
	for _, n := range sources {
		if len(n.f.Members) == 0 {
			continue
		}
		v.members, v.clusterID = sortedMembers(n.f.Members), n.cluster()
		return
	}
	if v.best != nil {
		v.clusterID = v.best.cluster()
	}
}

// sortedMembers drops repetitions of an ID: two entries of one member would count twice in the majority.
func sortedMembers(in []facts.ClusterMember) []facts.ClusterMember {
	var out []facts.ClusterMember
	for _, m := range in {
		if !slices.ContainsFunc(out, func(o facts.ClusterMember) bool { return id(o.ID) == id(m.ID) }) {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b facts.ClusterMember) int {
		switch {
		case id(a.ID) < id(b.ID):
			return -1
		case id(a.ID) > id(b.ID):
			return 1
		}
		return 0
	})
	return out
}

// matchMembers finds each member's host: by the ID of its data, by the ID that its process answers, by peer URL, by name. A sure sign
// of one host goes before a weak sign of another.
func (v *view) matchMembers() {
	book := v.namesByURL()
	signs := []func(*node, *facts.ClusterMember) bool{
		func(n *node, m *facts.ClusterMember) bool {
			return v.sameCluster(n) && n.dataID() != "" && n.dataID() == id(m.ID)
		},
		func(n *node, m *facts.ClusterMember) bool {
			return v.sameCluster(n) && n.liveID() != "" && n.liveID() == id(m.ID)
		},
		func(n *node, m *facts.ClusterMember) bool {
			return n.answered() && shareURL(n.f.Config.PeerURLs, m.PeerURLs)
		},
		func(n *node, m *facts.ClusterMember) bool { return v.namedAs(n, append(hostsOf(m.PeerURLs), m.Name)) },
		func(n *node, m *facts.ClusterMember) bool { return v.namedAs(n, book[urlKey(m.PeerURLs)]) },
	}
	for _, sign := range signs {
		for i := range v.members {
			m := &v.members[i]
			if v.hostOf(m) != nil {
				continue
			}
			for _, n := range v.nodes {
				if n.member == nil && sign(n, m) {
					n.member = m
					break
				}
			}
		}
	}
}

// sameCluster keeps data of a foreign cluster from being taken for a member by its ID, which is made from names and URLs.
func (v *view) sameCluster(n *node) bool {
	return n.cluster() == "" || v.clusterID == "" || n.cluster() == v.clusterID
}

// namesByURL is what anybody ever wrote down about who is at a peer URL: an unstarted member has no name, and an unreachable host can
// only be found by its name.
func (v *view) namesByURL() map[string][]string {
	book := map[string][]string{}
	for _, n := range v.nodes {
		for _, m := range n.f.Members {
			book[urlKey(m.PeerURLs)] = append(book[urlKey(m.PeerURLs)], m.Name)
		}
		for _, part := range strings.Split(n.f.Config.InitialCluster, ",") {
			if name, url, ok := strings.Cut(part, "="); ok {
				book[urlKey([]string{url})] = append(book[urlKey([]string{url})], name)
			}
		}
	}
	return book
}

func urlKey(urls []string) string {
	if len(urls) == 0 {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(urls[0], "/"))
}

func (v *view) namedAs(n *node, theirs []string) bool {
	own := append([]string{n.name}, v.req.Addresses[n.name]...)
	if n.answered() {
		own = append(own, n.f.Config.Name)
	}
	return slices.ContainsFunc(own, func(a string) bool {
		return slices.ContainsFunc(theirs, func(b string) bool { return sameName(a, b) })
	})
}

func (v *view) started(m *facts.ClusterMember) bool { return m.Name != "" }
