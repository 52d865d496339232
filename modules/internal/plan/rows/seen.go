package rows

import (
	"fmt"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// olderThanSeen refuses a survivor whose log is older than one that was seen before and cannot be read now: raft elects by the end of the log, so
// that one may hold acknowledged writes.
func olderThanSeen(v *View, survivor *histories.Node, accept string) []Refusal {
	if survivor == nil || survivor.Facts.Log == nil || v.Req.AcceptLoss {
		return nil
	}
	var all []Refusal
	for _, n := range v.Nodes {
		why, cure := unusedNow(v, n)
		if n == survivor || why == "" || n.ClusterID() != 0 && n.ClusterID() != survivor.ClusterID() {
			continue
		}
		if !n.Seen.BetterThan(histories.EndOf(survivor.Facts)) || histories.KnownCommitted(n.Facts) > survivor.Facts.Log.LastIndex { // the second is a certain loss, see losses
			continue
		}
		all = append(all, Refusal{
			Code: "survivor_older",
			Msg:  fmt.Sprintf("the log of %s (%s) is older than that of %s, which was seen at %s, and %s", survivor.Name, position(survivor), n.Name, n.Seen.Text(), why),
			Hint: cure + "; to accept it: " + accept,
		})
	}
	return all
}

// committedSeen is what a host without readable data was seen to know as committed a moment before, beyond the survivor's log. A majority that is
// started holds all acknowledged writes, unless disks were put back.
func committedSeen(v *View, d *Decision, n *histories.Node) *span {
	why, _ := unusedNow(v, n)
	before, seen := v.Req.Earlier[n.Name]
	if d.Action != Start || !seen || why == "" || n.HasData() || d.Survivor == nil || d.Survivor.Facts.Log == nil {
		return nil
	}
	if m := before.Member; m != nil && m.ClusterID != 0 && m.ClusterID != d.Survivor.ClusterID() {
		return nil
	}
	s := span{d.Survivor.Facts.Log.LastIndex + 1, histories.KnownCommitted(&before), true}
	if s.last < s.first {
		return nil
	}
	return &s
}

// startsOlder is the gate for a start.
func startsOlder(v *View, d *Decision) []Refusal {
	if v.Req.AcceptLoss {
		return nil
	}
	var all []Refusal
	for _, n := range v.Nodes {
		s := committedSeen(v, d, n)
		if s == nil {
			continue
		}
		why, cure := unusedNow(v, n)
		all = append(all, Refusal{
			Code: "committed_elsewhere",
			Msg:  fmt.Sprintf("the data of %s %s; a moment ago it held %s", n.Name, why, s.text()),
			Hint: cure + ", then run it again; to give them up: " + v.Req.With("etcd_accept_loss=yes"),
		})
	}
	return all
}

func givenUpSeen(v *View, d *Decision) (all []Discarded) {
	for _, n := range v.Nodes {
		if s := committedSeen(v, d, n); s != nil {
			all = append(all, Discarded{Host: n.Name, What: "seen", First: s.first, Last: s.last, Entries: s.last - s.first + 1,
				Text: fmt.Sprintf("%s that %s was seen to hold a moment before (index %d to %d)", wording.Entries(s.last-s.first+1), n.Name, s.first, s.last)})
		}
	}
	return all
}

// unusedNow is why the log of this host does not count, and what may bring it back.
func unusedNow(v *View, n *histories.Node) (why, cure string) {
	switch n.Data {
	case histories.Damaged, histories.NotKnown:
		return "cannot be read now", "fix what keeps it from being read"
	case histories.NoData:
		return "is not there now", "bring it back, such as by mounting the disk that it is on"
	case histories.CopiedData:
		return "is a copy of the data on " + n.CopyOf.Name, useTheCopy(v, n)
	}
	return "", ""
}

// useTheCopy is how the data of n is used instead of that on the other host: of two that are the same member, one has to go.
func useTheCopy(v *View, n *histories.Node) string {
	return fmt.Sprintf("to use that data, set the other aside (it is not deleted): ansible %s -i %s -m etcd_data_dir -a state=set_aside; then run it again: %s",
		n.CopyOf.Name, v.Req.Sources(), v.Req.Again())
}

// finishesOlder is the gate for a forced start that is to be finished. A majority that is started holds all acknowledged writes.
func finishesOlder(v *View, d *Decision) []Refusal {
	if !d.Forces() || d.Survivor.Facts.Forcing != nil && histories.HasServed(d.Survivor.Facts) {
		return nil
	}
	return olderThanSeen(v, d.Survivor, acceptCommand(v, d.Survivor))
}
