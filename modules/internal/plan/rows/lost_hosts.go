package rows

import (
	"fmt"
	"strings"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// lostHostsMayServe refuses where unreachable members could be a majority of their own. A forced start beside them makes two clusters, so only
// somebody who knows that they are off can decide it.
func lostHostsMayServe(v *View) *Decision {
	if v.LostHostsOff {
		return nil
	}
	gone, total := outOfReach(v)
	waiting := newOutOfReach(v)
	unstarted := unstartedGone(v)
	var msg string
	switch {
	case len(gone) >= total/2+1:
		msg = fmt.Sprintf("%s cannot be reached and could form a majority without the others (%d of %d)", wording.And(gone), len(gone), total)
	case len(waiting) > 0 && len(gone)+len(waiting) >= max(total, inInventory(v))/2+1:
		msg = fmt.Sprintf("%s cannot be reached; %s of new_etcd may have been added since, and together they could form a majority without the others",
			wording.And(append(gone, waiting...)), wording.And(waiting))
	case len(unstarted) > 0:
		msg = fmt.Sprintf("%s added to the member list, but never started, and cannot be reached", wording.Were(unstarted))
	case len(gone)+len(waiting) > 0 && len(v.Which((*histories.Node).HasData)) == 0:
		msg = fmt.Sprintf("no reachable host has data; %s cannot be reached and may hold the only data", wording.And(append(gone, waiting...)))
	default:
		return nil
	}
	return refuse(Refusal{
		Code: "etcd_lost_hosts_off",
		Msg:  msg,
		Hint: "bring them back, or make sure that they are powered off and stay off, then: " + v.Req.With("etcd_lost_hosts_off="+strings.Join(v.Unreached(), ",")),
	})
}

// outOfReach counts in the membership and in the inventory, and returns the set of which more are gone: hosts that a forced start dropped are no
// longer members, but may still be a majority of the old cluster.
func outOfReach(v *View) (gone []string, total int) {
	for i := range v.Members {
		if n := v.HostOf(&v.Members[i]); n == nil || !n.Answered() {
			gone = append(gone, v.MemberName(&v.Members[i]))
		}
	}
	total = len(v.Members)
	absent := histories.Names(v.Which(func(n *histories.Node) bool { return !n.IsNew && !n.Answered() }))
	if len(gone)*2 <= total && len(absent)*2 > inInventory(v) || total == 0 {
		return absent, inInventory(v)
	}
	return v.NamesInOrder(gone), total
}

// newOutOfReach are hosts of new_etcd of which nothing is known. They may be members that the logs here do not know yet, or hold the data with
// which they were left out of [etcd].
func newOutOfReach(v *View) []string {
	return histories.Names(v.Which(func(n *histories.Node) bool { return n.IsNew && n.Member == nil && !n.Answered() }))
}

// inInventory is the number of members by the inventory, which a forced start does not change.
func inInventory(v *View) int {
	return len(v.Which(func(n *histories.Node) bool { return !n.IsNew }))
}

func unstartedGone(v *View) []string {
	var gone []string
	for i := range v.Members {
		m := &v.Members[i]
		if n := v.HostOf(m); !v.Started(m) && (n == nil || !n.Answered()) {
			gone = append(gone, v.MemberName(m))
		}
	}
	return gone
}
