package inventory

import "slices"

func (d *ini) unfold(group, child string, hosts []string, host, since string) (string, error) {
	e := d.editor()
	last := -1
	for i := range d.lines {
		l := &d.lines[i]
		if l.kind == childEntry && l.group == group && l.name == child {
			e.set(i, mark{group: childrenMark(group), since: since, entry: l.text}.String())
			last = i
		}
	}
	var texts []string
	for _, h := range hosts {
		text := h + "  " + ownComment
		if h == host {
			text = mark{group: group, since: since, entry: text}.String()
		}
		texts = append(texts, text)
	}
	if len(texts) == 0 {
		return e.result(), nil
	}
	if headers, used := d.sections(group, "hosts"); len(headers) > 0 {
		e.insert(used[len(used)-1], texts...)
		return e.result(), nil
	}
	if _, used := d.sections(group, "children"); len(used) > 0 {
		last = used[len(used)-1]
	}
	e.insert(last, append([]string{"", "[" + group + "]  " + ownComment}, texts...)...)
	return e.result(), nil
}

// unfolded lists the children that were replaced by their hosts.
func (d *ini) unfolded(group string) []string {
	var out []string
	for i := range d.lines {
		if l := &d.lines[i]; l.kind == markLine && l.mark.group == childrenMark(group) {
			if entry := (iniLine{group: group}); entry.parseChild(trim(l.mark.entry)) == nil {
				out = append(out, entry.name)
			}
		}
	}
	return out
}

func (d *ini) fold(group, child string, hosts []string) (string, error) {
	e := d.editor()
	for i := range d.lines {
		l := &d.lines[i]
		switch {
		case l.kind == markLine && l.mark.group == childrenMark(group) && slices.Contains((&ini{lines: d.lines[i : i+1]}).unfolded(group), child):
			e.set(i, l.mark.entry)
		case l.isNameOf(group, hosts):
			e.set(i)
		case l.kind == header && l.own && l.group == group && l.part == "hosts" && d.onlyNames(i+1, group, hosts):
			e.set(i)
			if i > 0 && d.lines[i-1].text == "" {
				e.set(i - 1)
			}
		}
	}
	return e.result(), nil
}

// onlyNames tells whether the section from line i on has nothing but the names of hosts, and blank lines.
func (d *ini) onlyNames(i int, group string, hosts []string) bool {
	for ; i < len(d.lines) && d.lines[i].kind != header; i++ {
		if l := &d.lines[i]; l.kind == markLine || l.kind == hostLine && !l.isNameOf(group, hosts) {
			return false
		}
	}
	return true
}

// isNameOf tells whether unfold wrote the line for one of hosts.
func (l *iniLine) isNameOf(group string, hosts []string) bool {
	return l.kind == hostLine && l.group == group && len(l.hosts) == 1 && l.text == l.hosts[0]+"  "+ownComment && slices.Contains(hosts, l.hosts[0])
}
