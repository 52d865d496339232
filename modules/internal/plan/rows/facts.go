package rows

import (
	"fmt"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

func nobodyAnswers(v *View) *Decision {
	if len(v.Which(func(n *histories.Node) bool { return !n.Facts.Unreachable && (!n.IsNew || n.HasData()) })) > 0 {
		return nil
	}
	d := refuse(Refusal{
		Code: "no_host_answered",
		Msg:  fmt.Sprintf("none of the %d hosts can be reached", len(v.Nodes)),
		Hint: "check the login first: ansible etcd -i " + v.Req.Sources() + " -m etcd_host_info",
	})
	d.Code = 4
	return d
}

// factsAreMissing refuses where Ansible reaches a host and has no facts of it: it may run etcd, or hold the only good data.
func factsAreMissing(v *View) *Decision {
	bad := v.Which(func(n *histories.Node) bool { return n.Broken() && !n.IsNew })
	if len(bad) == 0 {
		return nil
	}
	found := bad[0].Facts.Msg
	if found == "" {
		found = "it returned no facts"
	}
	hint := "see why: ansible " + bad[0].Name + " -i " + v.Req.Sources() + " -m etcd_host_info"
	if bad[0].Facts.Hint != "" {
		hint = bad[0].Facts.Hint + "; then look again: " + v.Req.Playbook("check_quorum.yml")
	}
	return refuse(Refusal{
		Code: "facts_missing",
		Msg:  fmt.Sprintf("etcd_host_info returned no facts of %s: %s", wording.And(histories.Names(bad)), found),
		Hint: hint,
	})
}
