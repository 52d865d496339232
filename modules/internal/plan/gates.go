package plan

import (
	"fmt"
	"slices"
)

// gates are what must hold before the first fence: a run that ends half-way because a certificate had expired would leave etcd down.
func (v *view) gates(d *decision) []Refusal {
	if !d.acts() {
		return nil
	}
	var all []Refusal
	for _, g := range []func(*decision) []Refusal{v.failedChecks, v.missingSettings, v.sameNames, v.roomForBackup, v.roomForJoin} {
		all = append(all, g(d)...)
	}
	return all
}

// acts: the action stops or starts something.
func (d *decision) acts() bool {
	return slices.Contains([]string{Start, FinishJoin, FinishForce, Force, RemoveHost}, d.action)
}

// taking lists the hosts whose etcd is started by this action.
func (v *view) taking(d *decision) []*node {
	return v.which(func(n *node) bool {
		for _, s := range []step{force, finishForce, restart, unfenceKeepData, startFirst, start, joinStarted, rejoin} {
			if d.has(s, n) {
				return true
			}
		}
		return false
	})
}

func (v *view) failedChecks(d *decision) []Refusal {
	var all []Refusal
	for _, n := range v.taking(d) {
		for _, c := range n.f.Checks {
			if c.Status == "failed" {
				all = append(all, Refusal{Code: c.Name, Msg: n.name + ": " + c.Line, Hint: c.Advice})
			}
		}
	}
	return all
}

// missingSettings: without name and peer URL no ETCD_INITIAL_CLUSTER can be written, and no member be added.
func (v *view) missingSettings(d *decision) []Refusal {
	var all []Refusal
	for _, n := range v.taking(d) {
		missing := ""
		switch {
		case n.f.Config.Name == "":
			missing = "ETCD_NAME"
		case len(n.f.Config.PeerURLs) == 0:
			missing = "ETCD_INITIAL_ADVERTISE_PEER_URLS"
		default:
			continue
		}
		all = append(all, Refusal{
			Code: "etcd_conf",
			Msg:  fmt.Sprintf("%s: %s has no %s", n.name, n.confPath(), missing),
			Hint: "bring the file back from its backup: ansible " + n.name + " -i " + v.req.inventory() + " -m etcd_config_backup -a 'state=restored if_missing=yes'",
		})
	}
	return all
}

func (n *node) confPath() string {
	if n.f.Config.Path == "" {
		return "/etc/etcd/etcd.conf"
	}
	return n.f.Config.Path
}

// sameNames: an etcd.conf that was copied from another host makes etcd take that one's place.
func (v *view) sameNames(d *decision) []Refusal {
	var all []Refusal
	hosts := v.taking(d)
	for i, a := range hosts {
		for _, b := range hosts[i+1:] {
			same := ""
			switch {
			case a.f.Config.Name != "" && a.f.Config.Name == b.f.Config.Name:
				same = "ETCD_NAME=" + a.f.Config.Name
			case shareURL(a.f.Config.PeerURLs, b.f.Config.PeerURLs):
				same = "peer URL " + a.f.Config.PeerURLs[0]
			default:
				continue
			}
			all = append(all, Refusal{
				Code: "etcd_conf",
				Msg:  fmt.Sprintf("%s and %s have the same %s in etcd.conf", a.name, b.name, same),
				Hint: "set each host's own values in etcd.conf, then run it again",
			})
		}
	}
	return all
}

// slack is what a backup needs beside the data: /etc/etcd, the record of sums, a filesystem's own needs.
const slack = 64 << 20

// backupBytes is what the backup of a host needs. The rehearsal's copy comes on top where there is room for it.
func backupBytes(n *node, d *decision) int64 {
	var need int64
	if d.has(stopCopy, n) {
		need += dataBytes(n)
	}
	if d.has(snapshot, n) && n.f.Database != nil {
		need += max(n.f.Database.Bytes, 0)
	}
	if need > 0 {
		need += slack
	}
	return need
}

func dataBytes(n *node) int64 {
	size := max(n.f.DataDir.Bytes, 0)
	if n.f.Database != nil {
		size = max(size, n.f.Database.Bytes)
	}
	return size
}

func (v *view) roomForBackup(d *decision) []Refusal {
	var all []Refusal
	for _, n := range v.nodes {
		need := backupBytes(n, d)
		if need == 0 || n.f.BackupDir == nil || n.f.BackupDir.FreeBytes >= need {
			continue
		}
		all = append(all, Refusal{
			Code: "backup_space",
			Msg: fmt.Sprintf("%s: the backup needs %s in %s, and %s are free", n.name, size(need), n.f.BackupDir.Path,
				size(n.f.BackupDir.FreeBytes)),
			Hint: "make room there, or give another place, best one outside the host: " + v.req.playbook("restore_quorum.yml") + " -e etcd_backup_dir=/mnt/backup",
		})
	}
	return all
}

// roomForJoin: the old data stays on the disk beside the new one.
func (v *view) roomForJoin(d *decision) []Refusal {
	if d.survivor == nil || d.survivor.f.Database == nil {
		return nil
	}
	need := max(d.survivor.f.Database.Bytes, 0) + 2*slack // and two log segments
	var all []Refusal
	for _, n := range v.which(func(n *node) bool { return d.has(rejoin, n) || d.has(joinStarted, n) }) {
		if !n.f.DataDir.Exists || n.f.DataDir.FreeBytes >= need {
			continue
		}
		all = append(all, Refusal{
			Code: "data_space",
			Msg:  fmt.Sprintf("%s: a new member needs %s in %s beside the old data, and %s are free", n.name, size(need), n.f.DataDir.Path, size(n.f.DataDir.FreeBytes)),
			Hint: "make room there, or move older set-aside copies off the host; or stop at one member: -e etcd_rejoin=no",
		})
	}
	return all
}

// rehearses: the rehearsal works on a private copy of the database and the last segment, on the backup's filesystem.
func rehearses(d *decision) bool {
	n := d.survivor
	if n == nil || !d.has(force, n) || n.f.BackupDir == nil {
		return n != nil && d.has(force, n)
	}
	return n.f.BackupDir.FreeBytes >= backupBytes(n, d)+dataBytes(n)
}

// size in the unit that a person would choose.
func size(bytes int64) string {
	switch {
	case bytes >= 10<<30:
		return fmt.Sprintf("%d GiB", bytes>>30)
	case bytes >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
	}
	return fmt.Sprintf("%d MiB", (bytes+1<<20-1)>>20)
}
