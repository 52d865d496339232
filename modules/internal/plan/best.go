package plan

import (
	"fmt"
	"sort"
)

// chooseBest finds the log that all others are measured by. With quorum it is one of the members that have it; without, it is the
// newest that no other contradicts.
func (v *view) chooseBest() {
	v.split = v.histories.refusals
	if v.histories.main < 0 {
		return
	}
	pool := v.histories.families[v.histories.main].nodes
	if v.hasQuorum() {
		pool = intersection(pool, v.quorum)
	}
	ranked := ranking(pool)
	if len(ranked) == 0 {
		return
	}
	for _, n := range ranked {
		if contradictedBy(n, ranked) == nil {
			v.sound = append(v.sound, n)
		}
	}
	if len(v.sound) == 0 {
		v.sound = v.afterSplit(ranked)
	}
	if len(v.sound) == 0 {
		return
	}
	v.best = v.sound[0]
	if n := v.accepted(ranked); n != nil && compare(n.f.Log, v.best.f.Log).conflict > 0 {
		v.best = n // the operator chose this one's entries
	}
}

// accepted is the host that the operator named as survivor, with the loss accepted.
func (v *view) accepted(among []*node) *node {
	for _, n := range among {
		if n.name == v.req.Prefer && v.req.AcceptLoss && !v.hasQuorum() {
			return n
		}
	}
	return nil
}

// ranking sorts by the log: the newest first; of equal ones that which serves, then the inventory's order.
func ranking(nodes []*node) []*node {
	out := append([]*node(nil), nodes...)
	sort.SliceStable(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if newer(a.f.Log, b.f.Log) || newer(b.f.Log, a.f.Log) {
			return newer(a.f.Log, b.f.Log)
		}
		return a.f.Live.Serves && !b.f.Live.Serves // it can be stopped in good order, and gives a snapshot
	})
	return out
}

func intersection(a, b []*node) []*node {
	var out []*node
	for _, x := range a {
		for _, y := range b {
			if x == y {
				out = append(out, x)
			}
		}
	}
	return out
}

// contradictedBy is a member that knows an entry to be committed where n holds another one.
func contradictedBy(n *node, others []*node) *node {
	for _, o := range others {
		if o == n {
			continue
		}
		if r := compare(n.f.Log, o.f.Log); r.conflict > 0 && known(o.f) >= r.conflict {
			return o
		}
	}
	return nil
}

// afterSplit: every log is contradicted by another one, as after a split brain. Only the operator can choose.
func (v *view) afterSplit(ranked []*node) []*node {
	if n := v.accepted(ranked); n != nil {
		return []*node{n}
	}
	first := ranked[0]
	other := contradictedBy(first, ranked)
	v.split = append(v.split, Refusal{
		Code: "split_brain",
		Msg: fmt.Sprintf("%s and %s both hold committed entries that contradict each other from index %d on: two clusters have grown out of one",
			first.name, other.name, compare(first.f.Log, other.f.Log).conflict),
		Hint: "choose whose writes are kept; the other's data is set aside, never deleted: " + v.req.playbook("restore_quorum.yml") + " -e etcd_survivor=HOST -e etcd_accept_loss=yes",
	})
	return nil
}
