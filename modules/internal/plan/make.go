package plan

import (
	"etcd-quorum-restore/modules/internal/plan/report"
	"etcd-quorum-restore/modules/internal/plan/rows"
)

// Make decides.
func Make(req Request) Plan {
	v := rows.See(req)
	d := rows.Decide(v)
	restore := rows.DecideRestore(v)
	return Plan{Do: doOf(v, d, restore), Report: report.Of(v, d, restore)}
}
