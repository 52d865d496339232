package rows

import (
	"fmt"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// undoRows decide on undoing a restore that ended before its forced start. A fence is lifted only where it is shown that nobody has gone on
// without the host. In doubt it stays, and the restore can be continued at any time.
var undoRows = []row{
	nobodyAnswers,
	factsAreMissing,
	historiesUnclear,
	beyondUndo,
	nothingToUndo,
	wouldForce,
	anotherClusterRuns,
	wentOnPerhaps,
	putThemBack,
}

// fencedByRestore is false for other kinds of fences: they stay.
func fencedByRestore(n *histories.Node) bool {
	return n.Fenced() && n.Facts.Fenced.Kind == facts.FenceRecovery
}

// halfUndone is true where the fence is lifted, and the run that did so was killed before the start.
func halfUndone(n *histories.Node) bool {
	return n.Answered() && !n.Fenced() && n.Facts.PutBack != nil && !n.Up()
}

// beyondUndo refuses from the first trace of a forced start, or of a restored backup: the data is no longer the same.
func beyondUndo(v *View) *Decision {
	begun := v.Which(func(n *histories.Node) bool {
		return n.Answered() && (n.Facts.Forcing != nil || n.Facts.Restoring != nil || n.ForcedTail() || flagged(n))
	})
	if len(begun) == 0 {
		return nil
	}
	next := "restore_quorum.yml"
	if begun[0].Facts.Restoring != nil {
		next = "restore_backup.yml"
	}
	return refuse(Refusal{
		Code: "beyond_undo",
		Msg:  fmt.Sprintf("the forced start has begun on %s: it can no longer be undone", wording.And(histories.Names(begun))),
		Hint: "finish it: " + v.Req.Playbook(next),
	})
}

// nothingToUndo also matches where the fenced hosts hold nothing that could be started: without their fence they could only make an empty
// cluster.
func nothingToUndo(v *View) *Decision {
	fenced := v.Which(fencedByRestore)
	if len(v.Which(func(n *histories.Node) bool { return halfUndone(n) || fencedByRestore(n) && n.HasData() })) > 0 {
		return nil
	}
	reason := "no host is fenced by a restore: there is nothing to undo"
	if len(fenced) > 0 {
		reason = fmt.Sprintf("%s fenced, without data that could be started: there is nothing to undo", wording.Were(histories.Names(fenced)))
	}
	d := NewDecision(Nothing, reason)
	if v.HasQuorum() {
		d.Code = 0
	}
	return d
}

// wouldForce refuses where a flag was left in a file: with it, a member would drop all others at its start.
func wouldForce(v *View) *Decision {
	for _, n := range toPutBack(v) {
		if len(n.Facts.ForceFlags) == 0 {
			continue
		}
		return refuse(Refusal{
			Code: "force_flag",
			Msg:  fmt.Sprintf("%s has --force-new-cluster in %s: started again, it would drop all other members", n.Name, n.Facts.ForceFlags[0].Path),
			Hint: "take it out: ansible " + n.Name + " -i " + v.Req.Sources() + " -m etcd_service -a force_flags=absent; then run this again: " + v.Req.Playbook("undo.yml"),
		})
	}
	return nil
}

// toPutBack are hosts with data that were fenced, or whose undo was killed half-way.
func toPutBack(v *View) []*histories.Node {
	return v.Which(func(n *histories.Node) bool {
		return (halfUndone(n) || fencedByRestore(n)) && n.HasData() && !cannotStart(v, n)
	})
}

// recordOf is the record of the host's fence.
func recordOf(n *histories.Node) *facts.Fence {
	if n.Fenced() {
		return n.Facts.Fenced
	}
	return n.Facts.PutBack
}

// anotherClusterRuns refuses: members that come back must not meet it.
func anotherClusterRuns(v *View) *Decision {
	other := v.Which(func(n *histories.Node) bool { return n.Up() && cannotStart(v, n) })
	if len(other) == 0 {
		return nil
	}
	return refuse(Refusal{
		Code: "other_cluster_runs",
		Msg:  fmt.Sprintf("%s runs with data that is not the cluster's (%s); members that come back would connect to it", other[0].Name, other[0].Verdict()),
		Hint: "continue the restore, which fences it: " + v.Req.Playbook("restore_quorum.yml"),
	})
}

// wentOnPerhaps refuses unless each host for which something was fenced shows that it still has all members.
func wentOnPerhaps(v *View) *Decision {
	var refusals []Refusal
	for _, n := range toPutBack(v) {
		if msg := doubt(v, n); msg != "" {
			refusals = append(refusals, Refusal{Code: "may_have_gone_on", Msg: msg,
				Hint: "bring it back and run this again, or continue the restore: " + v.Req.Playbook("restore_quorum.yml")})
		}
	}
	if len(refusals) == 0 {
		return nil
	}
	return refuse(refusals...)
}

// doubt is why a host's fence may not be lifted; "" where there is no reason.
func doubt(v *View, n *histories.Node) string {
	record := recordOf(n)
	for _, name := range strings.Split(strings.Trim(record.Survivor+","+record.Earlier, ","), ",") {
		if why := mayBeGone(v, n, name); why != "" {
			return fmt.Sprintf("%s was fenced with %s as the survivor, %s", n.Name, name, why)
		}
	}
	for _, o := range v.Nodes {
		if aheadWithout(o, n) {
			return fmt.Sprintf("%s was fenced, and the log of %s continues without that member", n.Name, o.Name)
		}
	}
	if n.Superseded() {
		return n.Name + " was fenced, and another host may have continued without it"
	}
	return ""
}

// aheadWithout is true where o has removed the member from its list, and has entries that the member lacks. A host that stopped before the member
// was added has none.
func aheadWithout(o, n *histories.Node) bool {
	if o == n || !o.Readable() || o.Lists(n.DataID()) || len(o.Facts.Members) == 0 || o.ClusterID() != n.ClusterID() {
		return false
	}
	r := histories.Compare(o.Facts.Log, n.Facts.Log)
	return r.Common == 0 || r.Conflict > 0 || o.Facts.Log.LastIndex > n.Facts.Log.LastIndex
}

// mayBeGone is why the host of this name may have gone on without n.
func mayBeGone(v *View, n *histories.Node, name string) string {
	s := v.Called(name)
	switch {
	case s == nil:
		return "which is not a known host"
	case !s.Answered():
		return "which cannot be reached and may have continued alone"
	case !s.Readable():
		return "whose data cannot be read, so it may have continued alone"
	case !s.Lists(n.DataID()):
		return "which no longer has it in its member list"
	}
	return ""
}

// putThemBack lifts the fences, and starts etcd where it ran. A host whose data could not be started stays fenced.
func putThemBack(v *View) *Decision {
	d := NewDecision(Undo, "nothing was forced: the fences of the restore are removed, and etcd is started where it ran before")
	d.Code = 0
	running := len(v.Which(func(n *histories.Node) bool { return n.Up() && v.Families.Real(n) }))
	var ran []*histories.Node
	for _, n := range toPutBack(v) {
		d.give(StepPutBack, n)
		if RanBefore(n) {
			ran = append(ran, n)
		}
	}
	if len(d.Work[StepPutBack]) == 0 {
		return refuse(Refusal{
			Code: "nothing_startable",
			Msg:  "the data of the fenced hosts cannot be started as members of this cluster; they stay fenced",
			Hint: "continue the restore: " + v.Req.Playbook("restore_quorum.yml"),
		})
	}
	if running+len(ran) >= v.Needed() && len(v.Members) > 0 {
		d.give(StepStart, ran...) // the start gives a quorum, which is awaited
	}
	return d
}

// RanBefore is true where etcd ran when the host was fenced.
func RanBefore(n *histories.Node) bool {
	return halfUndone(n) || n.Fenced() && n.Facts.Fenced.Ran
}

// StaysFenced is true for a fenced host that an undo leaves as it is.
func StaysFenced(d *Decision, n *histories.Node) bool { return n.Fenced() && !d.Has(StepPutBack, n) }
