package report

import (
	"slices"

	"etcd-quorum-restore/modules/internal/plan/rows"
)

// The words for how a run ends; a playbook that stops anywhere else reports Failed.
const (
	Whole       = "whole"        // every member runs, and no host stays out
	Degraded    = "degraded"     // quorum, without all members
	Lost        = "lost"         // no quorum
	Refused     = "refused"      // nothing was changed
	PlanChanged = "plan changed" // the plan is not the one that was agreed to
	Failed      = "failed"
)

// End is how a run ends: one that only looks, and one that carries the plan out.
type End struct {
	Now  string `json:"now"`
	Done string `json:"done"`
}

func endOf(v *rows.View, d *rows.Decision, q Quorum) End {
	e := End{Now: found(d, q)}
	switch {
	case slices.ContainsFunc(d.Refusals, func(r rows.Refusal) bool { return r.Code == "changed_meanwhile" || r.Code == "other_plan" }):
		e.Done = PlanChanged
	case d.Action == rows.Refuse, d.Action == rows.RestoreBackup:
		e.Done = Refused
	case d.Action == rows.Undo && !v.Req.Simulate:
		e.Done = undone(v, d)
	case v.Req.Simulate || !slices.Contains([]string{rows.Start, rows.FinishJoin, rows.FinishForce, rows.Force, rows.RemoveHost}, d.Action):
		e.Done = e.Now
	case len(d.Out)+len(d.Waiting)+len(d.Held)+len(rows.StaysDown(v, d)) > 0 && d.Action != rows.RemoveHost:
		e.Done = Degraded
	case d.Action == rows.RemoveHost && q.Running < q.Members: // some of the members that stay may be down
		e.Done = Degraded
	default:
		e.Done = Whole
	}
	return e
}

// undone: what ran before serves again, if a majority did.
func undone(v *rows.View, d *rows.Decision) string {
	switch started := len(rows.Plays(v, d)[string(rows.StepStart)]); {
	case started == 0:
		return Lost
	case started < len(v.MemberList()):
		return Degraded
	}
	return Whole
}

func found(d *rows.Decision, q Quorum) string {
	switch {
	case d.Code == 4: // nobody answered
		return Failed
	case !q.Present:
		return Lost
	case q.Running < q.Members || len(d.Refusals) > 0 || d.Code == 2:
		return Degraded
	}
	return Whole
}
