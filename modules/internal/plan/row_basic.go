package plan

import "fmt"

func nobodyAnswers(v *view) *decision {
	if len(v.which(func(n *node) bool { return !n.f.Unreachable && (!n.isNew || n.hasData()) })) > 0 {
		return nil
	}
	d := refuse(Refusal{
		Code: "no_host_answered",
		Msg:  fmt.Sprintf("none of the %d hosts can be reached", len(v.nodes)),
		Hint: "see to the login first: ansible etcd -i " + v.req.inventory() + " -m etcd_host_info",
	})
	d.code = 4
	return d
}

// factsAreMissing: a host that Ansible reaches but knows nothing of may run etcd, or hold the only good data.
func factsAreMissing(v *view) *decision {
	bad := v.which(func(n *node) bool { return n.broken() && !n.isNew })
	if len(bad) == 0 {
		return nil
	}
	found := bad[0].f.Msg
	if found == "" {
		found = "it returned no facts"
	}
	return refuse(Refusal{
		Code: "facts_missing",
		Msg:  fmt.Sprintf("etcd_host_info gave no facts of %s: %s", and(names(bad)), found),
		Hint: "ansible " + bad[0].name + " -i " + v.req.inventory() + " -m etcd_host_info",
	})
}

// historiesUnclear: which data is the cluster's cannot be told from the facts.
func historiesUnclear(v *view) *decision {
	if len(v.split) == 0 {
		return nil
	}
	return refuse(v.split...)
}

func allHealthy(v *view) *decision {
	if !v.hasQuorum() || len(v.members) == 0 || len(v.downMembers()) > 0 {
		return nil
	}
	d := newDecision(Nothing, fmt.Sprintf("quorum present, %d of %d", len(v.members), len(v.members)))
	d.code = 0
	v.addLeftovers(d)
	return d
}

// addLeftovers is what a run that was killed at its very end has left: flags in files, an old ETCD_INITIAL_CLUSTER. A cluster that
// was never restored keeps its etcd.conf as it is: there STATE is still "new".
func (v *view) addLeftovers(d *decision) {
	v.addAlways(d)
	delete(d.work, backupConfig)
	behind := v.which(func(n *node) bool {
		return d.has(final, n) && n.f.Config.InitialClusterState == "existing" && !sameSet(n.f.Config.InitialCluster, v.initialCluster(d))
	})
	delete(d.work, final)
	d.give(final, behind...)
}

// memberDown: with quorum nothing is forced and nobody is thrown out; that is the operator's choice.
func memberDown(v *view) *decision {
	if !v.hasQuorum() {
		return nil
	}
	down := v.downMembers()
	if len(down) == 0 {
		return refuse(Refusal{
			Code: "membership_unknown",
			Msg:  fmt.Sprintf("%s has quorum, but gave no member list", v.quorum[0].name),
			Hint: "ansible " + v.quorum[0].name + " -i " + v.req.inventory() + " -m etcd_cluster_info",
		})
	}
	var refusals []Refusal
	for _, m := range down {
		name := v.memberName(&m)
		r := Refusal{Code: "member_down"}
		switch n := v.hostOf(&m); {
		case n != nil && n.answered() && n.up():
			r.Msg = fmt.Sprintf("quorum present, %d of %d: etcd on %s runs but has no quorum of its own yet", len(v.members)-len(down), len(v.members), name)
			r.Hint = "wait until it has caught up, or look why it does not: ansible " + name + " -i " + v.req.inventory() + " -m etcd_log_info"
		case n != nil && n.answered():
			r.Msg = fmt.Sprintf("quorum present, %d of %d: etcd on %s is %s", len(v.members)-len(down), len(v.members), name, n.f.State)
			// Its data are the member's: as a new member (add_hosts.yml) it would have to give them up.
			r.Hint = "start it, its data are good: ansible " + name + " -i " + v.req.inventory() + " -m etcd_service -a state=started"
		default:
			r.Msg = fmt.Sprintf("quorum present, %d of %d: %s cannot be reached", len(v.members)-len(down), len(v.members), name)
			r.Hint = "bring it back, or take it out: " + v.req.playbook("remove_host.yml") + " -e etcd_host=" + name
		}
		refusals = append(refusals, r)
	}
	return refuse(refusals...)
}

// justLost: a leader that changes takes quorum away for some seconds. A loss must last.
func justLost(v *view) *decision {
	for _, n := range v.nodes {
		if was, ok := v.req.Earlier[n.name]; ok && was.Live.Quorum && v.histories.real(n) {
			return refuse(Refusal{
				Code: "just_lost",
				Msg:  fmt.Sprintf("%s still had quorum a few seconds before: the loss may not last", n.name),
				Hint: "run it again: " + v.req.playbook("restore_quorum.yml"),
			})
		}
	}
	return nil
}
