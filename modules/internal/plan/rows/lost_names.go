package rows

import (
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// Unreached are the hosts that do not answer, and the members without a host in the inventory, by their IDs: whoever says that they are powered
// off has to name each.
func (v *View) Unreached() []string {
	names := histories.Names(v.Which(func(n *histories.Node) bool { return n.Facts.Unreachable }))
	for i := range v.Members {
		if m := &v.Members[i]; v.HostOf(m) == nil {
			names = append(names, m.ID.String())
		}
	}
	return names
}

// saidToBeOff is true where each host that is out of reach is named.
func (v *View) saidToBeOff() bool {
	return len(v.Req.LostHosts) > 0 && !slices.ContainsFunc(v.Unreached(), func(name string) bool { return !slices.Contains(v.Req.LostHosts, name) })
}

// lostWithoutNames refuses a plain yes: it is typed from memory, and covers any host that happens to be out of reach. Where none is, it means
// nothing.
func lostWithoutNames(v *View) *Decision {
	gone := v.Unreached()
	if !v.Req.LostHostsYes || len(gone) == 0 {
		return nil
	}
	return refuse(Refusal{
		Code: "etcd_lost_hosts_off",
		Msg:  "etcd_lost_hosts_off=yes does not name the hosts that stay off; these cannot be reached: " + wording.And(gone),
		Hint: "if each of them is powered off and stays off, name them: " + v.Req.With("etcd_lost_hosts_off="+strings.Join(gone, ",")),
	})
}

// namedAsLost refuses a named host that answers: it is not off. A name that no host has is ignored: the host may have left the inventory in an
// earlier run, and a host that was meant by it is not covered.
func namedAsLost(v *View) *Decision {
	var alive []string
	for _, name := range v.Req.LostHosts {
		if n := v.Node(name); n != nil && !n.Facts.Unreachable {
			alive = append(alive, name)
		}
	}
	if len(alive) == 0 {
		return nil
	}
	without := v.Req
	without.LostHosts = nil
	hint := "without etcd_lost_hosts_off: " + without.Again()
	if known := v.Unreached(); len(known) > 0 {
		hint = "if all hosts that cannot be reached are powered off and stay off: " + v.Req.With("etcd_lost_hosts_off="+strings.Join(known, ","))
	}
	return refuse(Refusal{Code: "lost_host_answers", Msg: "etcd_lost_hosts_off names a host that answers: " + wording.And(alive), Hint: hint})
}
