package plan

import (
	"fmt"
	"strings"
)

// Restore is the other decision: whether a backup may be put back, and where. It stands beside Action, which never chooses it by itself.
type Restore struct {
	Due      bool                `json:"due"`  // no host has data, or a restore was begun
	Host     string              `json:"host"` // where the backup is put back
	Backup   string              `json:"backup"`
	Refusals []Refusal           `json:"refusals"`
	Plays    map[string][]string `json:"plays"` // the hosts of each play
	Lines    []string            `json:"lines"`
}

// Plays of a restore.
const (
	restoreHost   = "host"
	restoreFence  = "fence"
	restoreConfig = "config"  // every reachable host: the new token
	restoreMaster = "masters" // to restart at once; where other hosts join, that restarts them
)

// mayRestore: a backup is older than what any member still holds, so it is put back only where nobody holds anything.
func (v *view) mayRestore() Restore {
	r := Restore{Refusals: []Refusal{}, Lines: []string{},
		Plays: map[string][]string{restoreHost: {}, restoreFence: {}, restoreConfig: {}, restoreMaster: {}}}
	begun := v.which(func(n *node) bool { return n.answered() && n.f.Restoring != nil })
	target := v.restoreTarget(begun)
	switch {
	case len(begun) == 0 && v.hasQuorum() && len(v.which(v.holdsData)) > 0:
		r.Lines = append(r.Lines, "etcd has quorum: there is nothing to restore from a backup.",
			"If this is a new cluster that formed on wiped hosts, move its data aside first, on each host: etcd_fence state=present, etcd_data_dir state=set_aside.")
		return r
	case target == nil && v.req.Prefer != "":
		r.refuse("no_host", "etcd_survivor is "+v.req.Prefer+", which cannot be reached, or is no host of etcd", v.req.playbook("restore_backup.yml")+" -e etcd_survivor=HOST")
	case target == nil:
		r.refuse("no_host", "no host of etcd can be reached", v.req.playbook("check_quorum.yml"))
	default:
		r.Host = target.name
		r.Refusals = append(r.Refusals, v.restoreRefusals(target, begun)...)
	}
	if len(r.Refusals) > 0 {
		for _, x := range r.Refusals {
			r.Lines = append(r.Lines, "Refused: "+x.Msg, "Next:    "+x.Hint)
		}
		return r
	}
	r.Due = true
	v.restoreSteps(&r, target)
	return r
}

func (r *Restore) refuse(code, msg, hint string) {
	r.Refusals = append(r.Refusals, Refusal{Code: code, Msg: msg, Hint: hint})
}

// restoreTarget is where a restore was begun, else the host that the operator named, else the first that can be reached.
func (v *view) restoreTarget(begun []*node) *node {
	if len(begun) > 0 {
		return begun[0]
	}
	for _, n := range v.which(func(n *node) bool { return n.answered() && !n.isNew }) {
		if v.req.Prefer == "" || n.name == v.req.Prefer {
			return n
		}
	}
	return nil
}

func (v *view) restoreRefusals(target *node, begun []*node) []Refusal {
	var out Restore
	if broken := v.which((*node).broken); len(broken) > 0 {
		out.refuse("facts_missing", "etcd_host_info gave no facts of "+and(names(broken)), "ansible "+broken[0].name+" -i "+v.req.inventory()+" -m etcd_host_info")
	}
	if len(begun) > 1 {
		out.refuse("two_restores", "a restore was begun on "+and(names(begun))+"; only one of them can be the cluster",
			"give one of them up: on that host set its data aside (etcd_data_dir state=set_aside) and end it: etcd_restore state=finished")
	}
	if len(begun) > 0 && v.req.Prefer != "" && v.req.Prefer != target.name {
		out.refuse("restore_begun_elsewhere", fmt.Sprintf("a restore was begun on %s, and etcd_survivor is %s", target.name, v.req.Prefer), "finish it there: -e etcd_survivor="+target.name)
	}
	if held := v.which(v.holdsData); len(held) > 0 {
		out.refuse("data_left", and(v.describeData(held))+": a backup is older than that",
			v.req.playbook("restore_quorum.yml")+"; if these data are to be given up, move them aside first, on each host: etcd_data_dir state=set_aside")
	}
	if gone := names(v.which(func(n *node) bool { return !n.answered() && !n.isNew && !n.broken() })); len(gone) > 0 && !v.req.LostHostsOff {
		out.refuse("etcd_lost_hosts_off", and(gone)+" cannot be reached, and may have data that are newer than any backup",
			"bring them back, or make sure that they are powered off and stay off, then: "+v.req.playbook("restore_backup.yml")+" -e etcd_lost_hosts_off=yes")
	}
	return out.Refusals
}

// holdsData: a member's files that can be read to their end, of whatever history, or an etcd that runs; only what a restore that was
// begun has put there itself does not count.
func (v *view) holdsData(n *node) bool {
	if !n.answered() || restored(n) {
		return false
	}
	return n.readable() && !n.bornEmpty() || n.f.Live.Serves && n.f.Live.Revision > 1
}

func restored(n *node) bool {
	r := n.f.Restoring
	return r != nil && n.f.Member != nil && id(r.ClusterID) == n.cluster()
}

// bornEmpty: wiped hosts formed a new cluster, and nothing was ever written to it.
func (n *node) bornEmpty() bool {
	return family{nodes: []*node{n}}.newborn() && family{nodes: []*node{n}}.holdsNothing() && revision(n.f) <= 1
}

func (v *view) describeData(held []*node) []string {
	var out []string
	for _, n := range held {
		at := revision(n.f)
		if n.f.Live.Revision > at {
			at = n.f.Live.Revision
		}
		out = append(out, fmt.Sprintf("%s has data (revision %d)", n.name, at))
	}
	return out
}

func (v *view) restoreSteps(r *Restore, target *node) {
	if target.f.Restoring != nil {
		r.Backup = target.f.Restoring.Backup
		r.Lines = append(r.Lines, fmt.Sprintf("A restore of %s was begun on %s at %s; it is carried on.", r.Backup, target.name, target.f.Restoring.When))
	}
	others := v.which(func(n *node) bool { return n.answered() && n != target && !alreadyJoined(n, target) })
	r.Plays[restoreHost] = []string{target.name}
	r.Plays[restoreFence] = names(others)
	r.Plays[restoreConfig] = append([]string{target.name}, names(others)...)
	if len(v.which(func(n *node) bool { return n.answered() && n != target && !n.isNew })) == 0 {
		r.Plays[restoreMaster] = v.reachableMasters()
	}
	r.Lines = append(r.Lines, fmt.Sprintf("No host has data that can be used. The backup is put back on %s, as a new cluster of one member that the old members can never meet.", target.name))
	if len(others) > 0 {
		r.Lines = append(r.Lines, "Then "+and(names(others))+" join it, one by one. What is found in a data directory is set aside, never deleted.")
	}
	if len(v.req.Masters) > 0 {
		r.Lines = append(r.Lines, "API and controllers restart on "+strings.Join(v.reachableMasters(), ", ")+".")
	}
}

// alreadyJoined: a host that runs as a member of the restored cluster is not fenced again.
func alreadyJoined(n, target *node) bool {
	r := target.f.Restoring
	return r != nil && n.f.Joined && r.ClusterID != "" && id(n.f.Live.ClusterID) == id(r.ClusterID)
}
