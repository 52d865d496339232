package rows

import (
	"fmt"
	"slices"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// forcingInterrupted matches where etcd_force_new_cluster wrote its record and has not removed it. The record alone decides nothing: beside a
// quorum the data is set aside with the record, and to go on needs the same consents as any forced start.
func forcingInterrupted(v *View) *Decision {
	begun := v.Which(func(n *histories.Node) bool { return n.ForcingBegun() && !elsewhere(v, n) })
	if len(begun) == 0 {
		return forcingOfOtherData(v)
	}
	n, chosen := begun[0], v.Node(v.Req.Prefer)
	if v.Req.Prefer != "" {
		n = chosen
	}
	switch {
	case len(begun) > 1 && v.Req.Prefer == "" && !slices.ContainsFunc(begun, func(n *histories.Node) bool { return histories.HasServed(n.Facts) || !othersCanStart(v, n) }):
		return nil // neither has to be chosen
	case len(begun) > 1 && (!slices.Contains(begun, chosen) || !v.Req.AcceptLoss):
		return refuse(Refusal{
			Code: "two_forcings",
			Msg:  fmt.Sprintf("a forced start was begun on %s; only one of them may continue", wording.And(histories.Names(begun))),
			Hint: "compare them with check_quorum.yml, and choose; the other's data is set aside, never deleted: " +
				v.Req.With("etcd_survivor=HOST", "etcd_accept_loss=yes"),
		})
	case !slices.Contains(begun, n) && v.Req.AcceptLoss:
		return nil // the operator gives up what only the other host holds
	case !slices.Contains(begun, n):
		return forcingElsewhere(v, begun[0])
	}
	if v.Req.AcceptLoss && v.Req.Prefer == "" && !histories.HasServed(n.Facts) && len(finishLoses(v, n)) > 0 && othersCanStart(v, n) {
		return nil // the consent names no host, and to start the others gives up less
	}
	if refused := mayFinish(v, n); refused != nil {
		if othersCanStart(v, n) {
			return nil
		}
		return refused
	}
	return finishForceOn(v, n, fmt.Sprintf("a forced start on %s was interrupted (phase %s); it is finished there", n.Name, n.Facts.Forcing.Phase))
}

func forcingElsewhere(v *View, begun *histories.Node) *Decision {
	return refuse(Refusal{
		Code: "forcing_elsewhere",
		Msg:  fmt.Sprintf("a forced start was begun on %s (phase %s), and etcd_survivor is %s", begun.Name, begun.Facts.Forcing.Phase, v.Req.Prefer),
		Hint: fmt.Sprintf("finish it on %s: fix what keeps etcd from starting there, then run it again without etcd_survivor; to give up what only %s holds: %s",
			begun.Name, begun.Name, v.Req.With("etcd_accept_loss=yes")),
	})
}

// forcingOfOtherData refuses: without a quorum, only a person can tell which data the record is about.
func forcingOfOtherData(v *View) *Decision {
	other := v.Which((*histories.Node).OfAnotherForcing)
	if v.HasQuorum() || len(other) == 0 {
		return nil
	}
	n := other[0]
	return refuse(Refusal{
		Code: "forcing_of_other_data",
		Msg:  fmt.Sprintf("a forced start of member %s was begun on %s, and the data there is of member %s", n.Facts.Forcing.MemberID, n.Name, n.DataID()),
		Hint: fmt.Sprintf("put that member's data back (etcd_data_dir state=restored on %s), or, if what is there now is right, move /etc/etcd/forcing.json away; "+
			"then run it again: %s", n.Name, v.Req.Playbook("restore_quorum.yml")),
	})
}

// mayFinish makes the refusals of a forced start of this host; nil where it may go on.
func mayFinish(v *View, n *histories.Node) *Decision {
	if histories.HasServed(n.Facts) && (n.Readable() || n.Up()) {
		return nil
	}
	if d := lostHostsMayServe(v); d != nil {
		return d
	}
	if d := emptyClusterForced(v, []*histories.Node{n}); d != nil {
		return d
	}
	refusals := supersededRefusals(v, []*histories.Node{n}, acceptCommand(v, n))
	if !n.Readable() || v.Best == nil {
		refusals = append(refusals, Refusal{
			Code: "forcing_unreadable",
			Msg:  fmt.Sprintf("a forced start was begun on %s (phase %s), and its data is: %s", n.Name, n.Facts.Forcing.Phase, n.Verdict()),
			Hint: "repair the disk; to continue from another host, and give up what only " + n.Name + " holds: " +
				v.Req.With("etcd_survivor=HOST", "etcd_accept_loss=yes"),
		})
		return refuse(refusals...) // even with consent: etcd would not start
	}
	refusals = append(refusals, finishLoses(v, n)...)
	if len(refusals) == 0 || v.Req.AcceptLoss {
		return nil
	}
	return refuse(refusals...)
}

// finishLoses are the losses by a forced start of this host.
func finishLoses(v *View, n *histories.Node) []Refusal {
	if n.Readable() && n.Data == histories.Usable {
		return losses(v, n, histories.Ranking(v.Which(func(o *histories.Node) bool { return o.Data == histories.Usable })))
	}
	if v.Best == nil {
		return nil
	}
	return []Refusal{{
		Code: "forcing_not_usable",
		Msg:  fmt.Sprintf("a forced start was begun on %s (phase %s), and compared with the log of %s its data is: %s", n.Name, n.Facts.Forcing.Phase, v.Best.Name, n.Verdict()),
		Hint: "to continue from " + v.Best.Name + ", and give up what only " + n.Name + " holds: " + acceptCommand(v, v.Best) + "; to finish it on " + n.Name + " anyway: " + acceptCommand(v, n),
	}}
}

// othersCanStart is true where a majority has its data without this host, and this host has not dropped them yet. The gates ask where that data is
// superseded.
func othersCanStart(v *View, n *histories.Node) bool {
	good := v.UsableHosts()
	return len(good) >= v.Needed() && !v.Req.StartFailed && !slices.ContainsFunc(good, func(o *histories.Node) bool { return !n.Lists(o.DataID()) })
}
