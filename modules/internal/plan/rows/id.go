package rows

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
)

// IDLength is that of a plan's ID, in hexadecimal digits.
const IDLength = 12

// outcomes are the steps that decide what becomes of a host. The others (a snapshot where one is served, a copy, a fence) follow from them, or
// depend on whether etcd happens to run at the time of the look.
var outcomes = []Step{StepFlags, StepRestart, StepUnfenceKeepData, StepStartFirst, StepStart, StepForce, StepFinishForce, StepJoinStarted, StepRemoveMember, StepLeave, StepRejoin, StepTakeIn, StepPutBack}

// named is all that somebody agrees to with a plan. None of it changes by itself: no time, no term, no state of a process.
type named struct {
	Cluster                          facts.ID
	Action, Survivor, Remove         string
	Fence                            []string
	Outcomes                         map[Step][]string
	Leave                            []string // members by ID
	Out, Held, Waiting               []string
	GivenUp                          []string
	LostHosts                        []string
	AcceptLoss, LostHostsOff, Rejoin bool
	CAMoved                          bool
}

// ID names a plan: two looks at an unchanged cluster give the same ID, and another plan has another.
func ID(v *View, d *Decision) string {
	n := named{
		Cluster: v.ClusterID, Action: d.Action, Remove: v.Req.RemoveHost, Fence: histories.Unique(v.Req.FenceHosts), Outcomes: map[Step][]string{},
		Out: histories.Unique(d.Out), Held: histories.Names(d.Held), Waiting: histories.Names(d.Waiting),
		LostHosts:  histories.Unique(v.Req.LostHosts),
		AcceptLoss: v.Req.AcceptLoss, LostHostsOff: v.LostHostsOff, Rejoin: v.Req.Rejoin, CAMoved: v.Req.CAMoved,
	}
	if d.Survivor != nil && d.Action != RemoveHost { // in a removal it is any member that answers
		n.Survivor = d.Survivor.Name
	}
	for _, s := range outcomes {
		if hosts := histories.Names(d.Work[s]); len(hosts) > 0 {
			slices.Sort(hosts)
			n.Outcomes[s] = hosts
		}
	}
	for _, m := range d.Remove {
		n.Leave = append(n.Leave, m.ID.String())
	}
	for _, g := range AllGivenUp(v, d) {
		if g.What == "empty_cluster" { // it grows while it serves, and is given up as a whole
			g.First, g.Last = 0, 0
		}
		n.GivenUp = append(n.GivenUp, fmt.Sprintf("%s %s %d %d", g.Host, g.What, g.First, g.Last))
	}
	for _, list := range [][]string{n.LostHosts, n.Fence, n.Leave, n.Out, n.Held, n.Waiting, n.GivenUp} {
		slices.Sort(list)
	}
	text, _ := json.Marshal(n) // strings and booleans always encode
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:IDLength]
}

// otherPlan refuses a plan with another ID: whoever confirms an ID has read that plan.
func otherPlan(v *View, d *Decision) *Decision {
	agreed := v.Req.Confirmed.ID
	id := ID(v, d)
	if agreed == "" || agreed == id || !d.Acts() {
		return nil
	}
	return refuse(Refusal{
		Code: "other_plan",
		Msg:  fmt.Sprintf("etcd_confirm=%s is the ID of another plan; now the plan is %s (%s): the cluster has changed, or other variables are given", agreed, id, d.Reason),
		Hint: "read the plan as it is now, then confirm it: " + v.Req.Playbook("check_quorum.yml"),
	})
}
