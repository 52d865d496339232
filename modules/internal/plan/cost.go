package plan

import (
	"fmt"
)

// costLines say what is given up, what goes on working, and how long it takes.
func (v *view) costLines(d *decision, p Plan) []string {
	var lines []string
	for _, text := range v.givenUpWords(d, p) {
		lines = append(lines, labelled("Given up", text)...)
	}
	lines = append(lines, labelled("Meanwhile", meanwhile(d))...)
	lines = append(lines, labelled("Takes", v.estimate(d))...)
	return lines
}

func (v *view) givenUpWords(d *decision, p Plan) []string {
	var texts []string
	for _, g := range p.Discarded {
		texts = append(texts, g.Text+"; it is set aside, not deleted")
	}
	if d.forces() {
		if s := d.survivor.f.Log; s != nil && s.LastIndex > s.Commit {
			texts = append(texts, fmt.Sprintf("nothing of the survivor's log: its last %s, not known to be committed, are kept", entries(s.LastIndex-s.Commit)))
		}
		if gone := v.lostNames(d); len(gone) > 0 {
			texts = append(texts, "writes that only "+and(gone)+" held, if there are any: nobody can know")
		}
	}
	if len(texts) == 0 {
		texts = append(texts, "nothing")
	}
	return texts
}

// lostNames are those that stay out and whose data nobody has seen.
func (v *view) lostNames(d *decision) []string {
	var gone []string
	for _, name := range d.out {
		if n := v.node(name); n == nil || !n.answered() {
			gone = append(gone, name)
		}
	}
	return gone
}

func meanwhile(d *decision) string {
	switch d.action {
	case Force, Start:
		return "running pods go on; the API is read-only or down until etcd serves writes again"
	case FinishForce:
		return "running pods go on; the API pauses while etcd restarts"
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
