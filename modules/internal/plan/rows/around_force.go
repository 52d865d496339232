package rows

import (
	"slices"

	"etcd-quorum-restore/modules/internal/plan/histories"
)

// finishForceOn fences all others (again); they join once the single member is proven.
func finishForceOn(v *View, n *histories.Node, reason string) *Decision {
	d := NewDecision(FinishForce, reason)
	d.Survivor = n
	d.give(StepFinishForce, n)
	aroundForce(v, d)
	return d
}

// aroundForce adds what every forced start means for the other hosts.
func aroundForce(v *View, d *Decision) {
	for _, n := range v.Nodes {
		switch {
		case n == d.Survivor:
		case !n.Answered():
			if !n.IsNew || n.Member != nil {
				d.leaves(n.Name)
			}
		case takesPart(v, n):
			d.give(StepFence, n)
			afterForce(v, d, n)
		}
		takeInNew(v, d, n)
	}
	for i := range v.Members {
		name := v.MemberName(&v.Members[i])
		if n := v.Node(name); v.HostOf(&v.Members[i]) == nil && (n == nil || !n.Answered()) { // another member's data may be on the host of this name
			d.leaves(name)
		}
	}
	addAlways(v, d)
}

// afterForce lets a fenced host join again, unless it is left to add_hosts.yml, needs a new disk, or needs the operator's consent.
func afterForce(v *View, d *Decision, n *histories.Node) {
	switch {
	case n.IsNew && n.Member == nil:
	case (v.HasQuorum() || hasServedAlone(d)) && holdsBack(v, d, n): // the survivor was forced before, and gave up what this host holds
	case v.Req.Rejoin && !slices.Contains(v.Req.Unreadable, n.Name):
		d.give(StepRejoin, n)
	default:
		d.leaves(n.Name)
	}
}
