package plan

import "fmt"

// lostHostsMayServe: members that cannot be reached could be a majority of their own. Forcing beside them makes two clusters, so only
// somebody who knows that they are off can decide it.
func lostHostsMayServe(v *view) *decision {
	if v.req.LostHostsOff {
		return nil
	}
	gone, total := v.outOfReach()
	unstarted := v.unstartedGone()
	var msg string
	switch {
	case len(gone) >= total/2+1:
		msg = fmt.Sprintf("%s cannot be reached and could be a majority of their own (%d of %d)", and(gone), len(gone), total)
	case len(unstarted) > 0:
		msg = fmt.Sprintf("%s was added to the member list, was never started, and cannot be reached", and(unstarted))
	case len(gone) > 0 && len(v.which((*node).hasData)) == 0:
		msg = fmt.Sprintf("no reachable host has data; %s cannot be reached and may have the last of it", and(gone))
	default:
		return nil
	}
	return refuse(Refusal{
		Code: "etcd_lost_hosts_off",
		Msg:  msg,
		Hint: "bring them back, or make sure that they are powered off and stay off, then: " + v.req.playbook("restore_quorum.yml") + " -e etcd_lost_hosts_off=yes",
	})
}

// outOfReach counts in the membership and in the inventory, and gives the set in which more are gone: hosts that a forced start
// dropped are no members any more, and still are a majority of the old cluster.
func (v *view) outOfReach() (gone []string, total int) {
	for i := range v.members {
		if n := v.hostOf(&v.members[i]); n == nil || !n.answered() {
			gone = append(gone, v.memberName(&v.members[i]))
		}
	}
	total = len(v.members)
	hosts := v.which(func(n *node) bool { return !n.isNew })
	absent := names(v.which(func(n *node) bool { return !n.isNew && !n.answered() }))
	if len(gone)*2 <= total && len(absent)*2 > len(hosts) || total == 0 {
		return absent, len(hosts)
	}
	return gone, total
}

func (v *view) unstartedGone() []string {
	var gone []string
	for i := range v.members {
		m := &v.members[i]
		if n := v.hostOf(m); !v.started(m) && (n == nil || !n.answered()) {
			gone = append(gone, v.memberName(m))
		}
	}
	return gone
}
