package plan

import (
	"fmt"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
)

// network: a forced start beside a cluster that lives elsewhere would make two clusters of one.
func network(v *view) *decision {
	var found []string
	found = append(found, v.seenButNotReached()...)
	found = append(found, v.seenDifferently()...)
	found = append(found, v.quorumElsewhere()...)
	if len(found) == 0 {
		return nil
	}
	return refuse(Refusal{
		Code: "network",
		Msg:  "this is the network, not a lost quorum: " + strings.Join(found, "; "),
		Hint: "repair the connection between these hosts (firewall, routes, certificates), then run it again: " + v.req.playbook("check_quorum.yml"),
	})
}

// seenButNotReached: without quorum, a member that answers its peers but not Ansible cannot be fenced.
func (v *view) seenButNotReached() []string {
	if v.hasQuorum() {
		return nil
	}
	var found []string
	for i := range v.members {
		m := &v.members[i]
		if n := v.hostOf(m); n != nil && n.answered() {
			continue
		}
		if by := v.seenBy(m); by != nil {
			found = append(found, fmt.Sprintf("etcd on %s answers %s on its peer port, but Ansible cannot reach it", v.memberName(m), by.name))
		}
	}
	return found
}

// seenDifferently: some hosts reach a running member and others do not, or it serves clients and no other host reaches it.
func (v *view) seenDifferently() []string {
	var found []string
	for _, n := range v.nodes {
		if !n.up() || n.member == nil || n.f.State == facts.Starting {
			continue
		}
		good, bad := v.witnesses(n)
		if len(bad) > 0 && (len(good) > 0 || n.f.Live.Serves) {
			found = append(found, fmt.Sprintf("etcd runs on %s, and %s cannot reach its peer port", n.name, and(names(bad))))
		}
	}
	return found
}

// witnesses are the other hosts that reach n's peer port, and those that do not, in both looks.
func (v *view) witnesses(n *node) (good, bad []*node) {
	for _, o := range v.nodes {
		if o == n || !o.answered() {
			continue
		}
		seen, ok := seenAt(o.f.Sees, n.member.PeerURLs)
		if !ok {
			continue
		}
		if seen.Error == "" {
			good = append(good, o)
			continue
		}
		before, ok := v.req.Earlier[o.name]
		if earlier, had := seenAt(before.Sees, n.member.PeerURLs); ok && had && earlier.Error == "" {
			continue // a moment ago it did
		}
		if !ownFault(seen.Error) {
			bad = append(bad, o)
		}
	}
	return good, bad
}

// ownFault: the host that asks has no usable certificate, which says nothing of the network. Certificates have checks of their own.
func ownFault(message string) bool {
	for _, sign := range []string{"no such file", "permission denied", "certificate", "x509", "tls:"} {
		if strings.Contains(strings.ToLower(message), sign) {
			return true
		}
	}
	return false
}

func seenAt(sees map[string]facts.Seen, urls []string) (facts.Seen, bool) {
	for _, url := range sortedKeys(sees) {
		if shareURL([]string{url}, urls) {
			return sees[url], true
		}
	}
	return facts.Seen{}, false
}

// seenBy is a host that reaches the member on its peer port, with quorum one that has it.
func (v *view) seenBy(m *facts.ClusterMember) *node {
	for _, n := range v.nodes {
		if !n.answered() || n.member != nil && id(n.member.ID) == id(m.ID) {
			continue
		}
		if seen, ok := seenAt(n.f.Sees, m.PeerURLs); ok && seen.Error == "" && (v.clusterID == "" || id(seen.ClusterID) == v.clusterID) {
			return n
		}
	}
	return nil
}

// quorumElsewhere: two sets of members have quorum, or one has it that knows nothing of the newest data.
func (v *view) quorumElsewhere() []string {
	if len(v.quorum) == 0 {
		return nil
	}
	var found []string
	for _, a := range v.quorum {
		for _, b := range v.quorum {
			if b.liveID() != "" && len(a.f.Members) > 0 && !lists(a.f.Members, b.liveID()) {
				found = append(found, fmt.Sprintf("%s has quorum, and so has %s, which is none of its members", a.name, b.name))
			}
		}
	}
	if v.best == nil && v.histories.main >= 0 {
		if f := v.histories.families[v.histories.main]; f.revision() > v.quorum[0].f.Live.Revision {
			found = append(found, fmt.Sprintf("%s has quorum at revision %d, but %s holds revision %d",
				v.quorum[0].name, v.quorum[0].f.Live.Revision, f.nodes[0].name, f.revision()))
		}
	}
	return found
}

func lists(members []facts.ClusterMember, memberID string) bool {
	return slices.ContainsFunc(members, func(m facts.ClusterMember) bool { return id(m.ID) == memberID })
}

// memberName is the host's name where there is one, else the member's, else its ID: an unstarted member has no name.
func (v *view) memberName(m *facts.ClusterMember) string {
	if n := v.hostOf(m); n != nil {
		return n.name
	}
	if m.Name != "" {
		return m.Name
	}
	if hosts := hostsOf(m.PeerURLs); len(hosts) > 0 {
		return hosts[0]
	}
	return "member " + m.ID
}

// downMembers do not take part: neither a linearizable read of their own, nor (where Ansible cannot look) an answer to their peers.
func (v *view) downMembers() []facts.ClusterMember {
	var down []facts.ClusterMember
	for _, m := range v.members {
		n := v.hostOf(&m)
		if n != nil && n.answered() {
			if len(intersection(v.quorum, []*node{n})) == 0 {
				down = append(down, m)
			}
		} else if v.seenBy(&m) == nil {
			down = append(down, m)
		}
	}
	return down
}
