package rows

import (
	"fmt"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// gates are what must hold before the first fence: a run that ends half-way, over a certificate that had expired for example, would leave etcd
// down.
func gates(v *View, d *Decision) []Refusal {
	if !d.Acts() || d.Action == Undo { // an undo restores a state that was there before
		return nil
	}
	var all []Refusal
	for _, g := range []func(*View, *Decision) []Refusal{startsSuperseded, givesUpCommitted, finishesOlder, startsOlder, whereIsEtcd, failedChecks, missingSettings, sameNames, mayBeSetAside, roomForBackup, roomForLog, roomForJoin} {
		all = append(all, g(v, d)...)
	}
	return all
}

// taking lists the hosts whose etcd is started by this action.
func taking(v *View, d *Decision) []*histories.Node {
	return v.Which(func(n *histories.Node) bool {
		for _, s := range []Step{StepForce, StepFinishForce, StepRestart, StepUnfenceKeepData, StepStartFirst, StepStart, StepJoinStarted, StepRejoin} {
			if d.Has(s, n) {
				return true
			}
		}
		return false
	})
}

// startsSuperseded also refuses where a majority has such data, or a forced start of it has begun.
func startsSuperseded(v *View, d *Decision) []Refusal {
	return supersededRefusals(v, StartedAgain(v, d), v.Req.With("etcd_accept_loss=yes"))
}

func failedChecks(v *View, d *Decision) []Refusal {
	var all []Refusal
	for _, n := range taking(v, d) {
		all = append(all, failedChecksOf(n)...)
	}
	return all
}

// failedChecksOf has none of a host that is not known or did not answer.
func failedChecksOf(n *histories.Node) []Refusal {
	if n == nil || !n.Answered() {
		return nil
	}
	var all []Refusal
	for _, c := range n.Facts.Checks {
		if c.Status == "failed" {
			all = append(all, Refusal{Code: c.Name, Msg: n.Name + ": " + c.Line, Hint: onHost(n, c.Advice)})
		}
	}
	return all
}

// onHost tells where to type what is no command of the control node.
func onHost(n *histories.Node, advice string) string {
	if advice == "" || strings.Contains(advice, "ansible") {
		return advice
	}
	return "on " + n.Name + ": " + advice
}

// missingSettings: without a name and peer URLs ETCD_INITIAL_CLUSTER cannot be written, and no member can be added.
func missingSettings(v *View, d *Decision) []Refusal {
	var all []Refusal
	for _, n := range taking(v, d) {
		if slices.ContainsFunc(n.Facts.Checks, func(c facts.Check) bool { return c.Name == "config" && c.Status == "failed" }) {
			continue // failedChecks says it
		}
		wrong := ""
		bad := slices.IndexFunc(n.Facts.Config.PeerURLs, func(raw string) bool { return !histories.IsPeerURL(raw) })
		switch {
		case n.Facts.Config.Name == "":
			wrong = "no ETCD_NAME"
		case len(n.Facts.Config.PeerURLs) == 0:
			wrong = "no ETCD_INITIAL_ADVERTISE_PEER_URLS"
		case bad >= 0:
			wrong = fmt.Sprintf("%q in ETCD_INITIAL_ADVERTISE_PEER_URLS, which is no peer URL such as https://192.0.2.11:2380", n.Facts.Config.PeerURLs[bad])
		default:
			continue
		}
		all = append(all, Refusal{
			Code: "etcd_conf",
			Msg:  fmt.Sprintf("%s: %s has %s", n.Name, confPath(n), wrong),
			Hint: "bring the file back from its backup: ansible " + n.Name + " -i " + v.Req.Sources() + " -m etcd_config_backup -a 'state=restored if_missing=yes'",
		})
	}
	return all
}

func confPath(n *histories.Node) string {
	if n.Facts.Config.Path == "" {
		return "/etc/etcd/etcd.conf"
	}
	return n.Facts.Config.Path
}

// sameNames refuses an etcd.conf that was copied from another host: etcd would take that host's place. Members that run count as well.
func sameNames(v *View, d *Decision) []Refusal {
	var all []Refusal
	started := taking(v, d)
	hosts := v.Which(func(n *histories.Node) bool { return slices.Contains(started, n) || n.Up() && n.Member != nil })
	for i, a := range hosts {
		for _, b := range hosts[i+1:] {
			if !slices.Contains(started, a) && !slices.Contains(started, b) {
				continue
			}
			same := ""
			switch {
			case a.Facts.Config.Name != "" && a.Facts.Config.Name == b.Facts.Config.Name:
				same = "ETCD_NAME=" + a.Facts.Config.Name
			case facts.ShareURL(a.Facts.Config.PeerURLs, b.Facts.Config.PeerURLs):
				same = "peer URL " + a.Facts.Config.PeerURLs[0]
			default:
				continue
			}
			all = append(all, Refusal{
				Code: "etcd_conf",
				Msg:  fmt.Sprintf("%s and %s have the same %s in etcd.conf", a.Name, b.Name, same),
				Hint: "set each host's own values in etcd.conf, then run it again: " + v.Req.Again(),
			})
		}
	}
	return all
}

func roomForBackup(v *View, d *Decision) []Refusal {
	var all []Refusal
	for _, n := range v.Nodes {
		need := BackupBytes(n, d)
		if need == 0 || n.Facts.BackupDir == nil || n.Facts.BackupDir.FreeBytes >= need {
			continue
		}
		all = append(all, Refusal{
			Code: "backup_space",
			Msg: fmt.Sprintf("%s: the backup needs %s in %s, and %s are free", n.Name, wording.Size(need), n.Facts.BackupDir.Path,
				wording.Size(n.Facts.BackupDir.FreeBytes)),
			Hint: "make room there, or give another place, best one outside the host: " + v.Req.With("etcd_backup_dir=/mnt/backup"),
		})
	}
	return all
}

// roomForLog refuses a disk that is nearly full: etcd ends as soon as it cannot write its next segment, and a survivor that ends right after its
// forced start is the worst case.
func roomForLog(v *View, d *Decision) []Refusal {
	var all []Refusal
	for _, n := range taking(v, d) {
		runsOn := n.Up() && d.Action == Start // it is not started anew
		if runsOn || joins(d, n) || !lacksRoom(n, slack) {
			continue
		}
		all = append(all, Refusal{
			Code: "data_space",
			Msg:  fmt.Sprintf("%s: etcd needs %s in %s for its log, and %s are free", n.Name, wording.Size(slack), n.Facts.DataDir.Path, wording.Size(n.Facts.DataDir.FreeBytes)),
			Hint: "make room there, then run it again: " + v.Req.Again(),
		})
	}
	return all
}

func joins(d *Decision, n *histories.Node) bool {
	return d.Has(StepRejoin, n) || d.Has(StepJoinStarted, n)
}

// lacksRoom is false where the free space is not known.
func lacksRoom(n *histories.Node, need int64) bool {
	return n.Facts.DataDir.Exists && n.Facts.DataDir.FreeBytes >= 0 && n.Facts.DataDir.FreeBytes < need
}

// roomForJoin: the old data stays on the disk beside the new data.
func roomForJoin(v *View, d *Decision) []Refusal {
	if d.Survivor == nil || d.Survivor.Facts.Database == nil {
		return nil
	}
	need := max(d.Survivor.Facts.Database.Bytes, 0) + 2*slack // and two log segments
	var all []Refusal
	for _, n := range v.Which(func(n *histories.Node) bool { return joins(d, n) && lacksRoom(n, need) }) {
		all = append(all, Refusal{
			Code: "data_space",
			Msg:  fmt.Sprintf("%s: a new member needs %s in %s beside the old data, and %s are free", n.Name, wording.Size(need), n.Facts.DataDir.Path, wording.Size(n.Facts.DataDir.FreeBytes)),
			Hint: "make room there, or move older set-aside copies off the host; or stop at one member: " + v.Req.Playbook("single_node.yml"),
		})
	}
	return all
}
