package plan

import (
	"fmt"
	"strings"
)

// nothingUsable: there is data, and none of it may be trusted. It is not overwritten either.
func nothingUsable(v *view) *decision {
	holders := v.which((*node).hasData)
	if len(holders) == 0 {
		return nil
	}
	var found []string
	for _, n := range holders {
		found = append(found, n.name+": "+n.verdict())
	}
	r := Refusal{
		Code: "no_usable_data",
		Msg:  "no reachable host has data that can be used (" + strings.Join(found, "; ") + ")",
		Hint: "bring back a host that has, or restore from a backup: " + v.req.playbook("restore_backup.yml"),
	}
	if v.best != nil && len(v.members) == 0 {
		r.Code = "membership_unknown"
		r.Msg = fmt.Sprintf("the member list cannot be read, neither from a running member nor from the log of %s", v.best.name)
	}
	return refuse(r)
}

func noHostHasData(v *view) *decision {
	d := newDecision(RestoreBackup, "no host has data: only a backup can bring it back")
	d.refusals = []Refusal{{Code: "no_data", Msg: d.reason, Hint: "restore the newest backup: " + v.req.playbook("restore_backup.yml")}}
	return d
}
