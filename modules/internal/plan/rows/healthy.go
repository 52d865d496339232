package rows

import (
	"fmt"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

func allHealthy(v *View) *Decision {
	if !v.HasQuorum() || len(v.Members) == 0 || len(v.DownMembers()) > 0 {
		return nil
	}
	d := NewDecision(Nothing, fmt.Sprintf("quorum present, %d of %d", len(v.Members), len(v.Members)))
	d.Code = 0
	addLeftovers(v, d)
	if left := HostsOf(v, d, StepMasters); len(left) > 0 {
		d.Reason += "; API and controllers of " + wording.And(left) + " still need a restart"
	}
	return d
}

// addLeftovers adds what a run that was killed at its very end has left: flags in files, an old ETCD_INITIAL_CLUSTER. A cluster that was never
// restored keeps its etcd.conf: there ETCD_INITIAL_CLUSTER_STATE is still "new".
func addLeftovers(v *View, d *Decision) {
	addAlways(v, d)
	delete(d.Work, StepBackupConfig)
	behind := v.Which(func(n *histories.Node) bool {
		return d.Has(StepFinal, n) && n.Facts.Config.InitialClusterState == "existing" && !histories.SameSet(n.Facts.Config.InitialCluster, InitialCluster(v, d))
	})
	delete(d.Work, StepFinal)
	d.give(StepFinal, behind...)
}

// memberDown: with quorum nothing is forced and no member is removed; that is the operator's choice.
func memberDown(v *View) *Decision {
	if !v.HasQuorum() {
		return nil
	}
	down := v.DownMembers()
	if len(down) == 0 {
		return refuse(Refusal{
			Code: "membership_unknown",
			Msg:  fmt.Sprintf("%s has quorum, but returned no member list", v.Quorum[0].Name),
			Hint: "ansible " + v.Quorum[0].Name + " -i " + v.Req.Sources() + " -m etcd_cluster_info",
		})
	}
	var refusals []Refusal
	for _, m := range down {
		name := v.MemberName(&m)
		r := Refusal{Code: "member_down"}
		n := v.HostOf(&m)
		switch {
		case n != nil && n.Answered() && n.Up():
			r.Msg = fmt.Sprintf("quorum present, %d of %d: etcd on %s runs, but has not joined the quorum yet", len(v.Members)-len(down), len(v.Members), name)
			r.Hint = "wait until it has caught up, or find out why it does not: ansible " + name + " -i " + v.Req.Sources() + " -m etcd_log_info"
		case n != nil && n.Answered() && (n.Facts.Runtime == facts.None || isForeign(n)):
			r = notOurs(v, n)
			r.Msg = fmt.Sprintf("quorum present, %d of %d; %s", len(v.Members)-len(down), len(v.Members), r.Msg)
		case n != nil && n.Answered():
			r.Msg = fmt.Sprintf("quorum present, %d of %d: etcd on %s is %s", len(v.Members)-len(down), len(v.Members), name, n.Facts.State)
			// The data is the member's: as a new member (add_hosts.yml) it would have to give it up.
			r.Hint = "start it, its data is good: ansible " + name + " -i " + v.Req.Sources() + " -m etcd_service -a state=started"
		default:
			r.Msg = fmt.Sprintf("quorum present, %d of %d: %s cannot be reached", len(v.Members)-len(down), len(v.Members), name)
			r.Hint = "bring it back, or take it out: " + v.TakeOut(&m)
		}
		refusals = append(append(refusals, r), failedChecksOf(n)...) // which mostly are why
	}
	return refuse(refusals...)
}
