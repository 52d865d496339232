package rows

import (
	"fmt"

	"etcd-quorum-restore/modules/internal/plan/histories"
)

func acceptCommand(v *View, chosen *histories.Node) string {
	return v.Req.Playbook("restore_quorum.yml") + " -e etcd_survivor=" + chosen.Name + " -e etcd_accept_loss=yes" + v.Req.LostHostsOption()
}

func position(n *histories.Node) string {
	return fmt.Sprintf("term %d, index %d", n.Facts.Log.LastTerm, n.Facts.Log.LastIndex)
}
