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
