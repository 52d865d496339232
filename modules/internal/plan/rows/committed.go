package rows

import (
	"fmt"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// span is a range of entries that a host knows to be committed, and that the survivor's log does not hold.
type span struct {
	first, last uint64
	sure        bool // all of it is committed; else it may be
}

// onlyCommittedOn is the span that only n has. An acknowledged write is in what some member knows to be committed. nil where the survivor's log
// holds all of it, or where the two logs have no index in common to compare. Data of another cluster, or of wiped hosts, is not compared.
func onlyCommittedOn(v *View, n, survivor *histories.Node) *span {
	if survivor == nil || survivor == n || survivor.Facts.Log == nil || !n.HasData() || n.Data == histories.OtherCluster || n.Data == histories.EmptyCluster {
		return nil
	}
	s := span{survivor.Facts.Log.LastIndex + 1, histories.KnownCommitted(n.Facts), true}
	if n.Readable() {
		r := against(v, n, survivor)
		s.first = histories.Lowest(r.ApartFrom(n, survivor), s.first)
		// Where the survivor was forced without this member, or joined one that was, or had no later leader than this one, no election has
		// settled whose last entries count, and the commit index on disk lags: beyond it, the others may have committed their entries as the old
		// majority.
		unsettled := survivor.Dropped(n) || !survivor.Outlasts(n)
		differ := r.Conflict > 0 && r.Common > 0 || v.HasQuorum() // beside a quorum, one log can also be the beginning of the other
		if (differ && unsettled || n.TakenInByForced()) && n.Facts.Log.LastIndex > s.last {
			s.last, s.sure = n.Facts.Log.LastIndex, false
		}
	}
	if s.last < s.first {
		return nil
	}
	return &s
}

// against compares a log with the survivor's; with quorum, also with those of the other members that have it, some of which may reach further
// back.
func against(v *View, n, survivor *histories.Node) histories.Relation {
	r := histories.Compare(n.Facts.Log, survivor.Facts.Log)
	if len(histories.Intersection(v.Quorum, []*histories.Node{survivor})) == 0 {
		return r
	}
	for _, q := range v.Quorum {
		if !q.Readable() {
			continue
		}
		r = r.And(histories.Compare(n.Facts.Log, q.Facts.Log))
	}
	return r
}

func (s span) text() string {
	how := map[bool]string{true: "known to be", false: "that may be"}[s.sure]
	return fmt.Sprintf("%s %s committed (index %d to %d), missing from the log that is kept", wording.Entries(s.last-s.first+1), how, s.first, s.last)
}

// WhyHeld is why a host does not join without consent: its data would be set aside. The others join all the same.
func WhyHeld(v *View, n *histories.Node) *Refusal {
	s := onlyCommittedOn(v, n, v.Best)
	if s == nil || v.Req.AcceptLoss {
		return nil
	}
	command := v.Req.Playbook("restore_quorum.yml")
	if n.IsNew && n.Member == nil {
		command = v.Req.Playbook("add_hosts.yml") + " -e etcd_host=" + n.Name
	}
	return &Refusal{
		Code: "committed_elsewhere",
		Msg:  fmt.Sprintf("%s is not added: it holds %s", n.Name, s.text()),
		Hint: "look at what they are; to give them up (the data is set aside, not deleted): " + command + " -e etcd_accept_loss=yes",
	}
}

// Holds are all hosts whose data would be set aside, also those that add_hosts.yml takes in.
func Holds(v *View) (all []Refusal, hosts []string) {
	hosts = []string{}
	for _, n := range v.Nodes {
		if !v.HasQuorum() || len(histories.Intersection(v.Quorum, []*histories.Node{n})) > 0 || inListWithData(v, n) && !cannotStart(v, n) {
			continue
		}
		if r := WhyHeld(v, n); r != nil {
			all, hosts = append(all, *r), append(hosts, n.Name)
		}
	}
	return all, hosts
}

// hasServedAlone is true where a forced start that has served is finished. That goes on unasked, since writes may have been acknowledged since; what
// others hold is not given up by it, so those hosts are held back (afterForce).
func hasServedAlone(d *Decision) bool {
	return d.Action == FinishForce && d.Survivor.Facts.Forcing != nil && histories.HasServed(d.Survivor.Facts)
}

// givesUpCommitted is the loss of entries that only the others know to be committed, by a start of some members or of one by force.
func givesUpCommitted(v *View, d *Decision) []Refusal {
	if v.Req.AcceptLoss || v.HasQuorum() || d.Survivor == nil || hasServedAlone(d) {
		return nil
	}
	accept := acceptCommand(v, d.Survivor)
	if d.Action == Start {
		accept = v.Req.With("etcd_accept_loss=yes")
	}
	var all []Refusal
	for _, n := range v.Nodes {
		s := onlyCommittedOn(v, n, d.Survivor)
		if s == nil || !d.Has(StepFence, n) && !d.Has(StepJoinStarted, n) {
			continue
		}
		all = append(all, Refusal{
			Code: "committed_elsewhere",
			Msg:  fmt.Sprintf("%s holds %s; they would be given up", n.Name, s.text()),
			Hint: "bring back a host that has them too; to give them up (the data is set aside, not deleted): " + accept,
		})
	}
	return all
}
