package rows

import (
	"fmt"
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
)

// startTogether matches where a majority has its data: nothing has to be forced, and nothing can be lost.
func startTogether(v *View) *Decision {
	good := startable(v, v.UsableHosts())
	if v.Req.StartFailed || len(v.Members) == 0 {
		return nil
	}
	what := "usable data"
	if len(good) < v.Needed() {
		good, what = append(good, v.SettledByElection(good)...), "usable data (an election decides the last entries)"
	}
	if len(good) < v.Needed() {
		return nil
	}
	d := NewDecision(Start, fmt.Sprintf("%d of %d members have %s, %d are needed: they are started together, nothing is forced",
		len(good), len(v.Members), what, v.Needed()))
	d.Survivor = good[0]
	for _, n := range good {
		d.give(StepStart, n)
		if n.Up() {
			continue // it stays up, and only its quorum is awaited
		}
		d.give(StepStopCopy, n)
		if n.Fenced() {
			d.give(StepUnfenceKeepData, n)
		}
	}
	if len(d.Work[StepStopCopy]) == 0 {
		d.Reason = fmt.Sprintf("%d of %d members run with %s, %d are needed: they should elect a leader by themselves; nothing is forced",
			len(good), len(v.Members), what, v.Needed())
	}
	addOthersOfStart(v, d, good)
	addAlways(v, d)
	for _, n := range good {
		d.give(StepFinal, n)
	}
	return d
}

// startable leaves out members with an unfinished forced start, data that was moved to another host, and a member that the list does not have yet: it
// cannot campaign, and the others do not ask it for its vote. A member whose commit index is from before a forced start's removals goes by the old list
// until another, which knows them, is elected.
func startable(v *View, good []*histories.Node) []*histories.Node {
	if !slices.ContainsFunc(good, func(n *histories.Node) bool { return !n.ForcedTail() }) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(good), func(n *histories.Node) bool {
		return n.ForcedPending() || v.Moved(n) || !histories.Lists(v.Members, n.DataID())
	})
}

// addOthersOfStart fences the hosts without usable data before anything starts; they join again afterwards.
func addOthersOfStart(v *View, d *Decision, good []*histories.Node) {
	blocked := len(v.GoneStarted()) > 0
	for _, n := range v.Nodes {
		if !n.Answered() && n.Member == nil && !n.IsNew {
			d.leaves(n.Name) // dropped by a forced start
		}
		if !n.Answered() || !takesPart(v, n) || len(histories.Intersection(good, []*histories.Node{n})) == 1 {
			continue
		}
		d.give(StepFence, n)
		switch {
		case !v.Req.Rejoin || blocked:
			d.Waiting = append(d.Waiting, n)
			continue
		case n.Member != nil && v.Started(n.Member):
			d.Remove = append(d.Remove, n.Member)
			d.give(StepRemoveMember, n)
		case n.Member != nil:
			d.give(StepJoinStarted, n)
			continue
		}
		d.give(StepRejoin, n)
	}
}

// StaysDown are members that nobody reaches, and that stay in the list: quorum without them is a success, and the operator decides about them.
func StaysDown(v *View, d *Decision) []*facts.ClusterMember {
	var down []*facts.ClusterMember
	if d.Forces() {
		return nil
	}
	for _, gone := range v.GoneStarted() {
		removed := slices.ContainsFunc(d.Remove, func(m *facts.ClusterMember) bool { return m.ID == gone.ID })
		if !removed && gone.ID != 0 {
			down = append(down, &gone)
		}
	}
	return down
}
