package plan

import "strings"

// undo takes an action back as long as nothing was forced or joined: no data has changed until then. The survivor first: hosts with
// old data must find it running.
func (v *view) undo(d *decision) []string {
	if !d.acts() || len(d.work[fence])+len(d.work[fenceSurvivor]) == 0 || d.has(finishForce, d.survivor) {
		return nil
	}
	var hosts []*node
	if d.has(fenceSurvivor, d.survivor) {
		hosts = append(hosts, d.survivor)
	}
	for _, n := range v.inOrder(d.work[fence]) {
		if n.hasData() && n.data != emptyCluster && !n.fenced() {
			hosts = append(hosts, n)
		}
	}
	var lines []string
	for _, n := range hosts {
		lines = append(lines, "ansible "+n.name+" -i "+v.req.inventory()+" -m etcd_fence -a 'state=absent keep_data=yes'")
		if n.up() {
			lines = append(lines, "ansible "+n.name+" -i "+v.req.inventory()+" -m etcd_service -a 'state=started wait=process'")
		}
	}
	return lines
}

// afterwards is how the hosts that stay out come back: one at a time, each fenced before the next is powered on, since two of them with
// their old data would be the old majority.
func (v *view) afterwards(d *decision) []string {
	var back, lines []string
	for _, name := range d.out {
		n := v.node(name)
		if n == nil {
			continue
		}
		back = append(back, name)
		if !n.answered() {
			lines = append(lines, "power on "+name+", then: "+v.req.playbook("fence.yml")+" -e etcd_host="+name)
		}
	}
	if len(back) == 0 || !d.acts() {
		return nil
	}
	return append(lines, v.req.playbook("add_hosts.yml")+" -e etcd_host="+strings.Join(back, ","))
}
