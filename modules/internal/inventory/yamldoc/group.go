package yamldoc

import (
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/inventory/source"
)

// AddGroup names group beside like: below the parents given, or, without any, where like is named first.
func (d *Doc) AddGroup(group, like string, parents, settings []string) (string, error) {
	e := source.EditLines(d.lines)
	done := false
	for i := range d.groups {
		g := &d.groups[i]
		wanted := slices.Contains(parents, g.parent) || len(parents) == 0 && !done && !d.Defines(group)
		if g.name != like || g.shared || !wanted {
			continue
		}
		if isFlow(g.siblings) {
			return d.addFlowGroup(group, g)
		}
		if !d.startsLine(g.key) {
			return "", source.LineError(g.key.Line, "the group %s does not begin its line; write it in block style", like)
		}
		_, to := d.block(g.key)
		indent := strings.Repeat(" ", g.key.Column-1)
		e.Insert(to-1, indent+group+":  "+source.OwnComment)
		if !done {
			e.Insert(to-1, d.varLines(like, settings, indent+"  ")...)
		}
		done = true
	}
	if len(settings) > 0 && !done {
		return "", source.LineError(1, "group %s sets %s, and %s does not; give it the same", like, strings.Join(settings, ", "), group)
	}
	return e.Result(), nil
}

// addFlowGroup adds a group to a flow mapping. No comment can be inside it, so the comment is above.
func (d *Doc) addFlowGroup(group string, like *groupNode) (string, error) {
	text, err := d.insertFlow(like.siblings, []string{group + ": {}"}, 0)
	if err != nil {
		return "", err
	}
	e := source.EditLines(source.SplitLines(text))
	line := d.lines[like.key.Line-1].Text
	e.Insert(like.key.Line-2, line[:indentOf(line)]+source.OwnComment+": "+group)
	return e.Result(), nil
}

// flowNote is the line of addFlowGroup's comment, or -1.
func (d *Doc) flowNote(group string) int {
	for i := range d.lines {
		if strings.TrimSpace(d.lines[i].Text) == source.OwnComment+": "+group {
			return i
		}
	}
	return -1
}

// varLines copies variables of a group for another one.
func (d *Doc) varLines(group string, names []string, indent string) []string {
	var out []string
	for _, g := range d.groups {
		for _, v := range g.vars {
			if g.name != group || !slices.Contains(names, v.key.Value) || v.shared || !d.startsLine(v.key) {
				continue
			}
			from, to := d.block(v.key)
			for i := from; i < to; i++ {
				text := d.lines[i].Text
				out = append(out, indent+"  "+text[min(v.key.Column-1, indentOf(text)):])
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return append([]string{indent + "vars:"}, out...)
}

// isOwn tells whether AddGroup made this place of the group.
func (d *Doc) isOwn(g *groupNode) bool {
	return d.startsLine(g.key) && strings.HasSuffix(strings.TrimRight(d.lines[g.key.Line-1].Text, " "), ":  "+source.OwnComment)
}

func (d *Doc) InUse(group string) bool {
	for i := range d.groups {
		g := &d.groups[i]
		if g.parent == group || g.name == group && d.isOwn(g) && d.holds(g) {
			return true
		}
	}
	return d.findAny(group)
}

func (d *Doc) findAny(group string) bool {
	for _, h := range d.hosts {
		if h.group == group {
			return true
		}
	}
	return false
}

// holds tells whether the place has anything but an empty list and copies of another group's variables.
func (d *Doc) holds(g *groupNode) bool {
	from, to := d.block(g.key)
	for i := from + 1; i < to; i++ {
		text := strings.TrimSpace(d.lines[i].Text)
		if text == "" || text == "hosts:" || text == "hosts:  "+source.OwnComment || text == "vars:" {
			continue
		}
		if isIdle(text) || !d.isCopied(i, from, to) {
			return true
		}
	}
	return false
}

// isCopied tells whether line i, of the place [from, to), also stands elsewhere in the file.
func (d *Doc) isCopied(i, from, to int) bool {
	for k := range d.lines {
		if (k < from || k >= to) && strings.TrimSpace(d.lines[k].Text) == strings.TrimSpace(d.lines[i].Text) {
			return true
		}
	}
	return false
}

func (d *Doc) DropGroup(group string) (string, error) {
	e := source.EditLines(d.lines)
	for i := range d.groups {
		g := &d.groups[i]
		if at := d.flowNote(group); g.name == group && at >= 0 && isFlow(g.siblings) && len(contentOf(g.hosts)) == 0 {
			text, _, _ := d.cutFlow(g.siblings, g.key, nil)
			out := source.EditLines(source.SplitLines(text))
			out.Set(at)
			return out.Result(), nil
		}
		if g.name == group && !d.isOwn(g) && d.ownHosts(g) && len(contentOf(g.hosts)) == 0 {
			e.Set(g.hostsKey.Line - 1)
		}
		if g.name != group || !d.isOwn(g) {
			continue
		}
		from, to := d.block(g.key)
		for k := from; k < to; k++ {
			e.Set(k)
		}
	}
	return e.Result(), nil
}
