package rows

import "etcd-quorum-restore/modules/internal/plan/histories"

// View is the input of the rows: the cluster as the facts show it, and what the operator asks for.
type View struct {
	*histories.Cluster
	Req          Request
	LostHostsOff bool // each host that is out of reach is said to be off
}

// See makes the view of a request.
func See(req Request) *View {
	v := &View{Cluster: histories.Look(req.Input()), Req: req}
	v.LostHostsOff = v.saidToBeOff()
	return v
}

// row is a line of the decision's table; it returns nil where it does not match.
type row func(*View) *Decision
