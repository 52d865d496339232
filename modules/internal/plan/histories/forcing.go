package histories

import (
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
)

// ForcingBegun is true where a forced start was begun on the data that is here. Only a forced start may use that data: to keep the log's tail,
// the commit index was moved to its end, so it proves nothing.
func (n *Node) ForcingBegun() bool {
	f := n.Facts.Forcing
	if !n.Answered() || f == nil || !n.HasData() || n.OfAnotherForcing() {
		return false
	}
	return f.Phase != facts.ForcingProven || len(n.Facts.Members) < 2 // proven, and members have joined since: only the record was not removed
}

// OfAnotherForcing is true where the record is about data that is no longer here.
func (n *Node) OfAnotherForcing() bool {
	f := n.Facts.Forcing
	return n.Answered() && f != nil && f.MemberID != 0 && n.DataID() != 0 && f.MemberID != n.DataID()
}

// ForcedTail is true where the log holds removals that a start with --force-new-cluster wrote, and its commit index is from before them.
func (n *Node) ForcedTail() bool {
	return n.Answered() && n.Facts.Log != nil && slices.ContainsFunc(n.Facts.Log.ConfChanges, func(c facts.ConfChange) bool { return c.Forced })
}

// ForcedPending is true where some of those removals may never have been committed. Started with others, such a member makes them a cluster that
// nobody decided on, or panics when it is elected; alone, it can be forced.
func (n *Node) ForcedPending() bool {
	return n.ForcedTail() && slices.ContainsFunc(n.Facts.Log.ConfChanges, func(c facts.ConfChange) bool { return c.Forced && c.Index > KnownCommitted(n.Facts) })
}

// TakenInByForced is true where this data came from a member that forced a new cluster: the removals in the log do not leave this member as the
// only one. That cluster has served, so everything in the log may have been committed there, while the commit index on disk is from before.
func (n *Node) TakenInByForced() bool {
	if !n.ForcedTail() || n.Facts.Forcing != nil {
		return false
	}
	return !slices.ContainsFunc(n.Facts.Members, func(m facts.ClusterMember) bool { return m.ID == n.DataID() && !n.removedByForce(m.ID) })
}

func (n *Node) removedByForce(id facts.ID) bool {
	return slices.ContainsFunc(n.Facts.Log.ConfChanges, func(c facts.ConfChange) bool { return c.Forced && c.MemberID == id })
}

// HasServed is true where writes that etcd accepted prove the forced start. A start by the log has its record at "proven" as soon as the log is
// written, so there a running etcd is needed too.
func HasServed(h *Host) bool {
	return h.Forcing.Phase == facts.ForcingProven && (h.Forcing.Method != "log" || h.State == facts.Running || h.Live.Serves)
}

// beforeForcing gives the log the commit index from before the forced start.
func beforeForcing(h *Host) {
	f := h.Forcing
	if f == nil || h.Log == nil || HasServed(h) {
		return
	}
	l := *h.Log
	l.Commit = f.Commit
	if f.Commit == 0 { // a record of an older version
		l.Commit = l.SnapshotIndex
		if h.Database != nil {
			l.Commit = max(l.Commit, h.Database.ConsistentIndex)
		}
	}
	l.KnownCommitted, h.Log = l.Commit, &l
}
