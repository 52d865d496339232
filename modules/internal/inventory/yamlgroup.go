package inventory

import (
	"slices"
	"strings"
)

// addGroup names group beside like: below the parents given, or, where there are none, wherever like stands first.
func (d *yamlDoc) addGroup(group, like string, parents, settings []string) (string, error) {
	e := edit(d.lines)
	done := false
	for i := range d.groups {
		g := &d.groups[i]
		wanted := slices.Contains(parents, g.parent) || len(parents) == 0 && !done && !d.defines(group)
		if g.name != like || g.shared || !wanted {
			continue
		}
		if isFlow(g.siblings) {
			return d.addFlowGroup(group, g)
		}
		if !d.startsLine(g.key) {
			return "", lineError(g.key.Line, "the group %s does not begin its line; write it in block style", like)
		}
		_, to := d.block(g.key)
		indent := strings.Repeat(" ", g.key.Column-1)
		e.insert(to-1, indent+group+":  "+ownComment)
		if !done {
			e.insert(to-1, d.varLines(like, settings, indent+"  ")...)
		}
		done = true
	}
	if len(settings) > 0 && !done {
		return "", lineError(1, "group %s sets %s, and %s does not; give it the same", like, strings.Join(settings, ", "), group)
	}
	return e.result(), nil
}

// addFlowGroup adds a group to a flow mapping, where no comment can stand beside it; so it stands above.
func (d *yamlDoc) addFlowGroup(group string, like *yamlGroup) (string, error) {
	text, err := d.insertFlow(like.siblings, []string{group + ": {}"}, 0)
	if err != nil {
		return "", err
	}
	e := edit(splitLines(text))
	line := d.lines[like.key.Line-1].text
	e.insert(like.key.Line-2, line[:indentOf(line)]+ownComment+": "+group)
	return e.result(), nil
}

// flowNote is the line of addFlowGroup's comment, or -1.
func (d *yamlDoc) flowNote(group string) int {
	for i := range d.lines {
		if strings.TrimSpace(d.lines[i].text) == ownComment+": "+group {
			return i
		}
	}
	return -1
}

// varLines copies variables of a group for another one.
func (d *yamlDoc) varLines(group string, names []string, indent string) []string {
	var out []string
	for _, g := range d.groups {
		for _, v := range g.vars {
			if g.name != group || !slices.Contains(names, v.key.Value) || v.shared || !d.startsLine(v.key) {
				continue
			}
			from, to := d.block(v.key)
			for i := from; i < to; i++ {
				text := d.lines[i].text
				out = append(out, indent+"  "+text[min(v.key.Column-1, indentOf(text)):])
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return append([]string{indent + "vars:"}, out...)
}

// isOwn tells whether addGroup made this place of the group.
func (d *yamlDoc) isOwn(g *yamlGroup) bool {
	return d.startsLine(g.key) && strings.HasSuffix(strings.TrimRight(d.lines[g.key.Line-1].text, " "), ":  "+ownComment)
}

func (d *yamlDoc) inUse(group string) bool {
	for i := range d.groups {
		g := &d.groups[i]
		if g.parent == group || g.name == group && d.isOwn(g) && d.holds(g) {
			return true
		}
	}
	return d.findAny(group)
}

func (d *yamlDoc) findAny(group string) bool {
	for _, h := range d.hosts {
		if h.group == group {
			return true
		}
	}
	return false
}

// holds tells whether the place has anything but an empty list and copies of another group's variables.
func (d *yamlDoc) holds(g *yamlGroup) bool {
	from, to := d.block(g.key)
	for i := from + 1; i < to; i++ {
		text := strings.TrimSpace(d.lines[i].text)
		if text == "" || text == "hosts:" || text == "hosts:  "+ownComment || text == "vars:" {
			continue
		}
		if isIdle(text) || !d.isCopied(i, from, to) {
			return true
		}
	}
	return false
}

// isCopied tells whether line i, of the place [from, to), also stands elsewhere in the file.
func (d *yamlDoc) isCopied(i, from, to int) bool {
	for k := range d.lines {
		if (k < from || k >= to) && strings.TrimSpace(d.lines[k].text) == strings.TrimSpace(d.lines[i].text) {
			return true
		}
	}
	return false
}

func (d *yamlDoc) dropGroup(group string) (string, error) {
	e := edit(d.lines)
	for i := range d.groups {
		g := &d.groups[i]
		if at := d.flowNote(group); g.name == group && at >= 0 && isFlow(g.siblings) && len(contentOf(g.hosts)) == 0 {
			text, _, _ := d.cutFlow(g.siblings, g.key, nil)
			out := edit(splitLines(text))
			out.set(at)
			return out.result(), nil
		}
		if g.name == group && !d.isOwn(g) && d.ownHosts(g) && len(contentOf(g.hosts)) == 0 {
			e.set(g.hostsKey.Line - 1)
		}
		if g.name != group || !d.isOwn(g) {
			continue
		}
		from, to := d.block(g.key)
		for k := from; k < to; k++ {
			e.set(k)
		}
	}
	return e.result(), nil
}
