package plan

import (
	"fmt"
	"strconv"
	"strings"
)

// lines are for people: the cluster, its members, what will be done and why, what it costs, how to take it back.
func (v *view) lines(d *decision, p Plan) []string {
	lines := []string{v.headline(p), ""}
	lines = append(lines, v.memberTable()...)
	lines = append(lines, "")
	lines = append(lines, labelled("Action", v.actionWords(d))...)
	if len(d.refusals) == 0 {
		lines = append(lines, labelled("Why", d.reason)...)
	}
	for _, r := range d.refusals {
		lines = append(lines, labelled("Refused", r.Msg+" ["+r.Code+"]")...)
		lines = append(lines, hintLines(r.Hint)...)
	}
	notes := v.brokenSnapshots()
	if !d.acts() {
		notes = append(v.differentData(), notes...)
	}
	for _, text := range notes {
		lines = append(lines, labelled("Note", text)...)
	}
	if !d.acts() {
		return lines
	}
	lines = append(lines, v.fateLines(d)...)
	lines = append(lines, v.costLines(d, p)...)
	lines = append(lines, commandLines("Undo", "until the forced start or the first join no data has changed; these take it back, in this order:", p.Undo)...)
	return append(lines, commandLines("Afterwards", "how the hosts that stay out come back; never power on two of them together:", p.Afterwards)...)
}

// brokenSnapshots: no reason against a host, and a sign of a power cut or of a bad disk.
func (v *view) brokenSnapshots() []string {
	var texts []string
	for _, n := range v.nodes {
		for _, c := range n.f.Checks {
			if c.Name == "snapshots" && c.Status == "ignored" {
				texts = append(texts, n.name+": "+c.Line)
			}
		}
	}
	return texts
}

func (v *view) headline(p Plan) string {
	state := "QUORUM LOST"
	switch {
	case p.Quorum.Members == 0:
		state = "NO QUORUM, and no member list can be read"
	case p.Quorum.Present && p.Quorum.Running >= p.Quorum.Members:
		state = "quorum present"
	case p.Quorum.Present:
		state = "quorum present, DEGRADED"
	}
	text := "etcd: " + state
	if p.Quorum.Members > 0 {
		text += fmt.Sprintf(" (%d of %d members run, %d needed)", p.Quorum.Running, p.Quorum.Members, p.Quorum.Needed)
	}
	if v.clusterID != "" {
		text += "; cluster " + v.clusterID
	}
	return text
}

var columns = []string{"HOST", "ETCD", "DATA", "TERM/INDEX", "COMMIT", "REVISION", "BEHIND"}

// memberTable has a line for each host, then one for each member that no host of the inventory is.
func (v *view) memberTable() []string {
	var cells [][]string
	for _, n := range v.nodes {
		cells = append(cells, v.cells(n))
	}
	for i := range v.members {
		m := &v.members[i]
		if v.hostOf(m) == nil {
			cells = append(cells, []string{v.memberName(m), "no host", string(notKnown), "-", "-", "-", "-"})
		}
	}
	return table(columns, cells, map[int]bool{3: true, 4: true, 5: true, 6: true})
}

func (v *view) cells(n *node) []string {
	row := []string{n.name, v.stateWord(n), string(n.data), "-", "-", "-", "-"}
	if !n.answered() {
		return row
	}
	if l := n.f.Log; l != nil {
		row[3] = fmt.Sprintf("%d/%d", l.LastTerm, l.LastIndex)
		row[4] = strconv.FormatUint(l.Commit, 10)
	}
	if r := revision(n.f); r > 0 {
		row[5] = strconv.FormatInt(r, 10)
	}
	row[6] = v.lag(n)
	return row
}

// lag counts entries, where the two logs can be compared at all.
func (v *view) lag(n *node) string {
	comparable := n.data == usable || n.data == notAMember
	switch {
	case v.best == nil:
		return "-"
	case n.data == tailConflict || n.data == overruled:
		return "conflict"
	case !comparable:
		return "-"
	case n.f.Log.LastIndex >= v.best.f.Log.LastIndex:
		return "0"
	}
	return strconv.FormatUint(v.best.f.Log.LastIndex-n.f.Log.LastIndex, 10)
}

func (v *view) stateWord(n *node) string {
	switch {
	case n.f.Unreachable:
		return "unreachable"
	case !n.answered():
		return "no facts"
	case n.fenced():
		return "fenced"
	case n.up() && n.f.Live.Quorum && v.histories.real(n):
		return "healthy"
	case n.f.State == "":
		return "unknown"
	}
	return n.f.State
}

func (v *view) actionWords(d *decision) string {
	switch d.action {
	case Nothing:
		return "nothing to do"
	case Start:
		return "start: " + v.startWords(d) + "; no forced start"
	case FinishJoin:
		return "finish_join: the members that are missing are brought in; no forced start"
	case FinishForce:
		return "finish_force: the forced start on " + d.survivor.name + " is finished"
	case Force:
		if len(d.work[rejoin]) == 0 {
			return "force: " + d.survivor.name + " goes on as a single member"
		}
		return "force: " + d.survivor.name + " goes on as a single member, then the others join again"
	case RemoveHost:
		return "remove_host: " + v.req.RemoveHost + " leaves the members, the masters' and flannel's lists, and the inventory's group"
	case RestoreBackup:
		return "restore_backup: this playbook can do nothing"
	}
	return "none: nothing was changed"
}

func (v *view) startWords(d *decision) string {
	if len(d.work[stopCopy]) == 0 {
		return "wait for those that run"
	}
	return and(names(v.inOrder(d.work[stopCopy])))
}

func (v *view) fateLines(d *decision) []string {
	var cells [][]string
	for _, n := range v.nodes {
		cells = append(cells, []string{strings.Repeat(" ", indent) + n.name, v.fate(n, d)})
	}
	for i := range v.members {
		if m := &v.members[i]; v.hostOf(m) == nil {
			cells = append(cells, []string{strings.Repeat(" ", indent) + v.memberName(m), "stays out: no host of the inventory is this member"})
		}
	}
	rows := table(cells[0], cells[1:], nil)
	rows[0] = pad("Hosts", indent, false) + rows[0][indent:]
	return rows
}

// hintLines keeps a command in one piece, on a line of its own: it is there to be copied.
func hintLines(hint string) []string {
	for _, start := range []string{"ansible-playbook -i ", "ansible "} {
		if i := strings.Index(hint, start); i >= 0 && (i == 0 || strings.HasSuffix(hint[:i], ": ")) {
			return commandLines("Next", hint[:i], []string{hint[i:]})
		}
	}
	return labelled("Next", hint)
}

func commandLines(label, text string, commands []string) []string {
	switch {
	case len(commands) == 0:
		return nil
	case text == "":
		return []string{pad(label, indent, false) + commands[0]}
	}
	lines := labelled(label, text)
	for _, c := range commands {
		lines = append(lines, strings.Repeat(" ", indent)+c)
	}
	return lines
}
