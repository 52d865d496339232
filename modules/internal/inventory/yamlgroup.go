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
			return d.insertFlow(g.siblings, []string{group + ": {}"}, 0)
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
		if text == "" || text == "hosts:" || text == "vars:" {
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

// addVars gives host the variables named, as written in entries, in the last entry that still names it.
func (d *yamlDoc) addVars(host string, entries, names []string) (string, error) {
	for i := len(d.hosts) - 1; i >= 0; i-- {
		h := &d.hosts[i]
		if !h.is(h.group, host) || h.shared || h.list == nil {
			continue
		}
		if h.pattern.isRange() {
			text, err := d.splitRange(h, host)
			if err != nil {
				return "", err
			}
			next, err := parseYAML(text)
			if err != nil {
				return "", err
			}
			return next.addVars(host, entries, names)
		}
		return d.extend(h, rawPairs(entries, names))
	}
	return "", nil
}

// extend adds `name: value` texts to one host's entry.
func (d *yamlDoc) extend(h *yamlHost, texts []string) (string, error) {
	if value, shared := follow(h.value, false); shared {
		return "", lineError(value.Line, "the variables of %s come through an alias, so that none can be added", h.key.Value)
	}
	if isFlow(h.value) {
		return d.insertFlow(h.value, texts, 0)
	}
	if isFlow(h.list) {
		return "", lineError(h.key.Line, "%s has no mapping of variables here to add some to; write one: {}", h.key.Value)
	}
	_, to := d.block(h.key)
	indent := strings.Repeat(" ", h.key.Column+1)
	if len(h.value.Content) > 0 {
		indent = strings.Repeat(" ", h.value.Content[0].Column-1)
	}
	e := edit(d.lines)
	for _, t := range texts {
		e.insert(to-1, indentedBy(t, indent)...)
	}
	return e.result(), nil
}

// rawPairs finds the text of variables in entries.
func rawPairs(entries, names []string) []string {
	var out []string
	for _, entry := range entries {
		doc, err := parseYAML("g:\n  hosts:\n" + strings.Join(indentedBy(entry, "    "), "\n"))
		if err != nil || len(doc.hosts) != 1 {
			continue
		}
		found, err := doc.pairs(doc.hosts[0].value, false)
		if err != nil {
			continue
		}
		for _, p := range found {
			if !slices.Contains(names, p.key.Value) {
				continue
			}
			if isFlow(doc.hosts[0].value) {
				text := joinLines(doc.lines)
				start := doc.at(p.key)
				out = append(out, strings.TrimSpace(text[start:flowEnd(text, start)]))
				continue
			}
			from, to := doc.block(p.key)
			var lines []string
			for i := from; i < to; i++ {
				text := doc.lines[i].text
				lines = append(lines, text[min(p.key.Column-1, indentOf(text)):])
			}
			out = append(out, strings.Join(lines, "\n"))
		}
	}
	return out
}
