package rows

import (
	"fmt"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// whichHost refuses where a host without a sign of its member may be a member without a host. Taken for two, the host would be left out of its
// own cluster.
func whichHost(v *View) *Decision {
	hosts, members := histories.Names(v.Strangers()), v.Homeless()
	if len(hosts) == 0 || len(members) == 0 {
		return nil
	}
	lead, again := "no quorum, and ", "restore_quorum.yml"
	if v.HasQuorum() {
		lead, again = "degraded: quorum is there, but ", "check_quorum.yml"
	}
	return refuse(Refusal{
		Code: "which_host",
		Msg:  fmt.Sprintf("%sit is not clear which host is which: no member has a name or address of %s, and no host is known to be %s", lead, wording.And(hosts), wording.Or(described(members))),
		Hint: fmt.Sprintf("write this to the inventory: %s; remove a host that is not a member of this cluster from [etcd]; then run it again: %s", cure(hosts, members), v.Req.Playbook(again)),
	})
}

// sameMachine refuses where two names of the inventory lead to one member: the second would be taken out as a copy of the first, and that is the
// healthy member itself.
func sameMachine(v *View) *Decision {
	for i, a := range v.Nodes {
		for _, b := range v.Nodes[i+1:] {
			if !a.Answered() || !b.Answered() || a.DataID() == 0 || a.DataID() != b.DataID() || !facts.ShareURL(a.Facts.Config.PeerURLs, b.Facts.Config.PeerURLs) {
				continue
			}
			return refuse(Refusal{
				Code: "same_machine",
				Msg: fmt.Sprintf("%s and %s are both member %s, with the same peer URL %s in etcd.conf: two names of one machine, or a machine that was copied",
					a.Name, b.Name, a.DataID(), a.Facts.Config.PeerURLs[0]),
				Hint: "take the second name out of the inventory, also out of [new_etcd] (a copied machine: power it off), then run it again: " + v.Req.Playbook("check_quorum.yml"),
			})
		}
	}
	return nil
}

// removesStranger: what is left of a removal is not done on a host that may be a member under another name.
func removesStranger(v *View) *Decision {
	for _, n := range v.Strangers() {
		if n.Name == v.Req.RemoveHost && n.Answered() {
			return whichHost(v)
		}
	}
	return nil
}

// described names members with everything that the list says about them, so that somebody may recognize the host.
func described(members []*facts.ClusterMember) (all []string) {
	for _, m := range members {
		all = append(all, fmt.Sprintf("member %s (%s, %s)", m.ID, m.Name, strings.Join(m.PeerURLs, ",")))
	}
	return all
}

// cure is what to write, and on which host's line.
func cure(hosts []string, members []*facts.ClusterMember) string {
	line := "on the line of " + hosts[0]
	if len(hosts) > 1 {
		line = "on the line of the host that it is (" + wording.Or(hosts) + ")"
	}
	var all []string
	for _, m := range members {
		all = append(all, variableOf(m)+" "+line)
	}
	return strings.Join(all, ", or ")
}

// variableOf: etcd_ip holds an address, so a member that is known by names only gets the variable for names.
func variableOf(m *facts.ClusterMember) string {
	name := ""
	for _, h := range append(histories.HostsOf(m.PeerURLs), histories.HostsOf(m.ClientURLs)...) {
		switch {
		case histories.IsLoopback(h):
		case histories.IsAddress(h):
			return "etcd_ip=" + h
		case name == "":
			name = h
		}
	}
	if name == "" {
		name = m.Name
	}
	return "openshift_hostname=" + name
}
