package rows

import "etcd-quorum-restore/modules/internal/plan/histories"

// elsewhere is true where there is a quorum, and this host is not the single member that has it.
func elsewhere(v *View, n *histories.Node) bool {
	return v.HasQuorum() && (len(histories.Intersection(v.Quorum, []*histories.Node{n})) == 0 || len(n.Facts.Members) > 1)
}

// staleForced is a member of the quorum on which a forced start was begun and never proven: somebody has started it with the others instead. The record
// goes only with that data, so the member joins anew: one in a run, and only where all members are there, of which a majority remains.
func staleForced(v *View) *histories.Node {
	if len(v.DownMembers()) > 0 || len(v.Quorum)-1 < v.Needed() {
		return nil
	}
	for _, n := range v.Quorum {
		if n.ForcingBegun() && len(n.Facts.Members) > 1 {
			return n
		}
	}
	return nil
}

func inListWithData(v *View, n *histories.Node) bool {
	return n.Answered() && v.DataIsMembers(n) && v.Started(n.Member) && !cannotStart(v, n)
}

// cannotStart is true where etcd would panic on this data, or the data is of another history, or a copy. A running member with damaged files or an empty log
// is left alone.
func cannotStart(v *View, n *histories.Node) bool {
	if n.Facts.Forcing != nil && elsewhere(v, n) && len(histories.Intersection(v.Quorum, []*histories.Node{n})) == 0 {
		return n.ForcingBegun() || n.OfAnotherForcing()
	}
	if n.Facts.Forcing != nil && n == staleForced(v) {
		return true
	}
	switch n.Data {
	case histories.EmptyCluster, histories.OtherHistory, histories.RemovesSelf, histories.OtherCluster, histories.CopiedData:
		return true
	case histories.Damaged, histories.EmptyLog:
		return !n.Up()
	}
	return false
}
