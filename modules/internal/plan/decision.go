package plan

import "etcd-quorum-restore/modules/internal/facts"

// decision is what a row concluded, before steps and text are made of it.
type decision struct {
	action   string
	code     int
	survivor *node
	runners  []*node // who comes next if the survivor's files cannot be read in full
	reason   string
	refusals []Refusal
	work     map[step][]*node
	remove   []*facts.ClusterMember
	out      []string // hosts and members that stay out
	waiting  []*node  // fenced, and to be joined by a later run
}

func newDecision(action, reason string) *decision {
	return &decision{action: action, code: 2, reason: reason, work: map[step][]*node{}}
}

func refuse(refusals ...Refusal) *decision {
	d := newDecision(Refuse, refusals[0].Msg)
	d.refusals = refusals
	return d
}

// give adds hosts to a step, each once.
func (d *decision) give(s step, nodes ...*node) {
	for _, n := range nodes {
		if n != nil && !d.has(s, n) {
			d.work[s] = append(d.work[s], n)
		}
	}
}

func (d *decision) has(s step, n *node) bool {
	for _, o := range d.work[s] {
		if o == n {
			return true
		}
	}
	return false
}

func (d *decision) leaves(name string) {
	d.out = unique(append(d.out, name))
}

// row is a line of the decision's table: nil where it does not match.
type row func(*view) *decision

// rows in the order in which they are tried; the first that matches decides.
var rows = []row{
	nobodyAnswers,
	factsAreMissing,
	historiesUnclear,
	network,
	forcingInterrupted,
	flagInProcessOneMember,
	flagInProcessMoreMembers,
	membersToJoin,
	allHealthy,
	memberDown,
	justLost,
	startTogether,
	lostHostsMayServe,
	forceSurvivor,
	nothingUsable,
	noHostHasData,
}

func decide(v *view) *decision {
	table := rows
	if v.req.RemoveHost != "" {
		table = removalRows
	}
	for _, r := range table {
		if d := r(v); d != nil {
			return d
		}
	}
	return refuse(Refusal{Code: "undecided", Msg: "the facts fit no row of the decision; nothing was changed", Hint: "report this with the output of check_quorum.yml -vv"})
}
