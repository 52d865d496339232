package plan

import (
	"fmt"
	"slices"
)

// fate is what happens to a host, in a few words.
func (v *view) fate(n *node, d *decision) string {
	at := slices.Index(v.inOrder(append(slices.Clone(d.work[joinStarted]), d.work[rejoin]...)), n) + 1
	switch {
	case d.has(force, n):
		return "the survivor: stopped, copied, forced, serves alone first"
	case d.has(finishForce, n):
		return "the survivor: its forced start is finished"
	case d.has(restart, n):
		return "restarted without the force flag"
	case d.has(joinStarted, n):
		return fmt.Sprintf("was added already: started, number %d to join", at)
	case d.has(rejoin, n) && n.hasData():
		return fmt.Sprintf("fenced, data set aside, number %d to join", at)
	case d.has(rejoin, n):
		return fmt.Sprintf("fenced, number %d to join", at)
	case d.has(unfenceKeepData, n):
		return "fence lifted, started with its data"
	case d.has(start, n) && n.up():
		return "goes on running"
	case d.has(start, n), d.has(startFirst, n):
		return "started with its data"
	case slices.Contains(d.waiting, n):
		return "fenced; joins later, when all members are connected"
	case d.has(leave, n):
		return "leaves: off the member list, then fenced; its data stay"
	case slices.Contains(d.out, n.name) && d.has(fence, n):
		return "fenced, stays out"
	case slices.Contains(d.out, n.name):
		return "STAYS OUT: must not be powered on before fence.yml knows it"
	case n.isNew && n.member == nil && d.has(fence, n):
		return "fenced, waits in new_etcd for add_hosts.yml"
	case n.isNew && n.member == nil:
		return "waits in new_etcd for add_hosts.yml"
	case n.up():
		return "goes on running"
	}
	return "not touched"
}

// discarded lists what the action gives up. All of it stays on its host's disk, set aside.
func (v *view) discarded(d *decision) []Discarded {
	var all []Discarded
	for _, n := range v.nodes {
		if n == d.survivor || !(d.has(fence, n) || d.has(rejoin, n)) || !n.hasData() {
			continue
		}
		if found := v.givenUp(n, d.survivor); found != nil {
			all = append(all, *found)
		}
	}
	return all
}

func (v *view) givenUp(n, survivor *node) *Discarded {
	g := Discarded{Host: n.name}
	if n.f.Log != nil {
		g.Last = n.f.Log.LastIndex
	}
	switch n.data {
	case usable:
		if survivor == nil || survivor.f.Log == nil || n.f.Log.LastIndex <= survivor.f.Log.LastIndex || !newer(n.f.Log, survivor.f.Log) {
			return nil
		}
		g.What, g.First = "tail", survivor.f.Log.LastIndex+1
		g.Entries = g.Last - survivor.f.Log.LastIndex
		g.Text = fmt.Sprintf("%s that only %s holds (index %d to %d)", entries(g.Entries), n.name, g.First, g.Last)
	case tailConflict, overruled, otherHistory:
		g.What = map[verdict]string{tailConflict: "tail", overruled: "overruled", otherHistory: "other_history"}[n.data]
		g.First = compare(n.f.Log, v.best.f.Log).conflict
		if g.First > 0 && g.Last >= g.First {
			g.Entries = g.Last - g.First + 1
		}
		g.Text = fmt.Sprintf("%s on %s that contradict the survivor's (index %d to %d)", entries(g.Entries), n.name, g.First, g.Last)
	case emptyCluster:
		g.What, g.Entries = "empty_cluster", g.Last
		g.Text = fmt.Sprintf("what %s took in as part of an empty cluster (revision %d)", n.name, revision(n.f))
	case otherCluster:
		g.What = "other_cluster"
		g.Text = fmt.Sprintf("the data on %s, of cluster %s", n.name, n.cluster())
	case damaged, emptyLog, removesSelf:
		g.What = "damaged"
		g.Text = fmt.Sprintf("whatever only the unusable data on %s holds: %s", n.name, n.why)
	default:
		return nil
	}
	return &g
}
