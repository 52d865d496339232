package histories

import (
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
)

// Favour is a host for which another was fenced: the survivor of its record, or one that an earlier record named.
type Favour struct {
	Fenced  *Node
	Name    string // as recorded
	earlier bool
}

// favours has the earlier survivors, too: a run that was killed has put the name of its own in their place, and one of them may have gone on. What that
// run had consent for, the next has to ask.
func favours(fenced *Node) []Favour {
	all := []Favour{{fenced, fenced.Facts.Fenced.Survivor, false}}
	for _, name := range Unique(strings.FieldsFunc(fenced.Facts.Fenced.Earlier, func(r rune) bool { return r == ',' })) {
		all = append(all, Favour{fenced, name, true})
	}
	return all
}

// findSuperseded looks for data that another host has gone on without. A fence names the survivor for which it was set: that host may have been
// forced, and may have acknowledged writes since. Then not only the fenced data is superseded, but all data of the membership that the fenced
// member belonged to, fenced or not. Data from after a forced start no longer lists that member.
func (c *Cluster) findSuperseded() {
	var all []Favour
	for _, f := range c.Which((*Node).Fenced) {
		all = append(all, favours(f)...)
	}
	for _, n := range c.Which((*Node).HasData) {
		for _, f := range all {
			if (n == f.Fenced || n != c.Called(f.Name) && n.isOfMembershipOf(f.Fenced)) && c.fenceStands(f, n) {
				n.SupersededBy = append(n.SupersededBy, f)
			}
		}
	}
}

// fenceStands is true where nothing shows that the data of n is still the cluster's. The time of a fence does not count: hosts' clocks differ.
func (c *Cluster) fenceStands(f Favour, n *Node) bool {
	record, survivor := f.Fenced.Facts.Fenced, c.Called(f.Name)
	switch {
	case survivor == f.Fenced:
		return record.Kind == "" && !f.earlier // older versions also wrote this where they had no name
	case survivor == nil && record.Kind != "" && f.Name == facts.UnknownSurvivor:
		gone, known := c.MayHaveGoneOn(f.Fenced.FencedID())
		return len(gone) > 0 || !known
	case survivor == nil || !survivor.Answered():
		return true
	case !f.earlier && survivor.fencedInRunOf(f.Fenced) && survivor.Facts.Forcing == nil:
		return false // that run ended before its forced start: the survivor's fence is lifted only after it
	}
	return !survivor.Readable() || !survivor.stillLists(f.Fenced) || survivor.apartFrom(n)
}

// MayHaveGoneOn are the other members of a fenced member's time, without those that are here with a log that still lists it.
func (c *Cluster) MayHaveGoneOn(memberID facts.ID) (gone []facts.ClusterMember, known bool) {
	here := c.Which(func(n *Node) bool { return n.Readable() && n.Facts.Forcing == nil && n.Lists(memberID) })
	for _, n := range here {
		for _, m := range n.Facts.Members {
			if !Lists(gone, m.ID) && !slices.ContainsFunc(here, func(o *Node) bool { return o.DataID() == m.ID && !o.apartFrom(n) }) {
				gone = append(gone, m)
			}
		}
	}
	return sortedMembers(gone), len(here) > 0
}

// apartFrom is true for logs of two clusters: they have different cluster IDs, or hold the same indexes and have no entry in common. Wiped hosts
// that form a new cluster get the old one's IDs.
func (n *Node) apartFrom(o *Node) bool {
	if !n.Readable() || !o.Readable() {
		return false
	}
	a, b := n.Facts.Log, o.Facts.Log
	return n.ClusterID() != o.ClusterID() || Compare(a, b).Common == 0 && a.FirstIndex <= b.LastIndex && b.FirstIndex <= a.LastIndex && n != o
}

// Called is the host of this name, in the inventory or in etcd.conf; nil where none or several have it.
func (c *Cluster) Called(name string) *Node {
	if s := c.Node(name); s != nil {
		return s
	}
	called := c.Which(func(o *Node) bool { return o.Answered() && sameName(o.Facts.Config.Name, name) })
	if len(called) == 1 {
		return called[0]
	}
	return nil
}

func (n *Node) fencedInRunOf(o *Node) bool {
	own, theirs := n.Facts.Fenced, o.Facts.Fenced
	return own != nil && own.Kind == facts.FenceRecovery && own.Run != "" && own.Run == theirs.Run
}

// FencedID is the member whose data was fenced here, or is here now.
func (n *Node) FencedID() facts.ID {
	if known := n.DataID(); known != 0 || n.Facts.Fenced.MemberID == nil {
		return known
	}
	return *n.Facts.Fenced.MemberID
}

// Lists is true where the member is in the list, and no entry of the log's tail removes it. A forced start removes all others by such entries.
func (n *Node) Lists(memberID facts.ID) bool {
	return memberID != 0 && Lists(n.Facts.Members, memberID) && (n.Facts.Log == nil || !slices.ContainsFunc(n.Facts.Log.ConfChanges, func(c facts.ConfChange) bool {
		return c.Type == "remove" && c.MemberID == memberID
	}))
}

// stillLists is true where n's list still has the fenced host's member. A fenced host without data, as after a wipe, is known by its peer URL;
// there the name distinguishes its member from one that was added again and never started.
func (n *Node) stillLists(fenced *Node) bool {
	if known := fenced.FencedID(); known != 0 {
		return n.Lists(known)
	}
	return slices.ContainsFunc(n.Facts.Members, func(m facts.ClusterMember) bool {
		return m.Name != "" && facts.ShareURL(m.PeerURLs, fenced.Facts.Config.PeerURLs) && n.Lists(m.ID)
	})
}

// isOfMembershipOf is true where n's data is of the fenced member's membership. Where the fenced host had no data, only the fence of a restore
// says that its member was to be dropped, or that of a join, which is set after it was.
func (n *Node) isOfMembershipOf(fenced *Node) bool {
	return n.stillLists(fenced) && (fenced.FencedID() != 0 || slices.Contains([]string{facts.FenceRecovery, facts.FenceJoining}, fenced.Facts.Fenced.Kind))
}

// current leaves out superseded data as long as there is other data: that is of a cluster that went on.
func (c *Cluster) current(ranked []*Node) []*Node {
	if c.accepted(ranked) != nil {
		return ranked
	}
	if rest := slices.DeleteFunc(slices.Clone(ranked), (*Node).Superseded); len(rest) > 0 {
		return rest
	}
	return ranked
}

// Superseded is true where another host may have gone on without this host's data.
func (n *Node) Superseded() bool { return len(n.SupersededBy)+len(n.LeftOutBy) > 0 }
