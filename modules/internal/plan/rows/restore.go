package rows

import (
	"fmt"
	"strings"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// Restore is the other decision: whether a backup may be put back, and where. Action is separate, and never chooses a restore by itself.
type Restore struct {
	Host  string              `json:"host"`  // where the backup is put back
	Plays map[string][]string `json:"plays"` // the hosts of each play
}

// Restoration is what is known while a restore is decided, and for its text.
type Restoration struct {
	Restore
	Refusals []Refusal
	Target   *histories.Node
	Others   []*histories.Node // join the target
}

// DecideRestore allows a backup only where nobody holds any data: a backup is older than what any member still holds.
func DecideRestore(v *View) Restoration {
	r := Restoration{Refusals: []Refusal{},
		Restore: Restore{Plays: map[string][]string{RestoreCheck: {}, RestoreList: {}, RestoreHost: {}, RestoreFence: {}, RestoreConfig: {}, RestoreMaster: {}}}}
	begun := restoresBegun(v)
	r.Target = restoreTarget(v, begun)
	switch {
	case NothingToRestore(v):
		return r
	case r.Target == nil && v.Req.Prefer != "":
		r.refuse("no_host", "etcd_survivor is "+v.Req.Prefer+", which cannot be reached, or is not a host of etcd", v.Req.Playbook("restore_backup.yml")+" -e etcd_survivor=HOST")
	case r.Target == nil:
		r.refuse("no_host", "no host of etcd can be reached", v.Req.Playbook("check_quorum.yml"))
	default:
		r.Host = r.Target.Name
		r.Refusals = append(r.Refusals, restoreRefusals(v, r.Target, begun)...)
	}
	if len(r.Refusals) == 0 {
		addRestorePlays(v, &r)
	}
	return r
}

func restoresBegun(v *View) []*histories.Node {
	return v.Which(func(n *histories.Node) bool { return n.Answered() && n.Facts.Restoring != nil })
}

// NothingToRestore is true where the cluster serves, with data of its own.
func NothingToRestore(v *View) bool {
	return len(restoresBegun(v)) == 0 && v.HasQuorum() && len(v.Which(holdsData)) > 0
}

func (r *Restoration) refuse(code, msg, hint string) {
	r.Refusals = append(r.Refusals, Refusal{Code: code, Msg: msg, Hint: hint})
}

// restoreTarget is the host where a restore was begun, else the one that the operator named, else the first that can be reached.
func restoreTarget(v *View, begun []*histories.Node) *histories.Node {
	if len(begun) > 0 {
		return begun[0]
	}
	for _, n := range v.Which(func(n *histories.Node) bool { return n.Answered() && !n.IsNew }) {
		if v.Req.Prefer == "" || n.Name == v.Req.Prefer {
			return n
		}
	}
	return nil
}

func restoreRefusals(v *View, target *histories.Node, begun []*histories.Node) []Refusal {
	var out Restoration
	if broken := v.Which((*histories.Node).Broken); len(broken) > 0 {
		out.refuse("facts_missing", "etcd_host_info returned no facts of "+wording.And(histories.Names(broken)), "ansible "+broken[0].Name+" -i "+v.Req.Sources()+" -m etcd_host_info")
	}
	if len(begun) > 1 {
		out.refuse("two_restores", "a restore was begun on "+wording.And(histories.Names(begun))+"; only one of them can become the cluster",
			"give one of them up: on that host set its data aside (etcd_data_dir state=set_aside) and end it: etcd_restore state=finished")
	}
	if len(begun) > 0 && v.Req.Prefer != "" && v.Req.Prefer != target.Name {
		out.refuse("restore_begun_elsewhere", fmt.Sprintf("a restore was begun on %s, and etcd_survivor is %s", target.Name, v.Req.Prefer), "finish it there: "+v.Req.Playbook("restore_backup.yml")+" -e etcd_survivor="+target.Name)
	}
	if held := v.Which(holdsData); len(held) > 0 {
		out.refuse("data_left", wording.And(describeData(v, held))+"; any backup is older",
			"to give up this data, set it aside first: ansible "+held[0].Name+" -i "+v.Req.Sources()+" -m etcd_data_dir -a state=set_aside; else: "+
				v.Req.Playbook("restore_quorum.yml"))
	}
	if had := dataGoneSince(v); len(had) > 0 && len(begun) == 0 {
		out.refuse("data_left", wording.And(had)+"; any backup is older",
			"bring it back, such as by mounting the disk that it is on; if it is lost, run it again, which sees no data then: "+v.Req.Playbook("restore_backup.yml"))
	}
	if gone := histories.Names(v.Which(func(n *histories.Node) bool { return !n.Answered() && !n.Broken() })); len(gone) > 0 && !v.LostHostsOff {
		out.refuse("etcd_lost_hosts_off", wording.And(gone)+" cannot be reached, and may have data that is newer than any backup",
			"bring them back, or make sure that they are powered off and stay off, then: "+v.Req.Playbook("restore_backup.yml")+" -e etcd_lost_hosts_off="+strings.Join(v.Unreached(), ","))
	}
	return out.Refusals
}

// holdsData is true for a member's files that can be read to their end, of any history, and for an etcd that serves. What a restore that was
// begun has put there itself does not count, nor does a new cluster to which nothing was written.
func holdsData(n *histories.Node) bool {
	if !n.Answered() || restored(n) {
		return false
	}
	return n.Readable() && !bornEmpty(n) || n.Facts.Live.Serves && n.Facts.Live.Revision > 1
}

func restored(n *histories.Node) bool {
	r := n.Facts.Restoring
	return r != nil && n.Facts.Member != nil && r.ClusterID == n.ClusterID()
}

// bornEmpty is true where wiped hosts formed a new cluster, and nothing was ever written to it.
func bornEmpty(n *histories.Node) bool {
	return histories.Family{Nodes: []*histories.Node{n}}.IsFresh() && histories.Family{Nodes: []*histories.Node{n}}.HoldsNothing() && histories.Revision(n.Facts) <= 1
}

func describeData(v *View, held []*histories.Node) []string {
	var out []string
	for _, n := range held {
		at := histories.Revision(n.Facts)
		if n.Facts.Live.Revision > at {
			at = n.Facts.Live.Revision
		}
		out = append(out, fmt.Sprintf("%s has data (revision %d)", n.Name, at))
	}
	return out
}

func addRestorePlays(v *View, r *Restoration) {
	r.Others = v.Which(func(n *histories.Node) bool { return n.Answered() && n != r.Target && !alreadyJoined(n, r.Target) })
	r.Plays[RestoreHost] = []string{r.Target.Name}
	r.Plays[RestoreCheck] = r.Plays[RestoreHost]
	r.Plays[RestoreFence] = histories.Names(r.Others)
	r.Plays[RestoreConfig] = append([]string{r.Target.Name}, histories.Names(r.Others)...)
	if r.Target.Facts.Restoring == nil && v.Req.Backup == "" {
		r.Plays[RestoreList] = r.Plays[RestoreConfig]
	}
	if len(v.Which(func(n *histories.Node) bool { return n.Answered() && n != r.Target && !n.IsNew })) == 0 {
		r.Plays[RestoreMaster] = ReachableMasters(v)
	}
	forCheckMode(v, r.Plays)
}

// alreadyJoined is true for a host that runs as a member of the restored cluster: it is not fenced again.
func alreadyJoined(n, target *histories.Node) bool {
	r := target.Facts.Restoring
	return r != nil && n.Facts.Joined && r.ClusterID != 0 && n.Facts.Live.ClusterID == r.ClusterID
}
