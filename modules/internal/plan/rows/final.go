package rows

import (
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
)

// InitialCluster is the final ETCD_INITIAL_CLUSTER, in the inventory's order. It includes members that stay but are not changed (down, and not
// joining now).
func InitialCluster(v *View, d *Decision) string {
	var list []facts.Listed
	for _, n := range v.Nodes {
		switch {
		case slices.Contains(d.Out, n.Name):
		case d.staysMember(n), n.Member != nil && !d.Forces():
			list = append(list, facts.ListedAs(n.EtcdName(), n.PeerURLs())...)
		}
	}
	for i := range v.Members {
		m := &v.Members[i]
		if v.HostOf(m) == nil && !slices.Contains(d.Out, v.MemberName(m)) {
			list = append(list, facts.ListedAs(m.Name, m.PeerURLs)...)
		}
	}
	return facts.JoinInitialCluster(list)
}
