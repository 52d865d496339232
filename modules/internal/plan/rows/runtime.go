package rows

import (
	"fmt"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
)

// whereIsEtcd refuses, before the first fence, where etcd cannot be stopped or started by this project.
func whereIsEtcd(v *View, d *Decision) []Refusal {
	var all []Refusal
	for _, n := range v.Nodes {
		if n.Answered() && isForeign(n) && d.touches(n) {
			all = append(all, notOurs(v, n))
		}
	}
	for _, n := range taking(v, d) {
		if n.Facts.Runtime == facts.None {
			all = append(all, notOurs(v, n))
		}
	}
	return all
}

// isForeign is true where etcd can be looked at, and neither stopped nor started by itself.
func isForeign(n *histories.Node) bool {
	return n.Facts.Runtime == facts.Container || n.Facts.Runtime == facts.AllInOne
}

// notOurs is the refusal for a host whose etcd this project cannot start: docker runs it, or the master's process, or nothing does.
func notOurs(v *View, n *histories.Node) Refusal {
	if n.Facts.Runtime == facts.Container {
		return Refusal{
			Code: "runtime",
			Msg:  n.Name + ": etcd runs in docker there, as etcd_container.service, which is not supported: systemd restarts it each time it ends",
			Hint: "make it a service: systemctl disable --now etcd_container, install the etcd package of the same version, chown -R etcd:etcd " + dataDir(n) +
				", systemctl unmask etcd && systemctl enable etcd; then run it again: " + v.Req.Again(),
		}
	}
	if n.Facts.Runtime == facts.AllInOne {
		return Refusal{
			Code: "runtime",
			Msg:  n.Name + ": etcd runs inside the master's process there (all-in-one), so it can neither be stopped alone nor forced",
			Hint: "make it a service: stop the master, back the data up (etcd_backup method=copy), install the etcd package, write its etcd.conf with ETCD_DATA_DIR=" + dataDir(n) +
				" and the certificates, chown -R etcd:etcd " + dataDir(n) + ", take etcdConfig out of master-config.yaml; then run it again: " + v.Req.Again(),
		}
	}
	r := Refusal{
		Code: "runtime",
		Msg:  n.Name + ": etcd was not found on this host: there is neither a manifest of its pod nor an etcd.service",
		Hint: fmt.Sprintf("install etcd there as on the others; or leave %s out: remove its line from [etcd], and run it again: %s", n.Name, v.Req.Playbook("restore_quorum.yml")),
	}
	if n.HasData() {
		r.Msg += ", and " + dataDir(n) + " holds a member's data"
		r.Hint = "restore what ran it on " + n.Name + ": etcd.yaml to /etc/origin/node/pods-stopped/etcd.yaml, or the etcd package with its etcd.service; then run it again: " +
			v.Req.Playbook("restore_quorum.yml")
	}
	return r
}

func dataDir(n *histories.Node) string {
	if n.Facts.DataDir.Path == "" {
		return "/var/lib/etcd"
	}
	return n.Facts.DataDir.Path
}

// touches is true where something is started, stopped or written on the host; the copy of /etc/etcd does not count.
func (d *Decision) touches(n *histories.Node) bool {
	for s := range d.Work {
		if s != StepBackupConfig && d.Has(s, n) {
			return true
		}
	}
	return false
}
