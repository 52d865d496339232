package rows

import (
	"fmt"

	"etcd-quorum-restore/modules/internal/plan/histories"
)

func acceptCommand(v *View, chosen *histories.Node) string {
	return v.Req.With("etcd_survivor="+chosen.Name, "etcd_accept_loss=yes")
}

func position(n *histories.Node) string {
	return fmt.Sprintf("term %d, index %d", n.Facts.Log.LastTerm, n.Facts.Log.LastIndex)
}
