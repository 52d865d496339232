// Package report tells people what was found, what is done and why, what is given up, and how to undo it.
package report

import (
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/rows"
)

// Of describes a decision.
func Of(v *rows.View, d *rows.Decision, restore rows.Restoration) Report {
	r := Report{
		Reason: d.Reason, Refusals: append([]rows.Refusal{}, d.Refusals...), Quorum: figures(v), ClusterID: v.ClusterID, Members: v.MemberList(),
		Hosts: map[string]HostReport{}, Candidates: []string{}, Steps: map[string][]string{}, NotSimulated: map[string][]string{},
		Acts: d.Acts(), StaysOut: append([]string{}, d.Out...), Discarded: append([]rows.Discarded{}, rows.AllGivenUp(v, d)...),
		Undo: append([]string{}, undo(v, d)...), Afterwards: append([]string{}, afterwards(v, d)...), Findings: findings(v),
	}
	holds, _ := rows.Holds(v)
	r.Holds = append([]rows.Refusal{}, holds...)
	r.GivenUp, r.LeftToDo = []string{}, []string{}
	if d.Action == rows.Nothing {
		r.LeftToDo = leftAtClients(v)
	}
	if d.Acts() && d.Action != rows.Fence {
		r.GivenUp = givenUpWords(v, d, r)
	}
	for _, n := range v.Nodes {
		r.Hosts[n.Name] = hostReport(v, n, d)
	}
	if d.Survivor != nil {
		r.Candidates = append(histories.Names([]*histories.Node{d.Survivor}), histories.Names(d.Runners)...)
		r.NeedBytes = rows.BackupBytes(d.Survivor, d)
	}
	addSteps(v, &r, d)
	r.Checkup = checkup(v, r.Findings)
	r.AtEnd = append([]string{}, afterLines(afterLead(d), r.Afterwards)...)
	r.Lines = planLines(v, d, r)
	r.Going = goingLines(v, d, r)
	r.Commands = commandsFor(v)
	r.End = endOf(v, d, r.Quorum)
	r.RestoreReport = RestoreReport{Refusals: restore.Refusals, Lines: restoreLines(v, restore)}
	return r
}

func addSteps(v *rows.View, r *Report, d *rows.Decision) {
	for _, s := range rows.Sequence {
		for _, host := range rows.HostsOf(v, d, s) {
			r.Steps[host] = append(r.Steps[host], string(s))
			r.NotSimulated[host] = appendNote(r.NotSimulated[host], s)
		}
	}
}

func appendNote(notes []string, s rows.Step) []string {
	if rows.Simulated[string(s)] {
		return notes
	}
	return append(notes, "not simulated in check mode: "+rows.StepWords[s])
}

func figures(v *rows.View) Quorum {
	q := Quorum{Present: v.HasQuorum(), Members: len(v.Members)}
	if len(v.Members) == 0 {
		return q
	}
	q.Needed = v.Needed()
	for i := range v.Members {
		m := &v.Members[i]
		if n := v.HostOf(m); n != nil && n.Answered() {
			if n.Up() && v.Families.Real(n) {
				q.Running++
			}
		} else if v.SeenBy(m) != nil {
			q.Running++
		}
	}
	return q
}

func hostReport(v *rows.View, n *histories.Node, d *rows.Decision) HostReport {
	h := HostReport{Name: n.EtcdName(), ListedURLs: []string{}, PeerURLs: n.PeerURLs(), ClientURLs: n.ClientURLs(), Reachable: n.Answered(), Data: string(n.Data), Outcome: outcome(v, n, d)}
	if n.Member != nil {
		h.MemberID = n.Member.ID
		h.ListedURLs = append(h.ListedURLs, n.Member.PeerURLs...)
	}
	return h
}
