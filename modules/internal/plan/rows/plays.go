package rows

import (
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
)

// PlayVerify is the play that compares the members' data at the end. It is no step of a host: it runs once for all.
const PlayVerify = "verify"

// Simulated are the plays that check mode runs: they only edit files, and show the diff, or only read.
var Simulated = map[string]bool{string(StepFinal): true, string(StepOut): true, RestoreCheck: true, RestoreList: true}

// forCheckMode empties the plays that check mode skips, so that a playbook does not have to ask for check mode.
func forCheckMode(v *View, plays map[string][]string) map[string][]string {
	for name := range plays {
		if v.Req.Simulate && !Simulated[name] {
			plays[name] = []string{}
		}
	}
	return plays
}

// HostsOf lists the hosts of a step, in the order of the play. A member without a host in the inventory is named as well.
func HostsOf(v *View, d *Decision, s Step) []string {
	hosts := histories.Names(v.InOrder(d.Work[s]))
	switch {
	case s == StepRejoin:
		hosts = histories.Names(troubledLast(v.InOrder(d.Work[s])))
	case s == StepMasters && d.RestartsMasters():
		hosts = append(ReachableMasters(v), ClientsLeft(v, d).Restart...)
	case s == StepMasters:
		hosts = ClientsLeft(v, d).Restart
	case s == StepOut:
		hosts = append(hosts, d.Out...)
	}
	return histories.Unique(hosts)
}

// Plays has the hosts on which Ansible carries out each step.
func Plays(v *View, d *Decision) map[string][]string {
	plays := map[string][]string{}
	for _, s := range Sequence {
		plays[string(s)] = actingOn(v, d, s)
	}
	plays[PlayVerify] = plays[string(StepFinal)]
	plays[PlayClientsLeft] = recorders(v, d)
	return forCheckMode(v, plays)
}

func actingOn(v *View, d *Decision, s Step) []string {
	hosts := HostsOf(v, d, s)
	switch {
	case s == StepOut: // a member may have no host that Ansible knows
		return slices.DeleteFunc(hosts, func(host string) bool { return v.Node(host) == nil })
	case s != StepRemoveMember:
		return hosts
	case (len(d.Remove) > 0 || d.Action == RemoveHost) && d.Survivor != nil:
		return []string{d.Survivor.Name} // a live member removes the dead ones from the list
	}
	return []string{}
}

// troubledLast sorts hosts where etcd failed to the end: after their `member add`, the start may fail. While two other members run, that takes no
// quorum away.
func troubledLast(nodes []*histories.Node) []*histories.Node {
	good := slices.DeleteFunc(slices.Clone(nodes), func(n *histories.Node) bool { return n.Facts.State == facts.Failed })
	bad := slices.DeleteFunc(slices.Clone(nodes), func(n *histories.Node) bool { return n.Facts.State != facts.Failed })
	return append(good, bad...)
}

// RestartsMasters is true after a removal, and after a forced start: the API may hold watches and caches from revisions that no longer exist. A
// run that was killed before the masters' turn is finished by finish_join, so that restarts them too.
func (d *Decision) RestartsMasters() bool {
	switch d.Action {
	case Force, FinishForce, RemoveHost:
		return true
	case FinishJoin:
		return len(d.Work[StepRejoin])+len(d.Work[StepJoinStarted])+len(d.Out) > 0
	case Fence, Undo:
		return false
	case Start:
		if len(d.Out) > 0 {
			return true
		}
	}
	// The API may have read from the empty cluster, whose revisions mean nothing.
	return slices.ContainsFunc(d.Work[StepFence], func(n *histories.Node) bool { return n.Data == histories.EmptyCluster })
}

// ReachableMasters are the masters that Ansible reaches, and those that are no host of etcd.
func ReachableMasters(v *View) []string {
	var up []string
	for _, m := range v.Req.Masters {
		if n := v.Node(m); n == nil || !n.Facts.Unreachable {
			up = append(up, m)
		}
	}
	return histories.Unique(up)
}
