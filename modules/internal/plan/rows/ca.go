package rows

import (
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
)

// moveCA takes the CA off the host that remove_host.yml takes out. The first of those that stay gets it: openshift-ansible has it on the first host.
func moveCA(v *View, d *Decision, from *histories.Node) {
	if from.Name != v.CAHost() || v.Req.CAMoved {
		return
	}
	staying := stayingQuorum(v)
	for _, n := range v.Nodes {
		if slices.Contains(staying, n) {
			d.give(StepMoveCA, n)
			return
		}
	}
}

// bringCA puts the CA's directory back where its host is gone: new hosts need certificates, and once the dead host has left the group,
// openshift-ansible's scaleup makes another CA on the first host that it finds without one.
func bringCA(v *View, d *Decision) {
	if d.changesGroup() {
		d.give(StepBringCA, v.Node(v.CACopyHost()))
	}
}

// changesGroup is true where hosts leave the inventory's group or are taken into it.
func (d *Decision) changesGroup() bool {
	return d.Acts() && d.Action != Fence && d.Action != Undo && len(d.Out)+len(d.Work[StepTakeIn]) > 0
}

// CAFirst is the CA's host where it has to become the first of the group, for openshift-ansible has the CA there: all before it leave, or have no
// key. A host that is only out of reach may have one, so it keeps its place. An order that works is left as it is until the group changes.
func CAFirst(v *View, d *Decision) string {
	host := CAHost(v)
	if to := d.Work[StepMoveCA]; len(to) > 0 { // whoever else has the key has an older copy: the CA's host answers
		if to[0] == v.Nodes[0] {
			return ""
		}
		return to[0].Name
	}
	if !d.changesGroup() && v.CACopyHost() == "" {
		return ""
	}
	for i, n := range v.Nodes {
		switch {
		case n.Name == host && (n.IsNew || i == 0):
			return ""
		case n.Name == host:
			return host
		case n.Answered() && !n.Facts.CAKey || slices.Contains(d.Out, n.Name):
		default:
			return ""
		}
	}
	return ""
}

// CAHost has the CA's key, or a copy that is put back before somebody needs it.
func CAHost(v *View) string {
	if host := v.CAHost(); host != "" {
		return host
	}
	return v.CACopyHost()
}

// CACopyHost is the host with a copy of the CA's directory to put back, where none has the CA's key; "" where there is none. One on its way to a host has
// all that the CA has issued. A host that leaves comes last.
func (v *View) CACopyHost() string {
	if v.CAHost() != "" {
		return ""
	}
	return v.HighestRanked(func(n *histories.Node) int {
		switch {
		case !n.Answered() || n.IsNew || n.Facts.CACopy == "":
			return 0
		case n.Name == v.Req.RemoveHost:
			return 1
		case !strings.HasSuffix(n.Facts.CACopy, facts.CAArriving):
			return 2
		}
		return 3
	})
}

// HighestRanked is the first host of the highest rank; "" where all have 0.
func (v *View) HighestRanked(rank func(*histories.Node) int) string {
	best, highest := "", 0
	for _, n := range v.Nodes {
		if is := rank(n); is > highest {
			best, highest = n.Name, is
		}
	}
	return best
}
