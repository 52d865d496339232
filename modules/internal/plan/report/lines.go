package report

import (
	"fmt"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/rows"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// planLines are for people: the cluster, its members, what is done and why, what is given up, how to undo it.
func planLines(v *rows.View, d *rows.Decision, r Report) []string {
	lines := decisionLines(v, d, r)
	switch {
	case !d.Acts():
		return append(lines, nextLines(v, d)...)
	case d.Action == rows.Undo:
		return append(lines, commandLines("Next", "to see what etcd is then, and what a restore would do:", []string{v.Req.Playbook("check_quorum.yml")})...)
	case d.Action == rows.Fence:
		lines = append(lines, commandLines("Undo", "if it should not have been fenced:", r.Undo)...)
		return append(lines, commandLines("Next", "to make it a member again, once there is quorum:", []string{v.Req.Playbook("add_hosts.yml") + " -e etcd_host=" + strings.Join(v.Req.FenceHosts, ",")})...)
	}
	id := rows.ID(v, d)
	lines = append(lines, commandLines("Plan", id+"; to carry out this plan and no other:", []string{command(v, d) + " -e etcd_confirm=" + id})...)
	if asks(d) {
		lines = append(lines, wording.Labelled("", "without its last -e it asks first")...)
	}
	return append(append(lines, undoLines(r)...), r.AtEnd...)
}

// goingLines are for a run that carries the plan out without a question: the command was typed, and its end prints what is left to do. All else
// prints the whole, since it may end before that.
func goingLines(v *rows.View, d *rows.Decision, r Report) []string {
	if !d.Acts() || d.Action == rows.Undo || d.Action == rows.Fence || v.Req.Simulate || asks(d) && v.Req.Confirmed.Asks() {
		return slices.Clone(r.Lines)
	}
	return append(append(decisionLines(v, d, r), undoLines(r)...), wording.Labelled("Plan", rows.ID(v, d))...)
}

// asks is true where a playbook asks whether to continue. For a removal it was said which host.
func asks(d *rows.Decision) bool { return d.Action != rows.RemoveHost }

func undoLines(r Report) []string {
	return commandLines("Undo", "possible until the forced start or the first join, since no data has changed until then:", r.Undo)
}

// SavedAs says which file has the plan.
func (r *Report) SavedAs(file string) {
	whole := slices.Equal(r.Going, r.Lines)
	r.File = file
	r.Lines = append(r.Lines, "", "This plan is in "+file)
	if whole {
		r.Going = slices.Clone(r.Lines)
		return
	}
	r.Going = append(r.Going, strings.Repeat(" ", wording.Indent)+"all of it is in "+file)
}

// decisionLines are what is found and decided, and what it costs.
func decisionLines(v *rows.View, d *rows.Decision, r Report) []string {
	lines := []string{headline(v, r), ""}
	lines = append(lines, memberTable(v)...)
	lines = append(lines, "")
	lines = append(lines, wording.Labelled("Action", actionWords(v, d))...)
	if len(d.Refusals) == 0 {
		lines = append(lines, wording.Labelled("Why", d.Reason)...)
	}
	for i, no := range d.Refusals {
		lines = append(lines, wording.Labelled("Refused", no.Msg+" ["+no.Code+"]")...)
		if lastWithHint(d.Refusals, i) {
			lines = append(lines, hintLines(no.Hint)...)
		}
	}
	notes := brokenSnapshots(v)
	if !d.Acts() {
		notes = append(append(differentData(v), startEnded(v)...), notes...)
	}
	for _, text := range notes {
		lines = append(lines, wording.Labelled("Note", text)...)
	}
	for _, hold := range r.Holds {
		if d.Action == rows.Refuse {
			break // it may be what is refused
		}
		lines = append(append(lines, wording.Labelled("On hold", hold.Msg+" ["+hold.Code+"]")...), hintLines(hold.Hint)...)
	}
	if d.Acts() {
		lines = append(lines, outcomeLines(v, d)...)
	}
	if d.Acts() && d.Action != rows.Undo && d.Action != rows.Fence {
		lines = append(lines, costLines(v, d, r)...)
	}
	return lines
}

// lastWithHint is false where the next refusal has the same hint: what fixes them all stands below the last of them.
func lastWithHint(all []rows.Refusal, i int) bool {
	return i+1 == len(all) || all[i+1].Hint != all[i].Hint
}

// brokenSnapshots notes such files: no reason against a host, but a sign of a power cut or of a bad disk.
func brokenSnapshots(v *rows.View) []string {
	var texts []string
	for _, n := range v.Nodes {
		for _, c := range n.Facts.Checks {
			if c.Name == "snapshots" && c.Status == "ignored" {
				texts = append(texts, n.Name+": "+c.Line)
			}
		}
	}
	return texts
}

func headline(v *rows.View, r Report) string {
	state := "QUORUM LOST"
	switch {
	case r.Quorum.Members == 0:
		state = "NO QUORUM, and no member list can be read"
	case r.Quorum.Present && r.Quorum.Running >= r.Quorum.Members:
		state = "quorum present"
	case r.Quorum.Present:
		state = "quorum present, DEGRADED"
	}
	text := "etcd: " + state
	if r.Quorum.Members > 0 {
		text += fmt.Sprintf(" (%d of %d members run, %d needed)", r.Quorum.Running, r.Quorum.Members, r.Quorum.Needed)
	}
	if v.ClusterID != 0 {
		text += "; cluster " + v.ClusterID.String()
	}
	return text
}

func actionWords(v *rows.View, d *rows.Decision) string {
	switch d.Action {
	case rows.Nothing:
		return nothingWords(v)
	case rows.Start:
		return "start: " + startWords(v, d) + "; no forced start"
	case rows.FinishJoin:
		return "finish_join: missing members join; no forced start"
	case rows.FinishForce:
		return "finish_force: the forced start on " + d.Survivor.Name + " is finished"
	case rows.Force:
		if len(d.Work[rows.StepRejoin]) == 0 {
			return "force: " + d.Survivor.Name + " becomes a new one-member cluster"
		}
		return "force: " + d.Survivor.Name + " becomes a new one-member cluster, then the others rejoin it"
	case rows.RemoveHost:
		return "remove_host: " + v.Req.RemoveHost + " is removed from the member list, the masters, flannel and the inventory's group"
	case rows.Fence:
		if d.Survivor == nil {
			return "fence: " + wording.And(v.Req.FenceHosts) + "; it is not known which host continues the cluster, and this is recorded"
		}
		return "fence: " + wording.And(v.Req.FenceHosts) + "; " + d.Survivor.Name + " continues the cluster"
	case rows.Undo:
		return "undo: " + wording.And(histories.Names(v.InOrder(d.Work[rows.StepPutBack]))) + " as before the restore; data is not touched"
	case rows.RestoreBackup:
		return "restore_backup: no host has usable data; restore a backup"
	}
	return "none: nothing was changed"
}

func startWords(v *rows.View, d *rows.Decision) string {
	if len(d.Work[rows.StepStopCopy]) == 0 {
		return "wait for those that run"
	}
	return wording.And(histories.Names(v.InOrder(d.Work[rows.StepStopCopy])))
}
