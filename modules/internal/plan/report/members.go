package report

import (
	"fmt"
	"strconv"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/rows"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// memberTable has a line for each host, then one for each member without a host in the inventory.
func memberTable(v *rows.View) []string {
	var cells [][]string
	for _, n := range v.Nodes {
		cells = append(cells, memberCells(v, n))
	}
	for i := range v.Members {
		m := &v.Members[i]
		if v.HostOf(m) == nil {
			cells = append(cells, []string{v.MemberName(m), "no host", string(histories.NotKnown), "-", "-", "-", "-"})
		}
	}
	return wording.Table(columns, cells, map[int]bool{3: true, 4: true, 5: true, 6: true})
}

func memberCells(v *rows.View, n *histories.Node) []string {
	row := []string{n.Name, stateWord(v, n), string(n.Data), "-", "-", "-", "-"}
	if !n.Answered() {
		return row
	}
	if l := n.Facts.Log; l != nil {
		row[3] = fmt.Sprintf("%d/%d", l.LastTerm, l.LastIndex)
		row[4] = strconv.FormatUint(l.Commit, 10)
	}
	if r := histories.Revision(n.Facts); r > 0 {
		row[5] = strconv.FormatInt(r, 10)
	}
	row[6] = lag(v, n)
	return row
}

// lag counts entries, where the two logs can be compared at all.
func lag(v *rows.View, n *histories.Node) string {
	comparable := n.Data == histories.Usable || n.Data == histories.NotAMember
	switch {
	case v.Best == nil:
		return "-"
	case n.Data == histories.TailConflict || n.Data == histories.Overruled:
		return "conflict"
	case !comparable:
		return "-"
	case n.Facts.Log.LastIndex >= v.Best.Facts.Log.LastIndex:
		return "0"
	}
	return strconv.FormatUint(v.Best.Facts.Log.LastIndex-n.Facts.Log.LastIndex, 10)
}

func stateWord(v *rows.View, n *histories.Node) string {
	switch {
	case n.Facts.Unreachable:
		return "unreachable"
	case !n.Answered():
		return "no facts"
	case n.Fenced():
		return "fenced"
	case n.Up() && n.Facts.Live.Quorum && v.Families.Real(n):
		return "healthy"
	case n.Facts.State == "":
		return "unknown"
	}
	return n.Facts.State
}

var columns = []string{"HOST", "ETCD", "DATA", "TERM/INDEX", "COMMIT", "REVISION", "BEHIND"}
