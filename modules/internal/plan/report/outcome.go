package report

import (
	"fmt"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/rows"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// outcome is what happens to a host, in a few words.
func outcome(v *rows.View, n *histories.Node, d *rows.Decision) string {
	at := slices.Index(v.InOrder(append(slices.Clone(d.Work[rows.StepJoinStarted]), d.Work[rows.StepRejoin]...)), n) + 1
	switch {
	case d.Action == rows.Fence && d.Has(rows.StepFence, n):
		return "stopped and fenced; its data stays as it is"
	case d.Has(rows.StepPutBack, n) && rows.RanBefore(n):
		return "fence removed, started with its data"
	case d.Has(rows.StepPutBack, n):
		return "fence removed; not started, because it did not run before"
	case d.Action == rows.Undo && rows.StaysFenced(d, n):
		return staysFenced(n)
	case d.Action == rows.Fence || d.Action == rows.Undo:
		return "not touched"
	case d.Has(rows.StepForce, n):
		return "the survivor: stopped, copied, forced, serves alone first"
	case d.Has(rows.StepFinishForce, n):
		return "the survivor: its forced start is finished"
	case d.Has(rows.StepRestart, n):
		return "restarted without the force flag"
	case d.Has(rows.StepJoinStarted, n):
		return fmt.Sprintf("already added: started, number %d to join", at)
	case d.Has(rows.StepRejoin, n) && n.HasData():
		return fmt.Sprintf("fenced, data set aside, number %d to join", at)
	case d.Has(rows.StepRejoin, n):
		return fmt.Sprintf("fenced, number %d to join", at)
	case d.Has(rows.StepUnfenceKeepData, n):
		return "fence removed, started with its data"
	case d.Has(rows.StepStart, n) && n.Up():
		return "keeps running"
	case d.Has(rows.StepStart, n), d.Has(rows.StepStartFirst, n):
		return "started with its data"
	case slices.Contains(d.Held, n):
		return "fenced, not added: it holds committed entries of its own"
	case slices.Contains(d.Waiting, n):
		return "fenced; joins later, when all members are connected"
	case d.Has(rows.StepLeave, n):
		return "removed from the member list, then fenced; its data stays"
	case slices.Contains(d.Out, n.Name) && d.Has(rows.StepFence, n):
		return "fenced, left out"
	case slices.Contains(d.Out, n.Name):
		return "left out: keep it off until you run the commands under Afterwards"
	case d.Has(rows.StepTakeIn, n):
		return "joins last, as a new member"
	case n.IsNew && n.Member == nil && d.Has(rows.StepFence, n):
		return "fenced, waits in new_etcd for add_hosts.yml"
	case n.IsNew && n.Member == nil:
		return "waits in new_etcd for add_hosts.yml"
	case n.Up():
		return "keeps running"
	case !n.Answered() && mayHaveGoneOn(v, d, n.Name):
		return "stays off: it may have continued alone; fence it first"
	}
	return "not touched"
}

func staysFenced(n *histories.Node) string {
	switch {
	case n.Facts.Fenced.Kind != facts.FenceRecovery:
		return "stays fenced: no restore has fenced it"
	case !n.HasData():
		return "stays fenced: it has no data"
	}
	return "stays fenced: its data is " + n.Verdict()
}

func outcomeLines(v *rows.View, d *rows.Decision) []string {
	in := strings.Repeat(" ", wording.Indent)
	var cells [][]string
	for _, n := range v.Nodes {
		cells = append(cells, []string{in + n.Name, outcome(v, n, d)})
	}
	for i := range v.Members {
		if m := &v.Members[i]; v.HostOf(m) == nil {
			cells = append(cells, []string{in + v.MemberName(m), "left out: no host of the inventory is this member"})
		}
	}
	lines := wording.Table([]string{in + "HOST", "WHAT HAPPENS"}, cells, nil)
	lines[0] = wording.Pad("Hosts", wording.Indent, false) + lines[0][wording.Indent:]
	return lines
}
