package rows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// network refuses where a cluster may run that this look does not reach: a forced start beside it would make two clusters of one.
func network(v *View) *Decision {
	var found []string
	found = append(found, seenButNotReached(v)...)
	dropped := droppedButAnswer(v)
	found = append(found, inWords(dropped)...)
	found = append(found, seenDifferently(v)...)
	found = append(found, quorumElsewhere(v)...)
	if len(found) == 0 {
		return nil
	}
	hint := "repair the connection between these hosts (firewall, routes, certificates), then run it again: " + v.Req.Playbook("check_quorum.yml")
	if left := seenButNoHost(v); len(left) > 0 {
		hint = fmt.Sprintf("write %s into [etcd] of the inventory again, so that it can be fenced, or power it off; then run it again: %s",
			wording.And(left), v.Req.Playbook("check_quorum.yml"))
	}
	lead := "this is the network, not a lost quorum"
	switch a, b := twoClusters(v); {
	case len(dropped) == len(found):
		lead = "a removed member still runs, and may serve clients"
		if len(v.Members) == 0 {
			lead = "etcd runs where Ansible cannot reach it, and may have all data"
		}
		if v.Node(dropped[0].Name) != nil {
			hint = reachOrPowerOff(v, dropped[0].Name)
		}
	case a != nil:
		hint = fmt.Sprintf("repair the connection between these hosts, if one is broken, and look again with check_quorum.yml; if one cluster has split into two, "+
			"choose whose writes to keep, and name %s or %s; the other's data is set aside, never deleted: %s",
			a.Name, b.Name, v.Req.With("etcd_survivor=HOST", "etcd_accept_loss=yes"))
	case len(found) == len(seenButNotReached(v)):
		hint = startOrRepair(v, hint)
	}
	return refuse(Refusal{Code: "network", Msg: lead + ": " + strings.Join(found, "; "), Hint: hint})
}

// reachOrPowerOff: nothing is known of the others' members where no list could be read, so the host may hold the only data.
func reachOrPowerOff(v *View, name string) string {
	if len(v.Members) == 0 {
		return fmt.Sprintf("make %s reachable for Ansible (on its console: systemctl status sshd), then run it again: %s", name, v.Req.Again())
	}
	return fmt.Sprintf("make %s reachable for Ansible, so that it can be fenced, or power it off; then run it again: %s", name, v.Req.Playbook("check_quorum.yml"))
}

// startOrRepair: where members answer their peers, the ones that are stopped here may be the missing votes. The start is left to somebody who
// knows that the others still have their data: one that was wiped answers in the same way, and its vote could elect an older log.
func startOrRepair(v *View, repair string) string {
	ready := v.Which(func(n *histories.Node) bool {
		return n.Data == histories.Usable && v.DataIsMembers(n) && !n.Up() && !n.Fenced() && !n.Superseded() && !n.ForcingBegun() && !n.ForcedPending()
	})
	var seen []string
	for i := range v.Members {
		m := &v.Members[i]
		by, n := v.SeenBy(m), v.HostOf(m)
		if n == nil || n.Answered() || by == nil {
			continue
		}
		if at, _ := histories.SeenAt(by.Facts.Sees, m.PeerURLs); at.Members != len(v.Members) || at.ID != m.ID {
			return repair // it may have been forced
		}
		seen = append(seen, n.Name)
	}
	missing := v.Needed() - len(seen) - len(v.Which(func(n *histories.Node) bool { return n.Data == histories.Usable && n.Up() && v.DataIsMembers(n) }))
	if missing < 1 || missing > len(ready) {
		return repair
	}
	return fmt.Sprintf("make %s reachable for Ansible, and run it again; if that takes too long, and its data was never wiped or put back from a copy, "+
		"a start of the stopped members may give quorum, without a forced start: ansible %s -i %s -m etcd_service -a state=started", wording.And(seen), strings.Join(histories.Names(ready), ","), v.Req.Sources())
}

// seenButNotReached are, without quorum, members that answer their peers but not Ansible: they cannot be fenced.
func seenButNotReached(v *View) []string {
	if v.HasQuorum() {
		return nil
	}
	var found []string
	for i := range v.Members {
		m := &v.Members[i]
		if n := v.HostOf(m); n != nil && n.Answered() {
			continue
		}
		if by := v.SeenBy(m); by != nil {
			found = append(found, fmt.Sprintf("etcd on %s answers %s on its peer port, but Ansible cannot reach it", v.MemberName(m), by.Name))
		}
	}
	return found
}

// droppedButAnswer are, without quorum, removed members that run and that Ansible does not reach: they may have been forced by hand, and serve clients.
func droppedButAnswer(v *View) []histories.Dropped {
	if v.HasQuorum() {
		return nil
	}
	return v.AnsweringDropped()
}

func inWords(dropped []histories.Dropped) (found []string) {
	for _, d := range dropped {
		found = append(found, fmt.Sprintf("etcd on %s answers %s at %s, and Ansible cannot reach it", d.Name, d.By.Name, d.URL))
	}
	return found
}

// seenButNoHost are hosts whose etcd answers and that Ansible does not know, such as those that an earlier restore left out.
func seenButNoHost(v *View) (names []string) {
	if v.HasQuorum() {
		return nil
	}
	for _, d := range droppedButAnswer(v) {
		if v.Node(d.Name) == nil {
			names = append(names, d.Name)
		}
	}
	for _, m := range v.Homeless() {
		if v.SeenBy(m) != nil {
			names = append(names, v.MemberName(m))
		}
	}
	return names
}

// seenDifferently are running members that some hosts reach and others do not, or that serve clients, or answer their own host on the peer port,
// while no other host reaches them.
func seenDifferently(v *View) []string {
	var found []string
	for _, n := range v.Nodes {
		listens := n.Facts.MembersFrom == "peer_port"
		if !n.Up() || n.Member == nil || n.Facts.MovedFrom != "" || n.Facts.State == facts.Starting && !listens {
			continue
		}
		if _, ended := v.Req.StartEnded[n.Name]; ended || justStarted(n) {
			continue // it ends and is started again: who reached it found it running by chance
		}
		good, bad := witnesses(v, n)
		if len(bad) > 0 && (len(good) > 0 || n.Facts.Live.Serves || listens) {
			found = append(found, fmt.Sprintf("etcd runs on %s, and %s cannot reach its peer port", n.Name, wording.And(histories.Names(bad))))
		}
	}
	return found
}

// hardlyUp is for how long a process may have been missed by a host that looked a moment earlier: the hosts do not all look at the same time.
const hardlyUp = 10 * time.Second

// justStarted goes by the host's own clock.
func justStarted(n *histories.Node) bool {
	began, err := time.Parse(time.RFC3339, n.Facts.StartedAt)
	now, also := time.Parse(time.RFC3339, n.Facts.Clock)
	return err == nil && also == nil && !began.After(now) && now.Sub(began) < hardlyUp
}

// witnesses are the other hosts that reach n's peer port, and those that do not, in both looks.
func witnesses(v *View, n *histories.Node) (good, bad []*histories.Node) {
	for _, o := range v.Nodes {
		if o == n || !o.Answered() {
			continue
		}
		seen, ok := histories.SeenAt(o.Facts.Sees, n.Member.PeerURLs)
		if !ok {
			continue
		}
		if seen.Error == "" {
			good = append(good, o)
			continue
		}
		before, ok := v.Req.Earlier[o.Name]
		if earlier, had := histories.SeenAt(before.Sees, n.Member.PeerURLs); ok && had && earlier.Error == "" {
			continue // a moment ago it reached it
		}
		if takesPart(v, o) && !isLocalTLSError(seen.Error) {
			bad = append(bad, o)
		}
	}
	return good, bad
}

// BlindNewHosts are empty hosts of new_etcd that do not reach the peer port of a member that runs. They do not block a restore.
func BlindNewHosts(v *View) []*histories.Node {
	return v.Which(func(o *histories.Node) bool {
		return o.Answered() && !takesPart(v, o) && slices.ContainsFunc(v.Nodes, func(n *histories.Node) bool {
			if !n.Up() || n.Member == nil {
				return false
			}
			seen, ok := histories.SeenAt(o.Facts.Sees, n.Member.PeerURLs)
			return ok && seen.Error != ""
		})
	})
}

// isLocalTLSError is true where the asking host has no usable certificate, which says nothing about the network. Certificates have checks of
// their own.
func isLocalTLSError(message string) bool {
	for _, sign := range []string{"no such file", "permission denied", "certificate", "x509", "tls:"} {
		if strings.Contains(strings.ToLower(message), sign) {
			return true
		}
	}
	return false
}

// twoClusters are two hosts that both have quorum, where one is no member for the other.
func twoClusters(v *View) (a, b *histories.Node) {
	for _, a := range v.Quorum {
		for _, b := range v.Quorum {
			if a.Excludes(b) {
				return a, b
			}
		}
	}
	return nil, nil
}

// quorumElsewhere: two sets of members have quorum, or one has it that does not know the newest data.
func quorumElsewhere(v *View) []string {
	if len(v.Quorum) == 0 {
		return nil
	}
	var found []string
	for _, a := range v.Quorum {
		for _, b := range v.Quorum {
			if a.Excludes(b) {
				found = append(found, fmt.Sprintf("%s has quorum, and so has %s, which is not one of its members", a.Name, b.Name))
			}
		}
	}
	if v.Best == nil && v.Families.Main >= 0 {
		if f := v.Families.All[v.Families.Main]; f.Revision() > v.Quorum[0].Facts.Live.Revision {
			found = append(found, fmt.Sprintf("%s has quorum at revision %d, but %s holds revision %d",
				v.Quorum[0].Name, v.Quorum[0].Facts.Live.Revision, f.Nodes[0].Name, f.Revision()))
		}
	}
	return found
}
