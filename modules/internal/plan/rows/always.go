package rows

import (
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
)

// takesPart is true for a host of etcd; for one of new_etcd only if it is a member, has data, or runs etcd.
func takesPart(v *View, n *histories.Node) bool {
	return !n.IsNew || n.Member != nil || n.HasData() || n.Up()
}

// addAlways adds the steps that every action has.
func addAlways(v *View, d *Decision) {
	for _, n := range v.Nodes {
		if !n.Answered() || !takesPart(v, n) {
			continue
		}
		d.give(StepBackupConfig, n)
		for _, f := range n.Facts.ForceFlags {
			if f.Where != "process" && n.Facts.Forcing == nil { // an interrupted forced start removes its own flag when it is proven
				d.give(StepFlags, n)
			}
		}
		if f := n.Facts.Forcing; f != nil && !n.ForcingBegun() && (f.Phase == facts.ForcingProven || n.OfAnotherForcing()) && slices.Contains(v.Quorum, n) {
			d.give(StepFlags, n) // the forced start is over, and only its record was not removed
		}
		if n.Facts.PutBack != nil && !n.Fenced() && slices.Contains(v.Quorum, n) {
			d.give(StepFlags, n) // an undo was killed before its start, and something else has started it
		}
		if d.staysMember(n) {
			d.give(StepFinal, n)
		}
		if n.Facts.Probe == "removed" || n.Facts.Runtime == facts.StaticPod && (n == d.Survivor && d.Forces() || d.Has(StepRestart, n)) {
			d.give(StepProbe, n)
		}
	}
}

// staysMember is true where the host is, or will be, a member when the run is over.
func (d *Decision) staysMember(n *histories.Node) bool {
	for _, s := range []Step{StepForce, StepFinishForce, StepRestart, StepUnfenceKeepData, StepStartFirst, StepStart, StepJoinStarted, StepRejoin} {
		if d.Has(s, n) {
			return true
		}
	}
	return !d.Forces() && n.Member != nil && !slices.Contains(d.Out, n.Name) && !d.Has(StepFence, n)
}
