package plan

import (
	"fmt"
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
)

// forcingInterrupted: etcd_force_new_cluster wrote its record here and has not removed it; nothing was joined since.
func forcingInterrupted(v *view) *decision {
	begun := v.which(func(n *node) bool { return n.answered() && n.f.Forcing != nil })
	if len(begun) == 0 {
		return nil
	}
	if len(begun) > 1 {
		return refuse(Refusal{
			Code: "two_forcings",
			Msg:  fmt.Sprintf("a forced start was begun on %s; only one of them may go on", and(names(begun))),
			Hint: "compare them with check_quorum.yml, remove /etc/etcd/forcing.json on the hosts that shall join, and run it again",
		})
	}
	n := begun[0]
	if v.req.Prefer != "" && v.req.Prefer != n.name {
		return refuse(Refusal{
			Code: "forcing_elsewhere",
			Msg:  fmt.Sprintf("a forced start was begun on %s (phase %s), and etcd_survivor is %s", n.name, n.f.Forcing.Phase, v.req.Prefer),
			Hint: fmt.Sprintf("finish it on %s: mend what keeps etcd from starting there, then run it again without etcd_survivor; to give up what only %s holds, "+
				"set its data aside (etcd_data_dir state=set_aside), remove /etc/etcd/forcing.json there, and run it again", n.name, n.name),
		})
	}
	return v.finishForceOn(n, fmt.Sprintf("a forced start on %s was interrupted (phase %s); it is finished there", n.name, n.f.Forcing.Phase))
}

func flagged(n *node) bool {
	if !n.up() {
		return false
	}
	for _, f := range n.f.ForceFlags {
		if f.Where == "process" {
			return true
		}
	}
	return n.f.Live.ForceProcess
}

// flagInProcessOneMember: forced by hand, as the chapter does it, and not yet restarted without the flag.
func flagInProcessOneMember(v *view) *decision {
	forced := v.which(func(n *node) bool { return flagged(n) && len(n.f.Members) <= 1 })
	if len(forced) != 1 || len(v.members) > 1 {
		return nil
	}
	n := forced[0]
	d := v.finishForceOn(n, fmt.Sprintf("etcd on %s runs with --force-new-cluster as a single member: at its next start it would drop all members again", n.name))
	if n.f.Live.Serves {
		d.give(snapshot, n)
	}
	return d
}

// flagInProcessMoreMembers: the others have joined, and the next restart would throw them out.
func flagInProcessMoreMembers(v *view) *decision {
	forced := v.which(flagged)
	if len(forced) == 0 || !v.hasQuorum() && !v.unstartedCompletes() {
		return nil // without quorum the forced start has not happened; the rows below decide anew
	}
	d := newDecision(FinishForce, fmt.Sprintf("etcd on %s runs with --force-new-cluster among %d members: it is restarted without, and the members' data compared",
		and(names(forced)), len(v.members)))
	d.survivor = forced[0]
	d.give(restart, forced...)
	d.give(flags, forced...)
	v.addJoins(d)
	v.addAlways(d)
	return d
}

// finishForceOn: all others are fenced (again), and joined once the one member is proven.
func (v *view) finishForceOn(n *node, reason string) *decision {
	d := newDecision(FinishForce, reason)
	d.survivor = n
	d.give(finishForce, n)
	v.aroundForce(d)
	return d
}

// aroundForce is what every forced start brings with it for the other hosts.
func (v *view) aroundForce(d *decision) {
	for _, n := range v.nodes {
		switch {
		case n == d.survivor:
		case !n.answered():
			if !n.isNew || n.member != nil {
				d.leaves(n.name)
			}
		case v.takesPart(n):
			d.give(fence, n)
			v.afterForce(d, n)
		}
	}
	for i := range v.members {
		if v.hostOf(&v.members[i]) == nil {
			d.leaves(v.memberName(&v.members[i]))
		}
	}
	v.addAlways(d)
}

// afterForce: a fenced host joins again, unless it is left to add_hosts.yml, to a new disk, or to the operator's word.
func (v *view) afterForce(d *decision, n *node) {
	switch {
	case n.isNew && n.member == nil:
	case v.req.Rejoin && !slices.Contains(v.req.Unreadable, n.name):
		d.give(rejoin, n)
	default:
		d.leaves(n.name)
	}
}

// takesPart: a host of etcd; one of new_etcd only if it is a member, or holds data that could serve.
func (v *view) takesPart(n *node) bool {
	return !n.isNew || n.member != nil || n.hasData() || n.up()
}

// addAlways gives the steps that every action has.
func (v *view) addAlways(d *decision) {
	for _, n := range v.nodes {
		if !n.answered() || !v.takesPart(n) {
			continue
		}
		d.give(backupConfig, n)
		for _, f := range n.f.ForceFlags {
			if f.Where != "process" && n.f.Forcing == nil { // an interrupted forced start takes out its own, when it is proven
				d.give(flags, n)
			}
		}
		if d.staysMember(n) {
			d.give(final, n)
		}
		if n.f.Probe == "removed" || n.f.Runtime == facts.StaticPod && (n == d.survivor && d.forces() || d.has(restart, n)) {
			d.give(probe, n)
		}
	}
}

// staysMember: it is, or will be, a member when the run is over.
func (d *decision) staysMember(n *node) bool {
	for _, s := range []step{force, finishForce, restart, unfenceKeepData, startFirst, start, joinStarted, rejoin} {
		if d.has(s, n) {
			return true
		}
	}
	return !d.forces() && n.member != nil && !slices.Contains(d.out, n.name) && !d.has(fence, n)
}
