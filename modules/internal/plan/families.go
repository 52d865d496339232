package plan

import (
	"cmp"
	"fmt"
	"slices"
)

// family is a set of logs that share a history. Logs of one cluster ID that fall into two families come from two clusters:
// etcd's IDs are made from names, URLs and the token, so two wiped hosts with the installed etcd.conf form a new, empty cluster of the
// same ID.
type family struct {
	cluster string
	nodes   []*node
}

func (f family) firstIndex() uint64 {
	first := f.nodes[0].f.Log.FirstIndex
	for _, n := range f.nodes {
		first = min(first, n.f.Log.FirstIndex)
	}
	return first
}

func (f family) lastIndex() (last uint64) {
	for _, n := range f.nodes {
		last = max(last, n.f.Log.LastIndex)
	}
	return last
}

func (f family) revision() (r int64) {
	for _, n := range f.nodes {
		r = max(r, revision(n.f))
	}
	return r
}

// newborn: all its logs begin at the cluster's first entry.
func (f family) newborn() bool {
	return !slices.ContainsFunc(f.nodes, func(n *node) bool { return n.f.Log.FirstIndex > 1 || n.f.Log.SnapshotIndex > 0 })
}

// serves: one of its members answered a linearizable read.
func (f family) serves() bool {
	return slices.ContainsFunc(f.nodes, func(n *node) bool { return n.up() && n.f.Live.Quorum })
}

func (f family) has(n *node) bool { return slices.Contains(f.nodes, n) }

// histories is which family is the real cluster.
type histories struct {
	families []family
	main     int // of families; -1 if there is none, or if it cannot be told
	refusals []Refusal
}

// real: the host's data, or its process where the data cannot be read, is not known to belong to another history.
func (h histories) real(n *node) bool {
	if h.main < 0 {
		return len(h.families) == 0
	}
	own := slices.IndexFunc(h.families, func(f family) bool { return f.has(n) })
	if own < 0 {
		return n.cluster() == "" || n.cluster() == h.families[h.main].cluster
	}
	return own == h.main
}

func sortHistories(nodes []*node, req Request) histories {
	h := histories{families: gather(nodes), main: -1}
	switch {
	case len(h.families) == 0:
		return h
	case len(h.families) == 1:
		h.main = 0
		return h
	}
	if chosen := chosenFamily(h.families, req); chosen >= 0 {
		h.main = chosen
		return h
	}
	h.main = 0
	for i := 1; i < len(h.families); i++ {
		second, refusal := realOne(h.families[h.main], h.families[i], req)
		if refusal != nil {
			h.refusals = append(h.refusals, *refusal)
			h.main = -1
			return h
		}
		if second {
			h.main = i
		}
	}
	return h
}

// gather puts logs that agree anywhere into one family, directly or through a third. The largest family comes first.
func gather(nodes []*node) []family {
	var out []family
	for _, n := range nodes {
		if !n.readable() {
			continue
		}
		joined := family{cluster: n.cluster()}
		var apart []family
		for _, f := range out {
			if f.cluster == n.cluster() && slices.ContainsFunc(f.nodes, func(o *node) bool { return compare(n.f.Log, o.f.Log).common > 0 }) {
				joined.nodes = append(joined.nodes, f.nodes...)
			} else {
				apart = append(apart, f)
			}
		}
		joined.nodes = append(joined.nodes, n)
		out = append(apart, joined)
	}
	slices.SortStableFunc(out, func(a, b family) int {
		return cmp.Or(cmp.Compare(b.revision(), a.revision()), cmp.Compare(b.lastIndex(), a.lastIndex()))
	})
	return out
}

// chosenFamily is the family of the host that the operator named, if the loss of the others was accepted too.
func chosenFamily(families []family, req Request) int {
	if req.Prefer == "" || !req.AcceptLoss {
		return -1
	}
	return slices.IndexFunc(families, func(f family) bool {
		return slices.ContainsFunc(f.nodes, func(n *node) bool { return n.name == req.Prefer })
	})
}

// realOne tells which of two families is the cluster that was lost: the first, which is the larger, or the second; or a refusal if
// the facts do not tell.
func realOne(large, small family, req Request) (second bool, refusal *Refusal) {
	switch {
	case large.cluster != small.cluster:
		if large.serves() != small.serves() {
			return small.serves(), nil // what has quorum is the cluster; the other host only holds something foreign
		}
		return false, differentClusters(large, small, req)
	case small.newborn() && dwarfs(large, small):
		return false, nil
	case small.serves():
		return false, twoHistories(large, small, req)
	case large.firstIndex() > small.lastIndex():
		return false, nil // the small one stopped long ago: its last entry is older than the first that the large one still holds
	case !conflicting(large, small) && newer(ranking(large.nodes)[0].f.Log, ranking(small.nodes)[0].f.Log):
		return false, nil // it is behind, and the sums that are kept happen to have no index in common
	}
	return false, twoHistories(large, small, req)
}

func conflicting(a, b family) bool {
	return slices.ContainsFunc(a.nodes, func(x *node) bool {
		return slices.ContainsFunc(b.nodes, func(y *node) bool { return compare(x.f.Log, y.f.Log).conflict > 0 })
	})
}

// holdsNothing: neither a v3 revision nor a v2 key was ever made there, however many entries its elections and its clients' failed
// requests have left.
func (f family) holdsNothing() bool {
	return !slices.ContainsFunc(f.nodes, func(n *node) bool { return revision(n.f) > 1 || n.f.V2Data == nil || n.f.V2Data.Present })
}

// Clients that still had its addresses may have written to an empty cluster, so it need not be wholly empty. Beside a log that is
// longer than any young one (it has made a snapshot), a tenth is clear enough. Where both histories begin at index 1, each could be the
// one that came later, and only a handful of writes tells them apart.
const handful = 50

func dwarfs(old, young family) bool {
	switch {
	case young.holdsNothing():
		return old.revision() > 1
	case old.newborn() && young.revision() > handful:
		return false
	}
	fewWrites := young.revision() <= 1 || young.revision() <= old.revision()/10
	return fewWrites && young.lastIndex() <= old.lastIndex()/2
}

func differentClusters(a, b family, req Request) *Refusal {
	return &Refusal{
		Code: "different_clusters",
		Msg: fmt.Sprintf("the data of %s belongs to cluster %s, that of %s to cluster %s; expected one cluster",
			and(names(a.nodes)), a.cluster, and(names(b.nodes)), b.cluster),
		Hint: "find out which one is yours, and name a host that holds it; the other's data is set aside, never deleted: " + req.playbook("restore_quorum.yml") + " -e etcd_survivor=HOST -e etcd_accept_loss=yes",
	}
}

func twoHistories(a, b family, req Request) *Refusal {
	return &Refusal{
		Code: "two_histories",
		Msg: fmt.Sprintf("the data of %s (%s) and of %s (%s) has the same cluster ID but shares no history; which of them is the cluster that was lost is not certain",
			and(names(a.nodes)), a.size(), and(names(b.nodes)), b.size()),
		Hint: "name a host that holds the right one; the other's data is set aside, never deleted: " + req.playbook("restore_quorum.yml") + " -e etcd_survivor=HOST -e etcd_accept_loss=yes",
	}
}

func (f family) size() string {
	return fmt.Sprintf("last index %d, revision %d", f.lastIndex(), f.revision())
}
