package plan

import (
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/rows"
)

// clientsOf names the hosts for the modules that edit lists of URLs. Those lists have host names, addresses, or both, so every known name of a
// host is in it.
func clientsOf(v *rows.View, d *rows.Decision) Clients {
	c := Clients{Remove: []Client{}, Keep: []Client{}, Members: clientsThatAreMembers(v)}
	for _, n := range v.Nodes {
		switch {
		case slices.Contains(d.Out, n.Name):
			c.Remove = append(c.Remove, client(v, n))
		case !n.IsNew || n.Member != nil:
			c.Keep = append(c.Keep, client(v, n))
		}
	}
	for i := range v.Members {
		m := &v.Members[i]
		if name := v.MemberName(m); v.HostOf(m) == nil && slices.Contains(d.Out, name) {
			c.Remove = append(c.Remove, withoutHost(v, m))
		}
	}
	c.Remove = append(c.Remove, leftToRemove(v, d, c)...)
	c.Lost = rows.LosesRevisions(v, d)
	return withoutShared(c)
}

// leftToRemove are the clients of earlier records, without hosts that are back since, or that this run removes.
func leftToRemove(v *rows.View, d *rows.Decision, c Clients) []Client {
	var left []Client
	for _, r := range rows.ClientsLeft(v, d).Remove {
		if !slices.ContainsFunc(slices.Concat(c.Keep, c.Remove), func(k Client) bool { return k.Name == r.Name || slices.Contains(k.Aliases, r.Name) }) {
			left = append(left, r)
		}
	}
	return left
}

// clientsThatAreMembers are the members that lists of URLs must name. Without quorum they are not known.
func clientsThatAreMembers(v *rows.View) []Client {
	out := []Client{}
	for i := range v.Members {
		switch n := v.HostOf(&v.Members[i]); {
		case !v.HasQuorum():
		case n != nil:
			out = append(out, client(v, n))
		default:
			out = append(out, withoutHost(v, &v.Members[i]))
		}
	}
	return out
}

func withoutHost(v *rows.View, m *facts.ClusterMember) Client {
	name := v.MemberName(m)
	return Client{Name: name, Aliases: others(name, histories.HostsOf(m.PeerURLs), histories.HostsOf(m.ClientURLs))}
}

func client(v *rows.View, n *histories.Node) Client {
	lists := [][]string{v.Req.Names()[n.Name]}
	if n.Answered() {
		lists = append(lists, []string{n.Facts.Config.Name}, histories.HostsOf(n.Facts.Config.PeerURLs), histories.HostsOf(n.Facts.Config.ClientURLs))
	}
	if n.Member != nil {
		lists = append(lists, []string{n.Member.Name}, histories.HostsOf(n.Member.PeerURLs), histories.HostsOf(n.Member.ClientURLs))
	}
	return Client{Name: n.Name, Aliases: others(n.Name, lists...)}
}

func others(name string, lists ...[]string) []string {
	all := histories.Unique(slices.Concat(lists...))
	return slices.DeleteFunc(all, func(s string) bool {
		return s == name || strings.EqualFold(s, "localhost") || strings.HasPrefix(s, "127.") || s == "::1"
	})
}

// withoutShared drops aliases that a host which stays has as well: they must never remove its URL.
func withoutShared(c Clients) Clients {
	var kept []string
	for _, k := range c.Keep {
		kept = append(append(kept, k.Name), k.Aliases...)
	}
	for i := range c.Remove {
		c.Remove[i].Aliases = slices.DeleteFunc(c.Remove[i].Aliases, func(a string) bool { return slices.Contains(kept, a) })
	}
	return c
}

// Clients is for the modules that edit lists of URLs. Keep protects the URLs of hosts that stay.
type Clients struct {
	Remove  []Client `json:"remove"`
	Keep    []Client `json:"-"`
	Members []Client `json:"members"` // of the cluster that has quorum, to compare lists with
	Lost    bool     `json:"lost"`    // clients may hold revisions that the cluster no longer has
}

// Client is a host as the URL modules match it.
type Client = facts.Client
