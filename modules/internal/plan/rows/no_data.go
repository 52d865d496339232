package rows

import (
	"fmt"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/plan/histories"
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

func noHostHasData(v *View) *Decision {
	d := NewDecision(RestoreBackup, "no host has data: only a backup can bring it back")
	d.Refusals = []Refusal{{Code: "no_data", Msg: d.Reason, Hint: "restore the newest backup: " + v.Req.Playbook("restore_backup.yml")}}
	return d
}
