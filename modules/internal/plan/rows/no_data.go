package rows

import (
	"fmt"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// nothingUsable refuses where there is data, but none that can be trusted. It is not overwritten either.
func nothingUsable(v *View) *Decision {
	holders := v.Which((*histories.Node).HasData)
	if len(holders) == 0 {
		return nil
	}
	var found []string
	for _, n := range holders {
		found = append(found, n.Name+": "+n.Verdict())
	}
	r := Refusal{
		Code: "no_usable_data",
		Msg:  "no reachable host has data that can be used (" + strings.Join(found, "; ") + ")",
		Hint: "bring back a host that has usable data, or restore from a backup: " + v.Req.Playbook("restore_backup.yml"),
	}
	if i := slices.IndexFunc(holders, func(n *histories.Node) bool { return n.Data == histories.CopiedData }); i >= 0 {
		n := holders[i]
		r.Hint = fmt.Sprintf("%s and %s hold data of one member; %s", n.Name, n.CopyOf.Name, useTheCopy(v, n))
	}
	if v.Best != nil && len(v.Members) == 0 {
		r.Code = "membership_unknown"
		r.Msg = fmt.Sprintf("the member list cannot be read, neither from a running member nor from the log of %s", v.Best.Name)
	}
	return refuse(r)
}

// dataGoneSince describes data that an earlier look of this run saw, on hosts that answer and have none now.
func dataGoneSince(v *View) (all []string) {
	for _, n := range v.Nodes {
		if n.Answered() && !n.HasData() && n.Facts.Restoring == nil && n.Seen != (histories.Position{}) {
			all = append(all, fmt.Sprintf("the log of %s was seen at %s a moment ago, and is not there now", n.Name, n.Seen.Text()))
		}
	}
	return all
}

func noHostHasData(v *View) *Decision {
	d := NewDecision(RestoreBackup, "no host has data: only a backup can bring it back")
	r := Refusal{Code: "no_data", Msg: d.Reason, Hint: "restore the newest backup: " + v.Req.Playbook("restore_backup.yml")}
	if had := dataGoneSince(v); len(had) > 0 {
		r.Msg = "no host has data; " + wording.And(had)
		r.Hint = "bring it back, such as by mounting the disk that it is on, then run it again: " + v.Req.Again() + "; if it is lost, " + r.Hint
	}
	d.Refusals = []Refusal{r}
	return d
}
