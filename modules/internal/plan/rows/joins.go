package rows

import (
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
)

func (d *Decision) joins() bool {
	return len(d.Work[StepRejoin])+len(d.Work[StepJoinStarted])+len(d.Work[StepUnfenceKeepData])+len(d.Remove)+len(d.Out) > 0
}

// unstartedReachable are members that were added and, as far as their cluster knows, never started, and whose host can be reached. Some have
// started and have data: where that data is unusable, a start would fail, so they are left out.
func unstartedReachable(v *View) []*histories.Node {
	return v.Which(func(n *histories.Node) bool {
		return n.Answered() && n.Member != nil && !v.Started(n.Member) && !(v.DataIsMembers(n) && cannotStart(v, n))
	})
}

// unstartedCompletes is true where the members that were added and never started give the missing votes for a quorum. Where a majority has data
// without them, starting that majority comes first; where there is no majority even with them, joining does not help. A new member asks one with
// data before it runs: where none of these is where the list says, it cannot.
func unstartedCompletes(v *View) bool {
	good, added := v.UsableHosts(), unstartedReachable(v)
	with := len(good) + len(added) - len(histories.Intersection(good, added))
	found := slices.ContainsFunc(good, func(n *histories.Node) bool { return n.Facts.MovedFrom == "" })
	return len(added) > 0 && found && len(good) < v.Needed() && with >= v.Needed()
}

// addJoins decides for each host that has no quorum of its own. Those that have it are not changed, unless a forced start was begun there.
func addJoins(v *View, d *Decision) {
	stale := staleForced(v)
	for _, n := range v.Nodes {
		if len(histories.Intersection(v.Quorum, []*histories.Node{n})) == 1 && n != stale || d.Has(StepRestart, n) {
			continue
		}
		if n.Answered() {
			addJoin(v, d, n)
			takeInNew(v, d, n)
		} else if n.Member == nil && !n.IsNew {
			d.leaves(n.Name) // dropped by a forced start, and its addresses are still in use
		}
	}
	if v.HasQuorum() {
		dropUnstartedGone(v, d)
	}
	// A stopped member keeps etcd from adding others ("unhealthy cluster"), so it is started with them.
	if d.joins() {
		d.give(startStep(v), v.Which(func(n *histories.Node) bool { return inListWithData(v, n) && !n.Up() && !d.Has(StepRejoin, n) })...)
	}
}

func addJoin(v *View, d *Decision, n *histories.Node) {
	switch {
	case n.Member == nil && n.IsNew:
		// add_hosts.yml takes it in
	case n.Member != nil && !v.Started(n.Member) && v.DataIsMembers(n) && !cannotStart(v, n):
		keepData(v, d, n)
	case n.Member != nil && !v.Started(n.Member) && !v.DataIsMembers(n):
		if !holdsBack(v, d, n) {
			d.give(StepJoinStarted, n)
		}
	case n.Member == nil:
		if !holdsBack(v, d, n) {
			takeIn(v, d, n)
		}
	case !v.DataIsMembers(n), cannotStart(v, n):
		if !holdsBack(v, d, n) {
			replaceData(v, d, n)
		}
	case n.Fenced():
		keepData(v, d, n)
	}
}

// takeInNew lets an empty host of new_etcd join in the same run, after the members: dead machines are replaced by it. One with data or a running
// etcd is left to add_hosts.yml, which looks at it again.
func takeInNew(v *View, d *Decision, n *histories.Node) {
	empty := n.IsNew && n.Answered() && !takesPart(v, n) && (!n.Fenced() || n.Facts.Fenced.Kind == facts.FenceJoining) // by a run that was killed
	if v.Req.Rejoin && empty && !slices.Contains(BlindNewHosts(v), n) {
		d.give(StepTakeIn, n)
	}
}

// allHeld refuses where nothing is left to do but what needs consent.
func allHeld(v *View, d *Decision) *Decision {
	var refusals []Refusal
	for _, n := range d.Held {
		refusals = append(refusals, *WhyHeld(v, n))
	}
	if len(refusals) == 0 {
		return nil
	}
	return refuse(refusals...)
}

// holdsBack is true where the host joins only with consent, and adds it to Held. Whatever else is done, it must not start meanwhile.
func holdsBack(v *View, d *Decision, n *histories.Node) bool {
	held := WhyHeld(v, n) != nil
	if held {
		d.Held = append(d.Held, n)
	}
	return held
}

// replaceData lets a member with unusable data join anew. Without quorum its entry cannot be removed yet: it is fenced, since its etcd and that of a member
// with data would end each other, and a later run takes it in.
func replaceData(v *View, d *Decision, n *histories.Node) {
	if !v.HasQuorum() {
		d.give(StepFence, n)
		d.Waiting = append(d.Waiting, n)
		return
	}
	d.Remove = append(d.Remove, n.Member)
	d.give(StepRemoveMember, n)
	takeIn(v, d, n)
}

// takeIn fences the host until its turn: its old data could meet others of the old majority.
func takeIn(v *View, d *Decision, n *histories.Node) {
	if !v.Req.Rejoin {
		d.leaves(n.Name)
		d.give(StepFence, n)
		return
	}
	d.give(StepFence, n)
	d.give(StepRejoin, n)
}

// keepData lifts the fence: the member is in the list with its own data, so etcd brings it up to date; the data is not changed.
func keepData(v *View, d *Decision, n *histories.Node) {
	d.give(StepUnfenceKeepData, n)
	d.give(startStep(v), n)
}

// startStep: without quorum a started member serves only after the joining member has brought it.
func startStep(v *View) Step {
	if v.HasQuorum() {
		return StepStart
	}
	return StepStartFirst
}

// dropUnstartedGone removes entries that were added and never started, whose hosts are gone: they only raise the majority.
func dropUnstartedGone(v *View, d *Decision) {
	for i := range v.Members {
		m := &v.Members[i]
		n := v.HostOf(m)
		if v.Started(m) || n != nil && n.Answered() || v.SeenBy(m) != nil {
			continue
		}
		d.Remove = append(d.Remove, m)
		d.leaves(v.MemberName(m))
	}
}
