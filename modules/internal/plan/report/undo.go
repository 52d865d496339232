package report

import (
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/rows"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// undo says how to take an action back, as long as nothing was forced or joined: no data has changed until then.
func undo(v *rows.View, d *rows.Decision) []string {
	if !d.Acts() || d.Action == rows.RemoveHost || len(d.Work[rows.StepFence])+len(d.Work[rows.StepFenceSurvivor]) == 0 || d.Has(rows.StepFinishForce, d.Survivor) {
		return nil
	}
	var lines []string
	for _, n := range v.Nodes {
		if n.HasData() && n.Data != histories.EmptyCluster && (d.Has(rows.StepFence, n) && !n.Fenced() || d.Has(rows.StepFenceSurvivor, n)) {
			lines = append(lines, "ansible "+n.Name+" -i "+v.Req.Sources()+" -m etcd_fence -a 'state=absent keep_data=yes start_again=yes'")
		}
	}
	if d.Action == rows.Fence || len(lines) == 0 {
		return lines
	}
	return []string{v.Req.Playbook("undo.yml")}
}

// afterwards says how the hosts that stay out come back: one at a time, each fenced before the next is powered on, since two of them with their
// old data would be the old majority.
func afterwards(v *rows.View, d *rows.Decision) []string {
	if d.Action == rows.Undo {
		return append([]string{wording.And(histories.Names(v.InOrder(d.Work[rows.StepPutBack]))) + ": as before the restore"},
			apart("what etcd is now, and what a restore would do: "+v.Req.Playbook("check_quorum.yml"))...)
	}
	var back, lines []string
	for _, name := range d.Out {
		n := v.Node(name)
		if n == nil {
			continue
		}
		back = append(back, name)
		if !n.Answered() {
			lines = append(lines, apart("power on "+name+", then: "+v.Req.Playbook("fence.yml")+" -e etcd_host="+name)...)
		}
	}
	if d.Acts() {
		lines = append(lines, stayFenced(v, d)...)
		for _, m := range rows.StaysDown(v, d) {
			name := v.MemberName(m)
			if mayHaveGoneOn(v, d, name) {
				lines = append(lines, apart("power on "+name+", then: "+v.Req.Playbook("fence.yml")+" -e etcd_host="+name)...)
				continue
			}
			lines = append(lines, apart("bring "+name+" back with its data, or take it out: "+v.TakeOut(m))...)
		}
	}
	if len(back) > 0 && d.Acts() {
		lines = append(lines, v.Req.Playbook("add_hosts.yml")+" -e etcd_host="+strings.Join(back, ","))
	}
	if len(d.Out) > 0 && (d.Forces() || d.Action == rows.FinishJoin || d.Action == rows.RemoveHost) {
		lines = append(lines, "where the service catalog or calico is used, remove the URLs of "+wording.And(d.Out)+" from their lists of etcd:")
		lines = append(lines, otherClients...)
	}
	if rows.LosesRevisions(v, d) {
		lines = append(lines, clientsOfRevisions...)
	}
	return lines
}

// stayFenced are the hosts that this run fences and does not join: those that hold what nobody has given up yet, and those that wait.
func stayFenced(v *rows.View, d *rows.Decision) []string {
	var lines []string
	for _, n := range v.InOrder(d.Held) {
		hold := rows.WhyHeld(v, n)
		lines = append(lines, apart(hold.Msg+"; it stays fenced: "+hold.Hint)...)
	}
	if len(d.Waiting) > 0 {
		lines = append(lines, apart(wording.And(histories.Names(v.InOrder(d.Waiting)))+" stays fenced; it joins once all members are connected: "+
			v.Req.Playbook("restore_quorum.yml"))...)
	}
	return lines
}

// clientsOfRevisions watch from revisions that may be lost, like the masters, which the run itself restarts [origin release-3.11].
var clientsOfRevisions = []string{
	"on each node, one at a time (the unit may be atomic-openshift-node):",
	"systemctl restart origin-node",
	"then once:",
	"oc -n openshift-sdn delete pods --all",
	"oc -n default rollout latest dc/router",
}

// otherClients are the service catalog's API server and calico: they have lists of etcd's URLs that no playbook edits [openshift-ansible release-3.11].
var otherClients = []string{
	"oc -n kube-service-catalog edit daemonset apiserver",
	"oc -n kube-system edit configmap calico-config",
}

// mayHaveGoneOn is true where others were fenced for this host.
func mayHaveGoneOn(v *rows.View, d *rows.Decision, name string) bool {
	return slices.ContainsFunc(rows.LostSince(v, rows.StartedAgain(v, d)), func(s rows.Since) bool {
		return s.Survivor != nil && s.Survivor.Name == name || slices.Contains(s.May, name)
	})
}
