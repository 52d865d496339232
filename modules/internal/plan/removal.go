package plan

import (
	"fmt"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
)

// removalRows decide on taking one host out of a cluster that has quorum. All but the last refuse.
var removalRows = []row{
	noSuchHost,
	nobodyAnswers,
	factsAreMissing,
	historiesUnclear,
	network,
	forcedAndNotFinished,
	nothingToRemoveFrom,
	notToBeTold,
	lastMember,
	quorumWouldGo,
	caWouldGo,
	removeIt,
}

// noSuchHost: the name is taken as it is. A pattern, or a group's name, could mean more hosts than the operator thinks of.
func noSuchHost(v *view) *decision {
	n := v.leaving()
	if n != nil && !n.isNew {
		return nil
	}
	var known []string
	for _, o := range v.nodes {
		if !o.isNew {
			known = append(known, o.name)
		}
	}
	r := Refusal{
		Code: "no_such_host",
		Msg: fmt.Sprintf("expected one host of etcd, found %q; the hosts are %s. One that an earlier run took out is no host of etcd any more",
			v.req.RemoveHost, and(known)),
		Hint: "name one of them: " + v.req.playbook("remove_host.yml") + " -e etcd_host=NAME", // no host is proposed: it would be removed
	}
	if n != nil {
		r.Msg = n.name + " is of the hosts that are to be taken in, and no host of etcd yet"
		r.Hint = "finish its addition first: " + v.req.playbook("add_hosts.yml") + " -e etcd_host=" + n.name
	}
	return refuse(r)
}

// forcedAndNotFinished: a member that was forced drops all others at its next start.
func forcedAndNotFinished(v *view) *decision {
	begun := v.which(func(n *node) bool { return n.answered() && (n.f.Forcing != nil || flagged(n)) })
	if len(begun) == 0 {
		return nil
	}
	return refuse(Refusal{
		Code: "forced",
		Msg:  fmt.Sprintf("a forced start on %s is not finished; nobody may be removed before", and(names(begun))),
		Hint: "finish it: " + v.req.playbook("restore_quorum.yml"),
	})
}

func nothingToRemoveFrom(v *view) *decision {
	if v.hasQuorum() && len(v.members) > 0 {
		return nil
	}
	return refuse(Refusal{
		Code: "no_quorum",
		Msg:  "without quorum no member can be removed: a change of the member list is a write",
		Hint: "restore the quorum first, which leaves lost hosts out: " + v.req.playbook("restore_quorum.yml"),
	})
}

// notToBeTold: an unreachable host cannot say which member it is. Where its names match none and a member has no host, it may be that one.
func notToBeTold(v *view) *decision {
	n := v.leaving()
	if n.member != nil || n.answered() {
		return nil
	}
	for i := range v.members {
		if m := &v.members[i]; v.hostOf(m) == nil {
			return refuse(Refusal{
				Code: "unknown_member",
				Msg: fmt.Sprintf("%s cannot be reached, and none of its names is a member's; it may be member %s (%s, %s), which is no known host",
					n.name, id(m.ID), m.Name, strings.Join(m.PeerURLs, ",")),
				Hint: "if it is, say so by etcd_ip=" + strings.Join(hostsOf(m.PeerURLs), ",") + " on the host's line in the inventory, and run it again",
			})
		}
	}
	return nil
}

func lastMember(v *view) *decision {
	n := v.leaving()
	if n.member == nil || len(v.members) > 1 {
		return nil
	}
	return refuse(Refusal{
		Code: "last_member",
		Msg:  n.name + " is the last member; without it there is no cluster, and no data",
		Hint: "take another host in first: " + v.req.playbook("add_hosts.yml"),
	})
}

// quorumWouldGo counts as etcd will once the member is off the list: a removal that leaves no majority of healthy members cannot be
// taken back, since adding one is a write as well.
func quorumWouldGo(v *view) *decision {
	n := v.leaving()
	if n.member == nil {
		return nil
	}
	var sick []string
	for _, m := range v.downMembers() {
		if id(m.ID) != id(n.member.ID) {
			sick = append(sick, v.memberName(&m))
		}
	}
	left := len(v.members) - 1
	if healthy, needed := left-len(sick), left/2+1; healthy < needed {
		return refuse(Refusal{
			Code: "quorum_would_go",
			Msg: fmt.Sprintf("without %s %d of %d members would be healthy, and %d are needed: the quorum would be lost for good (not healthy: %s)",
				n.name, healthy, left, needed, and(sick)),
			Hint: "bring the others back first: ansible " + strings.Join(sick, ",") + " -i " + v.req.inventory() + " -m etcd_service -a state=started",
		})
	}
	if len(v.stayingQuorum()) == 0 {
		return refuse(Refusal{
			Code: "no_way_in",
			Msg:  "none of the members that stay can be reached and has quorum, so nothing can be asked of them",
			Hint: "see to the login first: ansible etcd -i " + v.req.inventory() + " -m etcd_host_info",
		})
	}
	return nil
}

// caWouldGo: the CA's key is on the first host of etcd, as openshift-ansible installs it. One that cannot be looked at counts as having
// it, unless another host is seen to have it.
func caWouldGo(v *view) *decision {
	n := v.leaving()
	has := n.answered() && n.f.CAKey
	if !has && !(n == v.nodes[0] && !n.answered() && v.caHost() == "") || v.req.CAMoved {
		return nil
	}
	return refuse(Refusal{
		Code: "ca_host",
		Msg: n.name + " is the CA's host (the CA's key is in /etc/etcd/ca of the first host of etcd): without it no certificates can be made for etcd, " +
			"so no new host can join",
		Hint: "copy /etc/etcd/ca to the host that will be the first one, owner and modes included, then: " +
			v.req.playbook("remove_host.yml") + " -e etcd_host=" + n.name + " -e etcd_ca_moved=yes",
	})
}

// removeIt gives the steps, also those that an earlier run has taken: each of them finds nothing to do then.
func removeIt(v *view) *decision {
	n := v.leaving()
	d := newDecision(RemoveHost, fmt.Sprintf("quorum present; %s is taken out, as asked", n.name))
	d.code = 0
	d.survivor = v.stayingQuorum()[0]
	if n.member != nil {
		d.remove = []*facts.ClusterMember{n.member}
		d.give(removeMember, n)
	} else {
		d.reason = fmt.Sprintf("quorum present; %s is no member any more, and what is left of its removal is finished", n.name)
	}
	d.leaves(n.name)
	if n.answered() {
		d.give(leave, n)
	}
	d.give(final, v.which(func(o *node) bool { return o != n && o.answered() && o.member != nil })...)
	return d
}

// leaving is the host that shall go, nil where the name is none of etcd's.
func (v *view) leaving() *node { return v.node(v.req.RemoveHost) }

func (v *view) stayingQuorum() []*node {
	n := v.leaving()
	return v.which(func(o *node) bool { return o != n && len(intersection(v.quorum, []*node{o})) == 1 })
}
