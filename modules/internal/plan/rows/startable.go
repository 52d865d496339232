package rows

import "etcd-quorum-restore/modules/internal/plan/histories"

// elsewhere is true where there is a quorum, and this host is not the single member that has it.
func elsewhere(v *View, n *histories.Node) bool {
	return v.HasQuorum() && (len(histories.Intersection(v.Quorum, []*histories.Node{n})) == 0 || len(n.Facts.Members) > 1)
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
	switch n.Data {
	case histories.EmptyCluster, histories.OtherHistory, histories.RemovesSelf, histories.OtherCluster, histories.CopiedData:
		return true
	case histories.Damaged, histories.EmptyLog:
		return !n.Up()
	}
	return false
}
