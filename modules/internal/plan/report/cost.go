package report

import (
	"fmt"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/rows"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// costLines say what is kept and given up, what keeps working, and how long it takes.
func costLines(v *rows.View, d *rows.Decision, r Report) []string {
	var lines []string
	if l := d.Survivor.Facts.Log; d.Forces() && l != nil && l.LastIndex > l.Commit {
		lines = append(lines, wording.Labelled("Kept", "the survivor's log to its end; it is not known whether "+lastEntries(l.LastIndex-l.Commit)+" acknowledged")...)
	}
	for _, text := range r.GivenUp {
		lines = append(lines, wording.Labelled("Given up", text)...)
	}
	for _, text := range notes(v, d) {
		lines = append(lines, wording.Labelled("Note", text)...)
	}
	lines = append(lines, wording.Labelled("Meanwhile", meanwhile(v, d))...)
	lines = append(lines, wording.Labelled("Takes", estimate(v, d))...)
	return lines
}

func givenUpWords(v *rows.View, d *rows.Decision, r Report) []string {
	var texts []string
	for _, g := range r.Discarded {
		if g.Elsewhere() {
			texts = append(texts, g.Text)
			continue
		}
		texts = append(texts, g.Text+"; that data is set aside, not deleted")
	}
	if d.Forces() {
		if gone := unseen(v, d); len(gone) > 0 {
			texts = append(texts, "acknowledged writes that only "+wording.And(gone)+" held, if there are any; the data there cannot be read")
		}
	}
	if len(texts) == 0 {
		texts = append(texts, "nothing")
	}
	return texts
}

// unseen are members whose data is gone or out of reach.
func unseen(v *rows.View, d *rows.Decision) []string {
	var gone []string
	for i := range v.Members {
		n := v.HostOf(&v.Members[i])
		if v.Started(&v.Members[i]) && (n == nil || !n.Answered() || n.Data == histories.NoData) {
			gone = append(gone, v.MemberName(&v.Members[i]))
		}
	}
	return v.NamesInOrder(gone)
}

// notes are what an operator should know, without a decision to make.
func notes(v *rows.View, d *rows.Decision) []string {
	texts := append(differentData(v), startEnded(v)...)
	for _, c := range brokenClients(v) {
		texts = append(texts, c.Host+" is skipped and listed at the end, unless you fix this first: "+c.Line)
	}
	n := d.Survivor
	if n != nil && d.Forces() && n.Facts.Log != nil && n.Facts.Database != nil && n.Facts.Database.ConsistentIndex > n.Facts.Log.Commit {
		texts = append(texts, fmt.Sprintf("the database of %s has applied entry %d, and the commit index in its log is %d, as after a power cut; keep the end of the log "+
			"(etcd_keep_log_tail=yes, the default): without it, writes hang after the forced start", n.Name, n.Facts.Database.ConsistentIndex, n.Facts.Log.Commit))
	}
	if d.Forces() && rows.CAHost(v) == "" {
		texts = append(texts, "no reachable host has the CA's key: no new certificates can be made until it is back")
	}
	for _, o := range d.Work[rows.StepBringCA] {
		texts = append(texts, "no reachable host has the CA's key: it is put back on "+o.Name+", from "+o.Facts.CACopy)
	}
	for _, o := range d.Work[rows.StepMoveCA] {
		texts = append(texts, fmt.Sprintf("%s is the CA's host: the CA moves to %s first, which becomes the first host of the inventory's group", v.CAHost(), o.Name))
	}
	for _, o := range rows.BlindNewHosts(v) {
		texts = append(texts, o.Name+" of new_etcd does not reach the peer port of a member that runs: it is left out; open that port before you run add_hosts.yml")
	}
	if d.Action == rows.RemoveHost && (len(v.Members)-len(d.Remove))%2 == 0 {
		texts = append(texts, fmt.Sprintf("an even number of members (%d) tolerates no more failures than %d", len(v.Members)-len(d.Remove), len(v.Members)-len(d.Remove)-1))
	}
	return texts
}

// startEnded says what kept members from serving that were started together.
func startEnded(v *rows.View) []string {
	var texts []string
	for _, n := range v.Nodes {
		if why, ended := v.Req.StartEnded[n.Name]; ended {
			texts = append(texts, "etcd on "+n.Name+" was started and does not stay up: "+why.Why())
		}
	}
	return texts
}

func meanwhile(v *rows.View, d *rows.Decision) string {
	pause := secondMember(v, d)
	switch d.Action {
	case rows.Force, rows.Start:
		return "running pods keep running; the API is read-only or down until etcd serves writes again" + later(pause)
	case rows.FinishForce:
		return "running pods keep running; the API pauses while etcd restarts" + later(pause)
	}
	if d.Action == rows.RemoveHost {
		return "pods and API keep running, masters restart one at a time; writes pause for some seconds if the leader leaves"
	}
	if pause == "" {
		pause = "for about a second while a second member joins"
	}
	return "pods and API keep running; writes pause " + pause
}

func later(pause string) string {
	if pause == "" {
		return ""
	}
	return "; then writes pause once more, " + pause
}

// secondMember says how long writes pause while a second member joins a single one: two members need both, and the new one can vote for
// nothing before it has the whole database. Empty where that takes about a second, or where two or more serve already.
func secondMember(v *rows.View, d *rows.Decision) string {
	var serving, database int64
	for _, n := range v.Nodes {
		if n == d.Survivor || n.Up() {
			serving++
			if n.Facts.Database != nil {
				database = max(database, n.Facts.Database.Bytes)
			}
		}
	}
	joins := len(d.Work[rows.StepRejoin]) + len(d.Work[rows.StepJoinStarted])
	seconds := int(database / joinRate)
	if joins == 0 || seconds < 2 || serving > 1 && !d.Forces() {
		return ""
	}
	return fmt.Sprintf("for about %s while the second member receives the database of %s", wording.Minutes(seconds), wording.Size(database))
}

// joinRate is bytes a second of a database that a new member receives, writes and opens: `molecule/bench/join` measures it.
const joinRate = 50e6

// estimate is rough: copies at 50 to 100 MB/s, some seconds for each election, about half a minute for each master.
func estimate(v *rows.View, d *rows.Decision) string {
	copied := 0
	for _, n := range v.Nodes {
		copied = max(copied, int(rows.BackupBytes(n, d)>>20))
	}
	toWrites := 0
	if d.Forces() || d.Action == rows.Start {
		toWrites = 15 + copied/25
	}
	joins := len(d.Work[rows.StepRejoin]) + len(d.Work[rows.StepJoinStarted])
	total := toWrites + 15*joins + 10
	if d.RestartsMasters() {
		total += 40 * len(rows.ReachableMasters(v))
	}
	text := "about " + wording.Minutes(total) + " in all"
	if toWrites > 0 {
		text = "about " + wording.Minutes(toWrites) + " until etcd serves writes again, " + text
	}
	if d.Action == rows.Force && !rows.Rehearses(d) {
		text += "; no rehearsal, because there is no room for it"
	}
	return text
}

func lastEntries(n uint64) string {
	if n == 1 {
		return "its last entry was"
	}
	return "its last " + wording.Entries(n) + " were"
}
