package rows

import (
	"fmt"
	"slices"

	"etcd-quorum-restore/modules/internal/plan/histories"
)

// elsewhere is true where there is a quorum, and this host is not the single member that has it.
func elsewhere(v *View, n *histories.Node) bool {
	return v.HasQuorum() && (len(histories.Intersection(v.Quorum, []*histories.Node{n})) == 0 || len(n.Facts.Members) > 1)
}

// staleForced is a member of the quorum on which a forced start was begun and never proven: somebody has started it with the others instead. The record
// goes only with that data, so the member joins anew: one in a run, and only where all members are there, of which a majority remains.
func staleForced(v *View) *histories.Node {
	begun := begunInQuorum(v)
	if len(begun) == 0 || len(v.DownMembers()) > 0 || len(v.Quorum)-1 < v.Needed() {
		return nil
	}
	return begun[0]
}

func begunInQuorum(v *View) []*histories.Node {
	return v.Which(func(n *histories.Node) bool { return n.ForcingBegun() && servesWithOthers(v, n) })
}

func servesWithOthers(v *View, n *histories.Node) bool {
	return slices.Contains(v.Quorum, n) && len(n.Facts.Members) > 1
}

// begunInPair refuses: while one of two joins anew, there is no other copy of the data. That is for a person to decide.
func begunInPair(v *View) *Decision {
	begun := begunInQuorum(v)
	if len(begun) == 0 || len(v.DownMembers()) > 0 || len(v.Members) != 2 {
		return nil
	}
	name := begun[0].Name
	return refuse(Refusal{
		Code: "forcing_in_pair",
		Msg: fmt.Sprintf("quorum present, 2 of 2, but a forced start was begun on %s and never finished. That member has to join anew, and until it has, the other one is alone",
			name),
		Hint: fmt.Sprintf("with a third host, add that first, by add_hosts.yml, and run this again; with two: %s -e etcd_host=%s; then: %s -e etcd_host=%s",
			v.Req.Playbook("remove_host.yml"), name, v.Req.Playbook("add_hosts.yml"), name),
	})
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
