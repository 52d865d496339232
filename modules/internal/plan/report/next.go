package report

import (
	"strings"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/rows"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// nothingWords is the reason where nothing is done; hosts that wait to be added do not concern a restore.
func nothingWords(v *rows.View) string {
	if left := leftAtClients(v); len(left) > 0 {
		return wording.And(left) + ", which an earlier run did not do"
	}
	if waiting := toBeAdded(v); len(waiting) > 0 {
		return "nothing to restore; to be added: " + wording.And(waiting)
	}
	return "nothing to do"
}

// leftAtClients is what an earlier run did not do at clients, and this one does where etcd itself needs nothing.
func leftAtClients(v *rows.View) []string {
	left, gone := rows.ClientsLeft(v, &rows.Decision{Action: rows.Nothing}), []string{}
	for _, r := range left.Remove {
		if n := v.Node(r.Name); n == nil || n.Member == nil { // else it is back
			gone = append(gone, r.Name)
		}
	}
	what := []string{}
	if len(left.Restart) > 0 {
		what = append(what, "restart API and controllers of "+wording.And(left.Restart))
	}
	if len(gone) > 0 {
		what = append(what, "take "+wording.And(histories.Unique(gone))+" out of the lists of masters and flannel")
	}
	return what
}

func toBeAdded(v *rows.View) []string {
	return histories.Names(v.Which(func(n *histories.Node) bool { return n.IsNew && n.Member == nil }))
}

// nextLines say what to type where there is nothing to carry out.
func nextLines(v *rows.View, d *rows.Decision) []string {
	waiting := toBeAdded(v)
	switch {
	case d.Action != rows.Nothing:
		return nil
	case len(leftAtClients(v)) > 0:
		return hintLines(command(v, d))
	case len(waiting) > 0:
		return hintLines("add them: " + v.Req.Playbook("add_hosts.yml") + " -e etcd_host=" + strings.Join(waiting, ","))
	}
	return hintLines("compare the members' data: " + v.Req.Playbook("verify.yml"))
}

// command carries the plan out, with the same options of the operator.
func command(v *rows.View, d *rows.Decision) string {
	if d.Action == rows.RemoveHost {
		return v.Req.Playbook("remove_host.yml") + " -e etcd_host=" + v.Req.RemoveHost + given(v.Req.CAMoved, "etcd_ca_moved=yes") +
			given(v.Req.Prefer != "", "etcd_survivor="+v.Req.Prefer) + given(v.Req.AcceptLoss, "etcd_accept_loss=yes")
	}
	return v.Req.Again()
}

func given(yes bool, variable string) string {
	if !yes {
		return ""
	}
	return " -e " + variable
}

// commandsFor are the commands that playbooks print for one host, or for all.
func commandsFor(v *rows.View) map[string]string {
	on := func(module string) string { return "ansible HOST -i " + v.Req.Sources() + " -m " + module }
	return map[string]string{
		"restore_quorum": v.Req.Playbook("restore_quorum.yml"),
		"restore_backup": v.Req.Playbook("restore_backup.yml"),
		"add_hosts":      v.Req.Playbook("add_hosts.yml"),
		"flannel":        on("flannel_etcd_endpoints"),
		"urls":           on("openshift_etcd_urls"),
		"masters":        on("openshift_master_restart"),
		"flanneld":       on("systemd_unit") + " -a 'name=flanneld.service state=restarted'",
	}
}
