package rows

import (
	"fmt"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

func flagged(n *histories.Node) bool {
	if !n.Up() {
		return false
	}
	for _, f := range n.Facts.ForceFlags {
		if f.Where == "process" {
			return true
		}
	}
	return n.Facts.Live.ForceProcess
}

// besideQuorum is true for an empty cluster, or another history, that was forced by hand beside the cluster that has quorum.
func besideQuorum(v *View, n *histories.Node) bool { return v.HasQuorum() && cannotStart(v, n) }

// flagInProcessOneMember matches a member that was forced by hand, as the chapter does it, and not yet restarted without the flag.
func flagInProcessOneMember(v *View) *Decision {
	forced := v.Which(func(n *histories.Node) bool { return flagged(n) && len(n.Facts.Members) <= 1 && !besideQuorum(v, n) })
	if len(forced) != 1 || len(v.Members) > 1 {
		return nil
	}
	n := forced[0]
	d := finishForceOn(v, n, fmt.Sprintf("etcd on %s runs with --force-new-cluster as a single member: at its next start it would drop all members again", n.Name))
	if n.Facts.Live.Serves {
		d.give(StepSnapshot, n)
	}
	return d
}

// flagInProcessMoreMembers matches where the others have joined, and the next restart would remove them.
func flagInProcessMoreMembers(v *View) *Decision {
	forced := v.Which(func(n *histories.Node) bool { return flagged(n) && !besideQuorum(v, n) })
	if len(forced) == 0 || !v.HasQuorum() && !unstartedCompletes(v) {
		return nil // without quorum the forced start has not happened; the rows below decide
	}
	d := NewDecision(FinishForce, fmt.Sprintf("etcd on %s runs with --force-new-cluster among %d members: it is restarted without the flag, and the members' data is compared",
		wording.And(histories.Names(forced)), len(v.Members)))
	d.Survivor = forced[0]
	d.give(StepRestart, forced...)
	d.give(StepFlags, forced...)
	addJoins(v, d)
	addAlways(v, d)
	return d
}
