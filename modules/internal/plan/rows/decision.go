package rows

import (
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
)

// Decision is the result of a row, before steps and text are made of it.
type Decision struct {
	Action   string
	Code     int
	Survivor *histories.Node
	Runners  []*histories.Node // the next candidates if the survivor's files cannot be read in full
	Reason   string
	Refusals []Refusal
	Work     map[Step][]*histories.Node
	Remove   []*facts.ClusterMember
	Out      []string          // hosts and members that stay out
	Waiting  []*histories.Node // fenced, and to be joined by a later run
	Held     []*histories.Node // not joined without consent, see committed.go
}

// NewDecision is one with exit status 2; a row that finds the quorum present sets it to 0.
func NewDecision(action, reason string) *Decision {
	return &Decision{Action: action, Code: 2, Reason: reason, Work: map[Step][]*histories.Node{}}
}

func refuse(refusals ...Refusal) *Decision {
	d := NewDecision(Refuse, refusals[0].Msg)
	d.Refusals = refusals
	return d
}

// give adds hosts to a step, each once.
func (d *Decision) give(s Step, nodes ...*histories.Node) {
	for _, n := range nodes {
		if n != nil && !d.Has(s, n) {
			d.Work[s] = append(d.Work[s], n)
		}
	}
}

// Has tells whether the step includes this host.
func (d *Decision) Has(s Step, n *histories.Node) bool {
	for _, o := range d.Work[s] {
		if o == n {
			return true
		}
	}
	return false
}

func (d *Decision) leaves(name string) {
	d.Out = histories.Unique(append(d.Out, name))
}

// Forces is true where the membership starts again from one member.
func (d *Decision) Forces() bool { return len(d.Work[StepForce])+len(d.Work[StepFinishForce]) > 0 }

// Actions.
const (
	Nothing       = "nothing"
	Start         = "start"
	FinishJoin    = "finish_join"
	FinishForce   = "finish_force"
	Force         = "force"
	RestoreBackup = "restore_backup"
	RemoveHost    = "remove_host" // only where it is asked for
	Fence         = "fence"       // only where it is asked for
	Undo          = "undo"        // only where it is asked for
	Refuse        = "refuse"
)

// Refusal is a reason why nothing may be done, and the next command.
type Refusal struct {
	Code string `json:"code"`
	Msg  string `json:"msg"`
	Hint string `json:"hint"`
}

// Acts is true where the action stops or starts something.
func (d *Decision) Acts() bool {
	return slices.Contains([]string{Start, FinishJoin, FinishForce, Force, RemoveHost, Fence, Undo}, d.Action)
}

// Discarded is what the action gives up. None of it is deleted: it is set aside on its host, or, where superseded data is started again, on the
// host that went on without it, or, of what was seen before or was not seen at all, on a host that is out of reach.
type Discarded struct {
	Host    string `json:"host"`
	What    string `json:"what"` // superseded, tail, overruled, empty_cluster, other_history, other_cluster, damaged, behind, real_data, seen
	First   uint64 `json:"first_index,omitempty"`
	Last    uint64 `json:"last_index,omitempty"`
	Entries uint64 `json:"entries,omitempty"`
	Text    string `json:"text"`
}
