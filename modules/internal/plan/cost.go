package plan

import (
	"fmt"
)

// costLines say what is kept and given up, what goes on working, and how long it takes.
func (v *view) costLines(d *decision, p Plan) []string {
	var lines []string
	if l := d.survivor.f.Log; d.forces() && l != nil && l.LastIndex > l.Commit {
		lines = append(lines, labelled("Kept", fmt.Sprintf("the survivor's log to its end; whether its last %s were acknowledged is not known",
			entries(l.LastIndex-l.Commit)))...)
	}
	for _, text := range v.givenUpWords(d, p) {
		lines = append(lines, labelled("Given up", text)...)
	}
	for _, text := range v.notes(d) {
		lines = append(lines, labelled("Note", text)...)
	}
	lines = append(lines, labelled("Meanwhile", meanwhile(d))...)
	lines = append(lines, labelled("Takes", v.estimate(d))...)
	return lines
}

func (v *view) givenUpWords(d *decision, p Plan) []string {
	var texts []string
	for _, g := range p.Discarded {
		texts = append(texts, g.Text+"; that data is set aside, not deleted")
	}
	if d.forces() {
		if gone := v.unseen(d); len(gone) > 0 {
			texts = append(texts, "acknowledged writes that only "+and(gone)+" held, if there are any; the data there cannot be looked at")
		}
	}
	if len(texts) == 0 {
		texts = append(texts, "nothing")
	}
	return texts
}

// unseen are members whose data is gone, or out of reach.
func (v *view) unseen(d *decision) []string {
	var gone []string
	for i := range v.members {
		n := v.hostOf(&v.members[i])
		if v.started(&v.members[i]) && (n == nil || !n.answered() || n.data == noData) {
			gone = append(gone, v.memberName(&v.members[i]))
		}
	}
	return gone
}

// notes are what an operator should know and need not decide.
func (v *view) notes(d *decision) []string {
	texts := v.differentData()
	n := d.survivor
	if n != nil && d.forces() && n.f.Log != nil && n.f.Database != nil && n.f.Database.ConsistentIndex > n.f.Log.Commit {
		texts = append(texts, fmt.Sprintf("as after a power cut, the database of %s has applied entry %d and its log's commit says %d: the end of the log must be kept "+
			"(etcd_keep_log_tail, the default), since a plain forced start would hang on writes", n.name, n.f.Database.ConsistentIndex, n.f.Log.Commit))
	}
	if d.forces() && v.caHost() == "" {
		texts = append(texts, "no reachable host has the CA's key: no new certificates can be made until it is back")
	}
	if d.action == RemoveHost && (len(v.members)-len(d.remove))%2 == 0 {
		texts = append(texts, fmt.Sprintf("an even number of members (%d) stands the loss of no more than one less does", len(v.members)-len(d.remove)))
	}
	return texts
}

func meanwhile(d *decision) string {
	switch d.action {
	case Force, Start:
		return "running pods go on; the API is read-only or down until etcd serves writes again"
	case FinishForce:
		return "running pods go on; the API pauses while etcd restarts"
	}
	if d.action == RemoveHost {
		return "pods and API go on, one master at a time restarts; writes pause for some seconds if the leader leaves"
	}
	return "pods and API go on; writes pause for about a second while a second member joins"
}

// estimate is rough on purpose: copies at 50 to 100 MB/s, some seconds for each election, about half a minute for each master.
func (v *view) estimate(d *decision) string {
	copied := 0
	for _, n := range v.nodes {
		copied = max(copied, int(backupBytes(n, d)>>20))
	}
	toWrites := 0
	if d.forces() || d.action == Start {
		toWrites = 15 + copied/25
	}
	joins := len(d.work[rejoin]) + len(d.work[joinStarted])
	total := toWrites + 15*joins + 10
	if d.restartsMasters() {
		total += 40 * len(v.reachableMasters())
	}
	text := "about " + minutes(total) + " in all"
	if toWrites > 0 {
		text = "about " + minutes(toWrites) + " until etcd serves writes again, " + text
	}
	if d.action == Force && !rehearses(d) {
		text += "; no rehearsal, for lack of room"
	}
	return text
}

func minutes(seconds int) string {
	if seconds < 90 {
		return fmt.Sprintf("%d seconds", (seconds+9)/10*10)
	}
	return fmt.Sprintf("%d minutes", (seconds+59)/60)
}
