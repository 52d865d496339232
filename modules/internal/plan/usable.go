package plan

import (
	"fmt"

	"etcd-quorum-restore/modules/internal/facts"
)

// verdict is what a host's data is worth.
type verdict string

const (
	notKnown     verdict = "not known"     // unreachable, or no facts
	noData       verdict = "none"          // surely no member directory
	usable       verdict = "usable"        //
	damaged      verdict = "damaged"       // cannot be read in full
	emptyLog     verdict = "empty log"     // a member that has just joined, and got nothing yet
	otherCluster verdict = "other cluster" //
	emptyCluster verdict = "empty cluster" // of wiped hosts that formed a new one with the same ID
	otherHistory verdict = "other history" // contradicts what is committed
	tailConflict verdict = "conflict"      // same history, other last entries; which of them were committed is not known
	overruled    verdict = "overruled"     // same history, other last entries, which a later leader has surely replaced
	noneInCommon verdict = "too far behind"
	notAMember   verdict = "not a member" // its ID is not in the membership: it was removed, or dropped by a forced start
	removesSelf  verdict = "removes itself"
)

// judgeData gives every host its verdict, by the rules of "usable data", in their order.
func (v *view) judgeData() {
	for _, n := range v.nodes {
		n.data, n.why = v.judge(n)
	}
}

func (v *view) judge(n *node) (verdict, string) {
	switch {
	case n.why != "":
		return damaged, n.why
	case !n.answered():
		return notKnown, ""
	case !n.hasData():
		return noData, ""
	case n.justJoined():
		return emptyLog, damageOf(n.f)
	case !n.readable():
		return damaged, damageOf(n.f)
	case v.best == nil:
		return notKnown, "no measure"
	case n.cluster() != v.best.cluster():
		return otherCluster, n.cluster()
	}
	return v.judgeLog(n)
}

func (v *view) judgeLog(n *node) (verdict, string) {
	r := relation{common: 1}
	if n != v.best {
		r = compare(n.f.Log, v.best.f.Log)
	}
	switch {
	case !v.histories.real(n) && r.common == 0 && v.ofNewborn(n):
		return emptyCluster, fmt.Sprintf("revision %d", revision(n.f))
	case r.conflict > 0 && (known(n.f) >= r.conflict || r.common == 0):
		return otherHistory, fmt.Sprintf("from index %d", r.conflict)
	case r.conflict > 0 && contradictedBy(n, v.sound) != nil:
		return overruled, fmt.Sprintf("from index %d", r.conflict)
	case r.conflict > 0:
		return tailConflict, fmt.Sprintf("from index %d", r.conflict)
	case r.common == 0:
		return noneInCommon, ""
	case v.memberByID(n.dataID()) == nil:
		return notAMember, ""
	}
	return v.judgeTail(n)
}

// judgeTail: etcd exits ("permanently removed") when it applies its own removal, and nobody has tried the changes it does not know.
func (v *view) judgeTail(n *node) (verdict, string) {
	for _, c := range n.f.Log.ConfChanges {
		switch {
		case c.Type == "remove" && id(c.MemberID) == n.dataID():
			return removesSelf, fmt.Sprintf("at index %d", c.Index)
		case c.Type == "learner" || c.Type == "unknown":
			return damaged, fmt.Sprintf("a membership change that is not understood, at index %d", c.Index)
		}
	}
	return usable, ""
}

// ofNewborn: its log, and those of the others of its family, begin with the first entry of a cluster, and the family is not just one
// member that stopped long before the oldest entry which is still known.
func (v *view) ofNewborn(n *node) bool {
	for _, f := range v.histories.families {
		if !f.has(n) {
			continue
		}
		straggler := len(f.nodes) == 1 && !f.serves() && n.f.Log.LastTerm > 1 && v.best.f.Log.FirstIndex > n.f.Log.LastIndex
		return f.newborn() && f.cluster == v.best.cluster() && revision(v.best.f) > f.revision() && !straggler
	}
	return false
}

func (v *view) memberByID(memberID string) *facts.ClusterMember {
	for i := range v.members {
		if memberID != "" && id(v.members[i].ID) == memberID {
			return &v.members[i]
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

// usableHosts are ordered by their log, the newest first.
func (v *view) usableHosts() []*node {
	return ranking(v.which(func(n *node) bool { return n.data == usable }))
}
