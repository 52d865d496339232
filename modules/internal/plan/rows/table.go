// Package rows decides. A row is a line of the decision's table: a function that looks at the cluster and at what the operator asks for, and
// returns what to do, or nil where it does not match. The rows are tried in the order of table.go; each is in a file named after its subject. The
// gates check a row's result, and refuse before anything is changed (gates.go).
package rows

// Decide tries the rows, and checks the result against the gates, and against what was agreed to before.
func Decide(v *View) *Decision {
	d := firstRow(v)
	bringCA(v, d)
	if found := gates(v, d); len(found) > 0 {
		d = refuse(found...)
		d.Reason = "before anything is touched: " + found[0].Msg
	}
	if changed := changedMeanwhile(v, d); changed != nil {
		return changed
	}
	if other := otherPlan(v, d); other != nil {
		return other
	}
	return d
}

func firstRow(v *View) *Decision {
	table := table
	if v.Req.RemoveHost != "" {
		table = removalRows
	}
	if len(v.Req.FenceHosts) > 0 {
		table = fenceRows
	}
	if v.Req.Undo {
		table = undoRows
	}
	for _, r := range table {
		if d := r(v); d != nil {
			return d
		}
	}
	return refuse(Refusal{Code: "undecided", Msg: "the facts fit no row of the decision; nothing was changed", Hint: "report this with the output of: " + v.Req.Playbook("check_quorum.yml") + " -vv"})
}

// table has the rows in the order in which they are tried; the first that matches decides.
var table = []row{
	nobodyAnswers,
	factsAreMissing,
	sameMachine,
	historiesUnclear,
	movedApart,
	network,
	emptyClusterServes,
	whichHost,
	forcingInterrupted,
	flagInProcessOneMember,
	flagInProcessMoreMembers,
	membersToJoin,
	begunInPair,
	allHealthy,
	memberDown,
	lostWithoutNames,
	namedAsLost,
	emptyClusterStarts,
	startTogether,
	lostHostsMayServe,
	emptyClusterSurvives,
	forceSurvivor,
	nothingUsable,
	noHostHasData,
}
