package report

import (
	"fmt"
	"strings"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/rows"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// restoreLines say what a restore of a backup does, or why it is refused.
func restoreLines(v *rows.View, r rows.Restoration) []string {
	lines := []string{}
	switch {
	case rows.NothingToRestore(v):
		return append(lines, "etcd has quorum: there is nothing to restore from a backup.",
			"If this is a new cluster that formed on wiped hosts, move its data aside first, on each host: etcd_fence state=present, etcd_data_dir state=set_aside.")
	case len(r.Refusals) > 0:
		for i, no := range r.Refusals {
			lines = append(lines, "Refused: "+no.Msg)
			if lastWithHint(r.Refusals, i) {
				lines = append(lines, "Next:    "+no.Hint)
			}
		}
		return lines
	case r.Target.Facts.Restoring != nil:
		lines = append(lines, fmt.Sprintf("A restore of %s was begun on %s at %s; it continues.",
			r.Target.Facts.Restoring.Backup, r.Host, r.Target.Facts.Restoring.When))
	}
	lines = append(lines, fmt.Sprintf("No host has data that can be used. The backup is restored on %s, as a new one-member cluster that the old members cannot connect to.", r.Host))
	if len(r.Others) > 0 {
		lines = append(lines, "Then "+wording.And(histories.Names(r.Others))+" join it, one by one. Data that is found in a data directory is set aside, never deleted.")
	}
	if len(v.Req.Masters) > 0 {
		lines = append(lines, "API and controllers restart on "+strings.Join(rows.ReachableMasters(v), ", ")+".")
	}
	return lines
}
