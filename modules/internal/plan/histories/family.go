package histories

import (
	"cmp"
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
)

// Family is a set of logs that share a history. Logs of one cluster ID that fall into two families come from two clusters: etcd's IDs are made
// from names, URLs and the token, so two wiped hosts with the installed etcd.conf form a new, empty cluster of the same ID.
type Family struct {
	Cluster facts.ID
	Nodes   []*Node
}

func (f Family) firstIndex() uint64 {
	first := f.Nodes[0].Facts.Log.FirstIndex
	for _, n := range f.Nodes {
		first = min(first, n.Facts.Log.FirstIndex)
	}
	return first
}

// LastIndex is the greatest last index of its logs.
func (f Family) LastIndex() (last uint64) {
	for _, n := range f.Nodes {
		last = max(last, n.Facts.Log.LastIndex)
	}
	return last
}

// Revision is the greatest revision of its databases.
func (f Family) Revision() (r int64) {
	for _, n := range f.Nodes {
		r = max(r, Revision(n.Facts))
	}
	return r
}

// IsFresh is true where all its logs begin at the cluster's first entry.
func (f Family) IsFresh() bool {
	return !slices.ContainsFunc(f.Nodes, func(n *Node) bool { return n.Facts.Log.FirstIndex > 1 || n.Facts.Log.SnapshotIndex > 0 })
}

// serves is true where one of its members answered a linearizable read.
func (f Family) serves() bool {
	return slices.ContainsFunc(f.Nodes, func(n *Node) bool { return n.Up() && n.Facts.Live.Quorum })
}

func (f Family) has(n *Node) bool { return slices.Contains(f.Nodes, n) }

// Families says which family is the real cluster.
type Families struct {
	All    []Family
	Main   int // of families; -1 if there is none, or if the facts do not tell
	splits []Split
}

// Real is true unless the host's data, or its process where the data cannot be read, is known to belong to another history.
func (h Families) Real(n *Node) bool {
	if h.Main < 0 {
		return len(h.All) == 0
	}
	own := slices.IndexFunc(h.All, func(f Family) bool { return f.has(n) })
	if own < 0 {
		return n.ClusterID() == 0 || n.ClusterID() == h.All[h.Main].Cluster
	}
	return own == h.Main
}

func sortFamilies(nodes []*Node, chosen string) Families {
	h := Families{All: gather(nodes), Main: -1}
	switch {
	case len(h.All) == 0:
		return h
	case len(h.All) == 1:
		h.Main = 0
		return h
	}
	if chosen := chosenFamily(h.All, chosen); chosen >= 0 {
		h.Main = chosen
		return h
	}
	h.Main = 0
	for i := 1; i < len(h.All); i++ {
		second, apart := realOne(h.All[h.Main], h.All[i])
		if apart != nil {
			h.splits = append(h.splits, *apart)
			h.Main = -1
			return h
		}
		if second {
			h.Main = i
		}
	}
	return h
}

// gather puts logs that agree anywhere into one family, directly or through a third. The largest family comes first.
func gather(nodes []*Node) []Family {
	var out []Family
	for _, n := range nodes {
		if !n.Readable() {
			continue
		}
		joined := Family{Cluster: n.ClusterID()}
		var apart []Family
		for _, f := range out {
			if f.Cluster == n.ClusterID() && slices.ContainsFunc(f.Nodes, func(o *Node) bool { return Compare(n.Facts.Log, o.Facts.Log).Common > 0 || sameLeader(n, o) }) {
				joined.Nodes = append(joined.Nodes, f.Nodes...)
			} else {
				apart = append(apart, f)
			}
		}
		joined.Nodes = append(joined.Nodes, n)
		out = append(apart, joined)
	}
	slices.SortStableFunc(out, func(a, b Family) int {
		return cmp.Or(cmp.Compare(b.Revision(), a.Revision()), cmp.Compare(b.LastIndex(), a.LastIndex()))
	})
	return out
}

// sameLeader is true where both read through one leader. For a log that a snapshot cut just before that leader's first entry, this is the only
// sign.
func sameLeader(a, b *Node) bool {
	return a.Up() && b.Up() && a.Facts.Live.Quorum && b.Facts.Live.Quorum && a.Facts.Live.Leader != 0 && a.Facts.Live.Leader == b.Facts.Live.Leader
}

// chosenFamily is the family of the host that the operator named, if the loss of the others was accepted too.
func chosenFamily(families []Family, chosen string) int {
	return slices.IndexFunc(families, func(f Family) bool {
		return slices.ContainsFunc(f.Nodes, func(n *Node) bool { return n.Name == chosen })
	})
}

// realOne decides which of two families is the cluster that was lost: the first, which is the larger, or the second; or how they are split where
// the facts do not decide.
func realOne(large, small Family) (second bool, apart *Split) {
	switch {
	case large.Cluster != small.Cluster:
		if large.serves() != small.serves() {
			return small.serves(), nil // the family with quorum is the cluster; the other host's data is foreign
		}
		return false, &Split{Kind: DifferentClusters, A: large, B: small}
	case small.IsFresh() && muchLarger(large, small):
		return false, nil
	case small.serves():
		return false, &Split{Kind: TwoHistories, A: large, B: small}
	case large.firstIndex() > small.LastIndex():
		return false, nil // the small one stopped long ago: its last entry is older than the first that the large one still holds
	case !conflicting(large, small) && Newer(Ranking(large.Nodes)[0].Facts.Log, Ranking(small.Nodes)[0].Facts.Log):
		return false, nil // it is behind, and by chance the kept sums have no index in common
	}
	return false, &Split{Kind: TwoHistories, A: large, B: small}
}

func conflicting(a, b Family) bool {
	return slices.ContainsFunc(a.Nodes, func(x *Node) bool {
		return slices.ContainsFunc(b.Nodes, func(y *Node) bool { return Compare(x.Facts.Log, y.Facts.Log).Conflict > 0 })
	})
}

// HoldsNothing is true where neither a v3 revision nor a v2 key was ever made, however many entries elections and failed requests of clients have
// left.
func (f Family) HoldsNothing() bool {
	return !slices.ContainsFunc(f.Nodes, func(n *Node) bool { return Revision(n.Facts) > 1 || n.Facts.V2Data == nil || n.Facts.V2Data.Present })
}

// Clients that still had its addresses may have written to an empty cluster, so it may hold some data. Beside a log that is longer than any young
// one (it has made a snapshot), a tenth is clear enough. Where both histories begin at index 1, each could be the later one, and only these few
// writes distinguish them.
const handful = 50

func muchLarger(old, young Family) bool {
	switch {
	case young.HoldsNothing():
		return old.Revision() > 1
	case old.IsFresh() && young.Revision() > handful:
		return false
	}
	fewWrites := young.Revision() <= 1 || young.Revision() <= old.Revision()/10
	return fewWrites && young.LastIndex() <= old.LastIndex()/2
}

// Split is a pair of histories where the facts do not tell which one is the cluster's.
type Split struct {
	Kind  splitKind
	A, B  Family
	Index uint64 // of splitBrain: they contradict each other from here on
}

type splitKind int

const (
	DifferentClusters splitKind = iota // two cluster IDs
	TwoHistories                       // one cluster ID, and no entry in common
	SplitBrain                         // one history that forked, and both ends are committed
)
