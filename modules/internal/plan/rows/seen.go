package rows

import (
	"fmt"

	"etcd-quorum-restore/modules/internal/plan/histories"
)

// olderThanSeen refuses a survivor whose log is older than one that was seen before and cannot be read now: raft elects by the end of the log, so
// that one may hold acknowledged writes.
func olderThanSeen(v *View, survivor *histories.Node, accept string) []Refusal {
	if survivor == nil || survivor.Facts.Log == nil || v.Req.AcceptLoss {
		return nil
	}
	var all []Refusal
	for _, n := range v.Nodes {
		if n == survivor || n.Data != histories.Damaged && n.Data != histories.NotKnown || n.ClusterID() != 0 && n.ClusterID() != survivor.ClusterID() {
			continue
		}
		if !n.Seen.NewerThan(histories.EndOf(survivor.Facts)) || histories.KnownCommitted(n.Facts) > survivor.Facts.Log.LastIndex { // the second is a certain loss, see losses
			continue
		}
		all = append(all, Refusal{
			Code: "survivor_older",
			Msg: fmt.Sprintf("the log of %s (%s) is older than that of %s, which was seen at term %d, index %d, and cannot be read now",
				survivor.Name, position(survivor), n.Name, n.Seen.Term, n.Seen.Index),
			Hint: "fix what keeps it from being read; to accept it: " + accept,
		})
	}
	return all
}

// finishesOlder is the gate for a forced start that is to be finished. A majority that is started holds all acknowledged writes.
func finishesOlder(v *View, d *Decision) []Refusal {
	if !d.Forces() || d.Survivor.Facts.Forcing != nil && histories.HasServed(d.Survivor.Facts) {
		return nil
	}
	return olderThanSeen(v, d.Survivor, acceptCommand(v, d.Survivor))
}
