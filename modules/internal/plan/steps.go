package plan

import (
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
)

// step is a word of the vocabulary in doc.go.
type step string

const (
	fence           step = "fence"
	snapshot        step = "snapshot"
	fenceSurvivor   step = "fence_survivor"
	backupConfig    step = "backup_config"
	stopCopy        step = "stop_copy"
	flags           step = "flags"
	force           step = "force"
	finishForce     step = "finish_force"
	restart         step = "restart"
	unfenceKeepData step = "unfence_keep_data"
	start           step = "start"
	startFirst      step = "start_first"
	masters         step = "masters"
	removeMember    step = "remove_member"
	leave           step = "leave"
	joinStarted     step = "join_started"
	rejoin          step = "rejoin"
	probe           step = "probe"
	final           step = "final"
	out             step = "out"
)

// sequence is the order of the plays.
var sequence = []step{fence, snapshot, fenceSurvivor, backupConfig, stopCopy, flags, restart, unfenceKeepData, startFirst, start, force, finishForce,
	joinStarted, masters, removeMember, leave, rejoin, probe, final, out}

// words says what a step does, for people and for check mode.
var words = map[step]string{
	fence:           "stop etcd, prove it gone, fence it (data untouched)",
	snapshot:        "save a snapshot",
	fenceSurvivor:   "stop etcd, prove it gone, fence it until the forced start",
	backupConfig:    "copy /etc/etcd",
	stopCopy:        "copy the stopped data, read it in full",
	flags:           "take leftovers of a forced start out of etcd.conf and drop-ins",
	force:           "rehearse, start once with --force-new-cluster, prove one member that writes, flag gone",
	finishForce:     "finish the forced start that was begun, prove one member that writes, flag gone",
	restart:         "restart etcd without the force flag",
	unfenceKeepData: "lift the fence, keep the data",
	startFirst:      "start etcd, without quorum for now",
	start:           "start etcd together with the others, wait for quorum",
	masters:         "restart API and controllers",
	removeMember:    "take this host off the member list",
	leave:           "stop etcd, prove it gone, fence it (data untouched)",
	joinStarted:     "set old data aside, start the member that was added already, wait until it has caught up",
	rejoin:          "set data aside, member add, start, wait until it has caught up",
	probe:           "put the liveness probe back (etcd restarts once more)",
	final:           "write the final ETCD_INITIAL_CLUSTER",
	out:             "leaves etcdClientInfo.urls, flannel and the inventory's group",
}

// stepsOf writes the work down: words a host, and hosts a play.
func (d *decision) stepsOf(v *view, p *Plan) {
	for _, s := range sequence {
		hosts := names(v.inOrder(d.work[s]))
		if s == rejoin {
			hosts = names(troubledLast(v.inOrder(d.work[s])))
		}
		if s == masters && len(hosts) == 0 && d.restartsMasters() {
			hosts = v.reachableMasters()
		}
		if s == out {
			hosts = append(hosts, d.out...)
		}
		p.Plays[string(s)] = []string{}
		for _, host := range unique(hosts) {
			p.Steps[host] = append(p.Steps[host], string(s))
			p.NotSimulated[host] = appendNote(p.NotSimulated[host], s)
			if s == removeMember || (s == out && v.node(host) == nil) {
				continue // a member may have no host that Ansible knows
			}
			p.Plays[string(s)] = append(p.Plays[string(s)], host)
		}
	}
	if len(d.remove) > 0 && d.survivor != nil {
		p.Plays[string(removeMember)] = []string{d.survivor.name} // a live member takes the dead ones off the list
	}
}

// troubledLast: where etcd could not start, `member add` may be followed by no start. While two members run, that takes no quorum away.
func troubledLast(nodes []*node) []*node {
	good := slices.DeleteFunc(slices.Clone(nodes), func(n *node) bool { return n.f.State == facts.Failed })
	bad := slices.DeleteFunc(slices.Clone(nodes), func(n *node) bool { return n.f.State != facts.Failed })
	return append(good, bad...)
}

// simulated steps edit files only, and show their diff in check mode.
func appendNote(notes []string, s step) []string {
	if s == final || s == out {
		return notes
	}
	return append(notes, "not simulated in check mode: "+words[s])
}

func (v *view) inOrder(nodes []*node) []*node {
	return intersection(v.nodes, nodes)
}

// restartsMasters: after a forced start the API may hold watches and caches from revisions that no longer exist. A run that was
// killed before the masters' turn is finished by finish_join, so that restarts them too.
func (d *decision) restartsMasters() bool {
	switch d.action {
	case Force, FinishForce, RemoveHost:
		return true
	case FinishJoin:
		return len(d.work[rejoin])+len(d.work[joinStarted])+len(d.out) > 0
	}
	// The API may have read from the empty cluster, whose revisions mean nothing.
	return slices.ContainsFunc(d.work[fence], func(n *node) bool { return n.data == emptyCluster })
}

func (v *view) reachableMasters() []string {
	var up []string
	for _, m := range v.req.Masters {
		if n := v.node(m); n == nil || !n.f.Unreachable {
			up = append(up, m)
		}
	}
	return unique(up)
}
