package rows

import (
	"fmt"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// membersToJoin matches where a member was added and never started, or where there is quorum and a reachable host is fenced, empty or not in the
// list.
func membersToJoin(v *View) *Decision {
	if len(v.Members) == 0 || !v.HasQuorum() && !unstartedCompletes(v) {
		return nil
	}
	d := NewDecision(FinishJoin, "")
	stale := staleForced(v)
	if i := slices.IndexFunc(v.Quorum, func(n *histories.Node) bool { return n != stale }); i >= 0 {
		d.Survivor = v.Quorum[i]
	} else if v.Best != nil {
		d.Survivor = v.Best
	}
	addJoins(v, d)
	addAlways(v, d)
	if !d.joins() && len(d.Work[StepProbe]) == 0 {
		return allHeld(v, d)
	}
	d.give(StepFence, d.Held...)
	d.Reason = joinReason(v, d)
	if blocked := joinsBlocked(v, d); blocked != nil {
		return refuse(*blocked)
	}
	return d
}

// joinsBlocked: etcd adds a member only while all started ones are connected, and never for 5 s after one was lost.
func joinsBlocked(v *View, d *Decision) *Refusal {
	if len(d.Work[StepRejoin]) == 0 {
		return nil
	}
	for _, m := range v.GoneStarted() {
		name := v.MemberName(&m)
		return &Refusal{
			Code: "member_down",
			Msg: fmt.Sprintf("%s is to join, but etcd adds no member while member %s is down, and that host cannot be reached",
				wording.And(histories.Names(v.InOrder(d.Work[StepRejoin]))), name),
			Hint: "bring it back, or take it out first: " + v.TakeOut(&m),
		}
	}
	return nil
}

func joinReason(v *View, d *Decision) string {
	var parts []string
	say := func(nodes []*histories.Node, one, more string) {
		switch names := wording.And(histories.Names(v.InOrder(nodes))); len(nodes) {
		case 0:
		case 1:
			parts = append(parts, names+" "+one)
		default:
			parts = append(parts, names+" "+more)
		}
	}
	say(d.Work[StepJoinStarted], "was added to the member list but never started", "were added to the member list but never started")
	say(d.Work[StepUnfenceKeepData], "is a member with its data, and fenced", "are members with their data, and fenced")
	stale, rejoin := staleForced(v), slices.Clone(d.Work[StepRejoin])
	rejoin = slices.DeleteFunc(rejoin, func(n *histories.Node) bool { return n == stale })
	say(rejoin, "is not a member, or a member without usable data", "are not members, or members without usable data")
	if stale != nil {
		parts = append(parts, fmt.Sprintf("a forced start was begun on %s and never finished: its record goes with its data, and it joins anew", stale.Name))
	}
	say(d.Work[StepProbe], "has no liveness probe", "have no liveness probe")
	switch len(d.Out) {
	case 0:
	case 1:
		parts = append(parts, d.Out[0]+" is left out")
	default:
		parts = append(parts, wording.And(d.Out)+" are left out")
	}
	lead := "quorum present"
	if !v.HasQuorum() {
		lead = "no quorum until the second member runs"
	}
	return lead + "; " + strings.Join(parts, "; ")
}
