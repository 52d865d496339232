package histories

import (
	"fmt"
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
)

const (
	NotKnown     Verdict = "not known"     // unreachable, or no facts
	NoData       Verdict = "none"          // certainly no member directory
	Usable       Verdict = "usable"        //
	Damaged      Verdict = "damaged"       // cannot be read in full
	EmptyLog     Verdict = "empty log"     // a member that has just joined, and has received nothing yet
	OtherCluster Verdict = "other cluster" //
	EmptyCluster Verdict = "empty cluster" // of wiped hosts that formed a new cluster with the same ID
	OtherHistory Verdict = "other history" // contradicts what is committed
	TailConflict Verdict = "conflict"      // same history, other last entries; nobody knows which of them were committed
	Overruled    Verdict = "overruled"     // same history, other last entries, which a later leader has certainly replaced
	NoneInCommon Verdict = "too far behind"
	NotAMember   Verdict = "not a member" // its ID is not in the membership: it was removed, or dropped by a forced start
	RemovesSelf  Verdict = "removes itself"
	CopiedData   Verdict = "a copy" // of the data of a member that another host is
)

// judgeData gives every host its verdict, by the rules of "usable data", in their order.
func (c *Cluster) judgeData() {
	for _, n := range c.Nodes {
		n.Data, n.Why = c.judge(n)
	}
}

func (c *Cluster) judge(n *Node) (Verdict, string) {
	switch {
	case n.Why != "":
		return Damaged, n.Why
	case !n.Answered():
		return NotKnown, ""
	case !n.HasData():
		return NoData, ""
	case n.justJoined():
		return EmptyLog, damageOf(n.Facts)
	case !n.Readable():
		return Damaged, damageOf(n.Facts)
	case c.Best == nil:
		return NotKnown, "no measure"
	case n.ClusterID() != c.Best.ClusterID():
		return OtherCluster, n.ClusterID().String()
	}
	return c.judgeLog(n)
}

func (c *Cluster) judgeLog(n *Node) (Verdict, string) {
	r := Relation{Common: 1}
	if n != c.Best {
		r = Compare(n.Facts.Log, c.Best.Facts.Log)
	}
	switch {
	case !c.Families.Real(n) && r.Common == 0 && c.ofFresh(n):
		return EmptyCluster, fmt.Sprintf("revision %d", Revision(n.Facts))
	case r.Conflict > 0 && (KnownCommitted(n.Facts) >= r.Conflict || r.Common == 0):
		return OtherHistory, fmt.Sprintf("from index %d", r.Conflict)
	case r.Conflict > 0 && contradictedBy(n, c.sound) != nil && !slices.ContainsFunc(c.sound, func(o *Node) bool { return o.Outlasts(n) }):
		return OtherHistory, fmt.Sprintf("from index %d", r.Conflict)
	case r.Conflict > 0 && contradictedBy(n, c.sound) != nil:
		return Overruled, fmt.Sprintf("from index %d", r.Conflict)
	case r.Conflict > 0:
		return TailConflict, fmt.Sprintf("from index %d", r.Conflict)
	case r.Common == 0:
		return NoneInCommon, ""
	case c.memberByID(n.DataID()) == nil && !c.addedSince(n):
		return NotAMember, ""
	case n.CopyOf != nil:
		return CopiedData, "of the data on " + n.CopyOf.Name
	case c.beyondQuorum(n):
		return OtherHistory, fmt.Sprintf("committed to index %d", KnownCommitted(n.Facts))
	}
	return c.judgeTail(n)
}

// addedSince is true where an entry beyond all that the list is made of adds the member: it was added again, and its power was cut. At the end of its
// own log it is a member.
func (c *Cluster) addedSince(n *Node) bool {
	return !c.HasQuorum() && slices.ContainsFunc(n.Facts.Log.ConfChanges, func(e facts.ConfChange) bool {
		return e.Type == "add" && e.MemberID == n.DataID() && e.Index > KnownCommitted(c.Best.Facts)
	})
}

// beyondQuorum: a stopped member knows entries to be committed that no log of the quorum reaches, as after disks of a majority were put back. One that
// runs may just have been looked at later.
func (c *Cluster) beyondQuorum(n *Node) bool {
	if !c.HasQuorum() || n.Up() || slices.Contains(c.Quorum, n) {
		return false
	}
	for _, q := range c.Quorum {
		if !q.Readable() || max(q.Facts.Log.LastIndex, q.Facts.Live.RaftIndex) >= KnownCommitted(n.Facts) {
			return false
		}
	}
	return true
}

// judgeTail checks the membership changes in the log's tail. etcd exits ("permanently removed") when it applies its own removal, and a change
// that is not understood was never tried.
func (c *Cluster) judgeTail(n *Node) (Verdict, string) {
	for _, change := range n.Facts.Log.ConfChanges {
		switch {
		case change.Type == "remove" && change.MemberID == n.DataID():
			return RemovesSelf, fmt.Sprintf("at index %d", change.Index)
		case change.Type == "learner" || change.Type == "unknown":
			return Damaged, fmt.Sprintf("a membership change that is not understood, at index %d", change.Index)
		}
	}
	return Usable, ""
}

// ofFresh is true where its log, and the others of its family, begin with the first entry of a cluster, and the family is not just one member
// that stopped long before the oldest entry that is still known.
func (c *Cluster) ofFresh(n *Node) bool {
	for _, f := range c.Families.All {
		if !f.has(n) {
			continue
		}
		straggler := len(f.Nodes) == 1 && !f.serves() && n.Facts.Log.LastTerm > 1 && c.Best.Facts.Log.FirstIndex > n.Facts.Log.LastIndex
		return f.IsFresh() && f.Cluster == c.Best.ClusterID() && Revision(c.Best.Facts) > f.Revision() && !straggler
	}
	return false
}

func (c *Cluster) memberByID(memberID facts.ID) *facts.ClusterMember {
	for i := range c.Members {
		if memberID != 0 && c.Members[i].ID == memberID {
			return &c.Members[i]
		}
	}
	return nil
}

func damageOf(h *Host) string {
	switch {
	case h.Log != nil && len(h.Log.Damage) > 0:
		return h.Log.Damage[0].Code
	case h.Log == nil:
		return "no readable log"
	case h.Database == nil:
		return "no readable database"
	case h.Log.LastIndex == 0:
		return "an empty log"
	}
	return "no member ID"
}

// UsableHosts are sorted by their log, the newest first; of equal ones, data that was moved there from another host comes last. Where a forced start
// was begun, only a forced start may use the data, so such hosts are left out.
func (c *Cluster) UsableHosts() []*Node {
	ranked := Ranking(c.Which(func(n *Node) bool { return n.Data == Usable && !n.ForcingBegun() }))
	slices.SortStableFunc(ranked, func(a, b *Node) int {
		switch {
		case Newer(a.Facts.Log, b.Facts.Log):
			return -1
		case Newer(b.Facts.Log, a.Facts.Log):
			return 1
		case c.Moved(a) == c.Moved(b):
			return 0
		case c.Moved(b):
			return -1
		}
		return 1
	})
	return ranked
}

// SettledByElection are members whose last entries conflict with those of good ones, and were never committed: raft elects the newest log of a
// majority, which holds every committed entry, and replaces them. Nothing may suggest another membership, or entries that one member committed
// alone.
func (c *Cluster) SettledByElection(good []*Node) []*Node {
	if !slices.Contains(good, c.Best) {
		return nil
	}
	var settled []*Node
	for _, n := range Ranking(c.Which(c.lostElection)) {
		apart := slices.ContainsFunc(slices.Concat(good, settled), func(o *Node) bool {
			return !n.Lists(o.DataID()) || !o.Lists(n.DataID()) || contradictedBy(o, []*Node{n}) != nil
		})
		if !apart {
			settled = append(settled, n)
		}
	}
	return settled
}

func (c *Cluster) lostElection(n *Node) bool {
	return (n.Data == TailConflict || n.Data == Overruled) && c.DataIsMembers(n) && c.Started(n.Member) &&
		Newer(c.Best.Facts.Log, n.Facts.Log) && !n.changesMembersApart(c.Best) && !n.ForcingBegun() && !n.Superseded()
}

// changesMembersApart is true where a membership change beyond the commit index is not in the other's log.
func (n *Node) changesMembersApart(best *Node) bool {
	apart := Compare(n.Facts.Log, best.Facts.Log).Conflict
	return slices.ContainsFunc(n.Facts.Log.ConfChanges, func(e facts.ConfChange) bool { return e.Index >= apart })
}

// Verdict is the verdict on the host's data, in words.
func (n *Node) Verdict() string {
	if n.Why == "" {
		return string(n.Data)
	}
	return string(n.Data) + " (" + n.Why + ")"
}
