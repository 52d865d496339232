package rows

import (
	"fmt"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// removalRows decide on removing one host from a cluster that has quorum. All but the last refuse.
var removalRows = []row{
	noSuchHost,
	nobodyAnswers,
	factsAreMissing,
	sameMachine,
	historiesUnclear,
	removesStranger,
	network,
	forcedAndNotFinished,
	nothingToRemoveFrom,
	notToBeTold,
	lastMember,
	quorumWouldGo,
	caWouldGo,
	removeIt,
}

// noSuchHost takes the name literally: a pattern, or a group's name, could mean more hosts than the operator thinks of.
func noSuchHost(v *View) *Decision {
	n := leaving(v)
	if n != nil && !n.IsNew {
		return nil
	}
	var known []string
	for _, o := range v.Nodes {
		if !o.IsNew {
			known = append(known, o.Name)
		}
	}
	r := Refusal{
		Code: "no_such_host",
		Msg: fmt.Sprintf("expected one host of etcd, found %q; the hosts are %s. A host that an earlier run removed is no longer listed",
			v.Req.RemoveHost, wording.And(known)),
		Hint: "name one of them: " + v.Req.Playbook("remove_host.yml") + " -e etcd_host=NAME", // no host is suggested: it would be removed
	}
	if n != nil {
		r.Msg = n.Name + " is about to be added, and is not a host of etcd yet"
		r.Hint = "finish adding it first: " + v.Req.Playbook("add_hosts.yml") + " -e etcd_host=" + n.Name
	}
	return refuse(r)
}

// forcedAndNotFinished refuses: a member that was forced drops all others at its next start. One that serves with others since does not. It joins
// anew, which may have to wait for this removal: that of a member which is down, or of itself.
func forcedAndNotFinished(v *View) *Decision {
	begun := v.Which(func(n *histories.Node) bool {
		waits := servesWithOthers(v, n) && (n == leaving(v) || !slices.Contains(v.Quorum, leaving(v)))
		return n.Answered() && (n.Facts.Forcing != nil && !waits || flagged(n))
	})
	if len(begun) == 0 {
		return nil
	}
	return refuse(Refusal{
		Code: "forced",
		Msg:  fmt.Sprintf("a forced start on %s is not finished; no member may be removed before that", wording.And(histories.Names(begun))),
		Hint: "finish it: " + v.Req.Playbook("restore_quorum.yml"),
	})
}

func nothingToRemoveFrom(v *View) *Decision {
	if v.HasQuorum() && len(v.Members) > 0 {
		return nil
	}
	return refuse(Refusal{
		Code: "no_quorum",
		Msg:  "without quorum no member can be removed: a change of the member list is a write",
		Hint: "restore the quorum first, which leaves lost hosts out: " + v.Req.Playbook("restore_quorum.yml"),
	})
}

// notToBeTold refuses where it is unclear which member the host is: an unreachable host cannot say. Where its names match no member, and a member
// has no host, it may be that one.
func notToBeTold(v *View) *Decision {
	n := leaving(v)
	if n.Member != nil || n.Answered() {
		return nil
	}
	members := v.Homeless()
	if len(members) == 0 {
		return nil
	}
	return refuse(Refusal{
		Code: "unknown_member",
		Msg:  fmt.Sprintf("%s cannot be reached, and no member has one of its names; it may be %s, whose host is not known", n.Name, wording.Or(described(members))),
		Hint: "if it is, write this to the inventory: " + cure([]string{n.Name}, members) + ", and run it again: " + v.Req.Playbook("remove_host.yml") + " -e etcd_host=" + n.Name,
	})
}

func lastMember(v *View) *Decision {
	n := leaving(v)
	if n.Member == nil || len(v.Members) > 1 {
		return nil
	}
	return refuse(Refusal{
		Code: "last_member",
		Msg:  n.Name + " is the last member; without it there is no cluster, and no data",
		Hint: "add another host first: " + v.Req.Playbook("add_hosts.yml"),
	})
}

// quorumWouldGo counts as etcd will once the member is off the list. A removal that leaves no majority of healthy members cannot be undone, since
// to add one is a write as well.
func quorumWouldGo(v *View) *Decision {
	n := leaving(v)
	if n.Member == nil {
		return nil
	}
	var sick []string
	for _, m := range v.DownMembers() {
		if m.ID != n.Member.ID {
			sick = append(sick, v.MemberName(&m))
		}
	}
	left := len(v.Members) - 1
	if healthy, needed := left-len(sick), left/2+1; healthy < needed {
		return refuse(Refusal{
			Code: "quorum_would_go",
			Msg: fmt.Sprintf("without %s %d of %d members would be healthy, and %d are needed: the quorum would be permanently lost (not healthy: %s)",
				n.Name, healthy, left, needed, wording.And(sick)),
			Hint: "bring the others back first: ansible " + strings.Join(sick, ",") + " -i " + v.Req.Sources() + " -m etcd_service -a state=started",
		})
	}
	if len(stayingQuorum(v)) == 0 {
		return refuse(Refusal{
			Code: "no_way_in",
			Msg:  "no remaining member can be reached and has quorum, so the member list cannot be changed",
			Hint: "check the login first: ansible etcd -i " + v.Req.Sources() + " -m etcd_host_info",
		})
	}
	return nil
}

// caWouldGo refuses to remove the CA where it cannot be moved first. A host that cannot be looked at counts as having it, if it is the first one, and
// no other host is seen to have it.
func caWouldGo(v *View) *Decision {
	n := leaving(v)
	again := v.Req.Playbook("remove_host.yml") + " -e etcd_host=" + n.Name
	r := Refusal{Code: "ca_host"}
	switch {
	case v.Req.CAMoved:
		return nil
	case n.Answered() && n.Facts.CARenewal != "":
		r.Msg = "a new CA is being rolled out from " + n.Name
		r.Hint = "finish that first, then run this again: " + v.Req.Playbook("renew_certificates.yml")
	case n.Answered() && CAHost(v) == n.Name && !n.Facts.CAKey:
		r.Msg = "no host has the CA's key, and the only copy of it is on " + n.Name + ": " + n.Facts.CACopy
		r.Hint = "copy it into /backup of a host of etcd that stays, then: " + again
	case n == v.Nodes[0] && !n.Answered() && CAHost(v) == "":
		r.Msg = n.Name + " is the CA's host (the CA's key is in /etc/etcd/ca of the first host of etcd): without it no certificates can be issued for etcd, " +
			"so no new host can join"
		r.Hint = "put a backup of its /etc/etcd into /backup of another host of etcd, as a directory or as .tgz, and run this again; where there is none, " +
			"new certificates need a new CA, and to remove the host all the same: " + again + " -e etcd_ca_moved=yes"
	default:
		return nil
	}
	return refuse(r)
}

// removeIt adds the steps, also those that an earlier run has done: they then find nothing to do.
func removeIt(v *View) *Decision {
	n := leaving(v)
	d := NewDecision(RemoveHost, fmt.Sprintf("quorum present; %s is removed, as requested", n.Name))
	d.Code = 0
	d.Survivor = stayingQuorum(v)[0]
	if n.Member != nil {
		d.Remove = []*facts.ClusterMember{n.Member}
		d.give(StepRemoveMember, n)
	} else {
		d.Reason = fmt.Sprintf("quorum present; %s is no longer a member; the rest of its removal is completed", n.Name)
	}
	d.leaves(n.Name)
	if n.Answered() {
		d.give(StepLeave, n)
	}
	moveCA(v, d, n)
	d.give(StepFinal, v.Which(func(o *histories.Node) bool { return o != n && o.Answered() && o.Member != nil })...)
	return d
}

// leaving is the host to remove; nil where no host of etcd has the name.
func leaving(v *View) *histories.Node { return v.Node(v.Req.RemoveHost) }

func stayingQuorum(v *View) []*histories.Node {
	n := leaving(v)
	return v.Which(func(o *histories.Node) bool {
		return o != n && len(histories.Intersection(v.Quorum, []*histories.Node{o})) == 1
	})
}
