package rows

import (
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
)

// PlayClientsLeft are the hosts that record which clients are left to do. It is no step of a host: it comes after the masters.
const PlayClientsLeft = "clients_left"

// ClientsLeft is what earlier runs could not do at clients, as far as this decision can still do it. A master that is no longer in the inventory
// is dropped.
func ClientsLeft(v *View, d *Decision) facts.ClientsLeft {
	var left facts.ClientsLeft
	if !d.servesClients() {
		return left
	}
	for _, n := range v.Nodes {
		is := n.Facts.ClientsLeft
		if is == nil || !n.Answered() {
			continue
		}
		left.Lost = left.Lost || is.Lost
		for _, m := range v.Req.Masters {
			if is.All || slices.Contains(is.Restart, m) {
				left.Restart = append(left.Restart, m)
			}
		}
		left.Remove = append(left.Remove, is.Remove...)
	}
	left.Restart = histories.Unique(left.Restart)
	return left
}

// servesClients is true where the members serve when the run is over, so that clients can be changed.
func (d *Decision) servesClients() bool {
	return slices.Contains([]string{Nothing, Start, FinishJoin, FinishForce, Force}, d.Action)
}

// recorders are the hosts that have such a record, and the survivor; where there is neither, the first member that stays.
func recorders(v *View, d *Decision) []string {
	if !d.servesClients() {
		return []string{}
	}
	has := v.Which(func(n *histories.Node) bool { return n.Answered() && n.Facts.ClientsLeft != nil })
	switch {
	case len(HostsOf(v, d, StepMasters)) == 0 && len(has) == 0:
		return []string{}
	case d.Survivor != nil:
		has = append(has, d.Survivor)
	case len(has) == 0:
		if stay := v.Which(d.staysMember); len(stay) > 0 {
			has = stay[:1]
		}
	}
	return histories.Unique(histories.Names(v.InOrder(has)))
}

// LosesRevisions is true where acknowledged writes may be given up, so that a client may hold revisions that the cluster no longer has.
func LosesRevisions(v *View, d *Decision) bool {
	return ClientsLeft(v, d).Lost || d.Forces() && slices.ContainsFunc(AllGivenUp(v, d), func(g Discarded) bool {
		return slices.Contains([]string{"superseded", "tail", "overruled", "other_history"}, g.What)
	})
}
