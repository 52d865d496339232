package plan

import (
	"slices"
	"strings"
)

// clientsOf names the hosts for the modules that edit lists of URLs. Those lists have host names, addresses, or both, so every name that
// is known of a host goes along.
func (v *view) clientsOf(d *decision) Clients {
	c := Clients{Remove: []Client{}, Keep: []Client{}}
	for _, n := range v.nodes {
		switch {
		case slices.Contains(d.out, n.name):
			c.Remove = append(c.Remove, v.client(n))
		case !n.isNew || n.member != nil:
			c.Keep = append(c.Keep, v.client(n))
		}
	}
	for i := range v.members {
		m := &v.members[i]
		if name := v.memberName(m); v.hostOf(m) == nil && slices.Contains(d.out, name) {
			c.Remove = append(c.Remove, Client{Name: name, Aliases: others(name, hostsOf(m.PeerURLs), hostsOf(m.ClientURLs))})
		}
	}
	return withoutShared(c)
}

func (v *view) client(n *node) Client {
	lists := [][]string{v.req.Addresses[n.name]}
	if n.answered() {
		lists = append(lists, []string{n.f.Config.Name}, hostsOf(n.f.Config.PeerURLs), hostsOf(n.f.Config.ClientURLs))
	}
	if n.member != nil {
		lists = append(lists, []string{n.member.Name}, hostsOf(n.member.PeerURLs), hostsOf(n.member.ClientURLs))
	}
	return Client{Name: n.name, Aliases: others(n.name, lists...)}
}

func others(name string, lists ...[]string) []string {
	all := unique(slices.Concat(lists...))
	return slices.DeleteFunc(all, func(s string) bool {
		return s == name || strings.EqualFold(s, "localhost") || strings.HasPrefix(s, "127.") || s == "::1"
	})
}

// withoutShared: an address that a host which stays has as well must never lead to the removal of its URL.
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
