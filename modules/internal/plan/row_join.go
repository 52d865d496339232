package plan

import (
	"fmt"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
)

// membersToJoin: a member was added and never started, or there is quorum and a reachable host is fenced, empty or not in the list.
func membersToJoin(v *view) *decision {
	if len(v.members) == 0 || !v.hasQuorum() && !v.unstartedCompletes() {
		return nil
	}
	d := newDecision(FinishJoin, "")
	if len(v.quorum) > 0 {
		d.survivor = v.quorum[0]
	} else if v.best != nil {
		d.survivor = v.best
	}
	v.addJoins(d)
	v.addAlways(d)
	if !d.joins() && len(d.work[probe]) == 0 {
		return nil
	}
	d.reason = v.joinReason(d)
	if blocked := v.joinsBlocked(d); blocked != nil {
		return refuse(*blocked)
	}
	return d
}

func (d *decision) joins() bool {
	return len(d.work[rejoin])+len(d.work[joinStarted])+len(d.work[unfenceKeepData])+len(d.remove)+len(d.out) > 0
}

// unstartedReachable are members that were added and never started, and whose host can be reached.
func (v *view) unstartedReachable() []*node {
	return v.which(func(n *node) bool { return n.answered() && n.member != nil && !v.started(n.member) })
}

// unstartedCompletes: the members that were added and never started are just what quorum lacks. Where a majority has data
// without them, starting that majority comes first; where there is none with them, joining leads nowhere.
func (v *view) unstartedCompletes() bool {
	good, added := v.usableHosts(), v.unstartedReachable()
	with := len(good) + len(added) - len(intersection(good, added))
	return len(added) > 0 && len(good) > 0 && len(good) < v.needed() && with >= v.needed()
}

// addJoins decides for each host that has no quorum of its own. Nothing is touched on those that have.
func (v *view) addJoins(d *decision) {
	for _, n := range v.nodes {
		if len(intersection(v.quorum, []*node{n})) == 1 || d.has(restart, n) {
			continue
		}
		if n.answered() {
			v.addJoin(d, n)
		} else if n.member == nil && !n.isNew {
			d.leaves(n.name) // dropped by a forced start, and its addresses are still in use
		}
	}
	if v.hasQuorum() {
		v.dropUnstartedGone(d)
	}
	// A stopped member keeps etcd from adding others ("unhealthy cluster"), so it is started with them.
	if d.joins() {
		d.give(v.startStep(), v.which(func(n *node) bool { return v.inListWithData(n) && !n.up() && !d.has(rejoin, n) })...)
	}
}

func (v *view) addJoin(d *decision, n *node) {
	switch {
	case n.member == nil && n.isNew:
		// add_hosts.yml takes it in
	case n.member != nil && !v.started(n.member) && v.dataIsMembers(n):
		v.keepData(d, n)
	case n.member != nil && !v.started(n.member):
		d.give(joinStarted, n)
	case n.member == nil:
		v.takeIn(d, n)
	case !v.dataIsMembers(n), v.cannotStart(n):
		if v.hasQuorum() {
			d.remove = append(d.remove, n.member)
			d.give(removeMember, n)
			v.takeIn(d, n)
		}
	case n.fenced():
		v.keepData(d, n)
	}
}

// takeIn: until its turn the host must not start, since its old data could meet others of the old majority.
func (v *view) takeIn(d *decision, n *node) {
	if !v.req.Rejoin {
		d.leaves(n.name)
		d.give(fence, n)
		return
	}
	d.give(fence, n)
	d.give(rejoin, n)
}

// keepData: the member is in the list with its own data, so etcd brings it up to date; the data is never touched.
func (v *view) keepData(d *decision, n *node) {
	d.give(unfenceKeepData, n)
	d.give(v.startStep(), n)
}

// startStep: without quorum nothing that is started serves before the member that joins has brought it.
func (v *view) startStep() step {
	if v.hasQuorum() {
		return start
	}
	return startFirst
}

// dataIsMembers: the data's ID is that of the host's entry in the list.
func (v *view) dataIsMembers(n *node) bool {
	return n.member != nil && v.sameCluster(n) && n.dataID() != "" && n.dataID() == id(n.member.ID)
}

func (v *view) inListWithData(n *node) bool {
	return n.answered() && v.dataIsMembers(n) && v.started(n.member) && !v.cannotStart(n)
}

// cannotStart: etcd would panic on this data, or was fed by another history. A running member is left alone, whatever its files look like.
func (v *view) cannotStart(n *node) bool {
	switch n.data {
	case emptyCluster, otherHistory, removesSelf, otherCluster:
		return true
	case damaged, emptyLog:
		return !n.up()
	}
	return false
}

// dropUnstartedGone: an entry that was added and never started, whose host is gone, only raises the majority.
func (v *view) dropUnstartedGone(d *decision) {
	for i := range v.members {
		m := &v.members[i]
		n := v.hostOf(m)
		if v.started(m) || n != nil && n.answered() || v.seenBy(m) != nil {
			continue
		}
		d.remove = append(d.remove, m)
		d.leaves(v.memberName(m))
	}
}

// joinsBlocked: etcd adds a member only while all started ones are connected, and never for 5 s after one was lost.
func (v *view) joinsBlocked(d *decision) *Refusal {
	if len(d.work[rejoin]) == 0 {
		return nil
	}
	for _, m := range v.goneStarted() {
		name := v.memberName(&m)
		return &Refusal{
			Code: "member_down",
			Msg: fmt.Sprintf("%s shall join, but etcd adds nobody while the member %s is down, and that host cannot be reached",
				and(names(v.inOrder(d.work[rejoin]))), name),
			Hint: "bring it back, or take it out first: " + v.req.playbook("remove_host.yml") + " -e etcd_host=" + name,
		}
	}
	return nil
}

// goneStarted are started members that nobody reaches.
func (v *view) goneStarted() []facts.ClusterMember {
	var gone []facts.ClusterMember
	for _, m := range v.members {
		if n := v.hostOf(&m); v.started(&m) && (n == nil || !n.answered()) && v.seenBy(&m) == nil {
			gone = append(gone, m)
		}
	}
	return gone
}

func (v *view) joinReason(d *decision) string {
	var parts []string
	say := func(nodes []*node, text string) {
		if len(nodes) > 0 {
			parts = append(parts, and(names(v.inOrder(nodes)))+" "+text)
		}
	}
	say(d.work[joinStarted], "was added to the member list but never started")
	say(d.work[unfenceKeepData], "is a member with its data, and fenced")
	say(d.work[rejoin], "is not a member, or a member without usable data")
	say(d.work[probe], "lacks its liveness probe")
	if len(d.out) > 0 {
		parts = append(parts, "stays out: "+and(d.out))
	}
	lead := "quorum present"
	if !v.hasQuorum() {
		lead = "no quorum until the second member runs"
	}
	return lead + "; " + strings.Join(parts, "; ")
}
