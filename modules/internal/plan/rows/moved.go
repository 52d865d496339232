package rows

import (
	"fmt"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// movedApart refuses where the hosts that hold the data have other addresses than the member list has of them. All data is there, and no forced
// start is needed: members dial each other where the list says, so one of them at its old address is enough for quorum [tried on etcd 3.2.32]. A
// host that is alone with its data is forced at its new address, and takes it into the list before another one joins.
func movedApart(v *View) *Decision {
	if v.HasQuorum() {
		return nil
	}
	with := v.Which(func(n *histories.Node) bool {
		return n.Data == histories.Usable && v.DataIsMembers(n) && !n.Superseded()
	})
	var moved []string
	for _, n := range with {
		if n.Facts.MovedFrom != "" {
			moved = append(moved, n.Name+" (it was "+n.Facts.MovedFrom+")")
		}
	}
	if len(moved) < 2 || len(moved) < len(with) {
		return nil
	}
	first := with[0]
	return refuse(Refusal{
		Code: "moved",
		Msg:  fmt.Sprintf("%s have other addresses than the member list knows: they cannot find each other, and their data is whole", wording.And(moved)),
		Hint: fmt.Sprintf("give %s its old address back beside the new one, ip addr add %s dev INTERFACE, and its old URLs into its etcd.conf, then: %s. "+
			"With quorum, take the new addresses into the list, one host after the other: %s", first.Name, first.Facts.MovedFrom,
			v.Req.Playbook("restore_quorum.yml"), v.Req.Playbook("readdress.yml")+" -e etcd_host=NAME"),
	})
}
