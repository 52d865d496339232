package inventory

import "slices"

// addGroup makes an empty section for group after the one of like, and enters group beside like in the parents given. Settings are
// those of [like:vars] that group needs too.
func (d *ini) addGroup(group, like string, parents, settings []string) (string, error) {
	e := d.editor()
	for i := range d.lines {
		l := &d.lines[i]
		if l.kind == childEntry && l.name == like && slices.Contains(parents, l.group) {
			e.insert(i, l.indent()+group+"  "+ownComment)
			parents = without(parents, l.group)
		}
	}
	if d.defines(group) && len(settings) == 0 {
		return e.result(), nil
	}
	at := d.endOf(like)
	if !d.defines(group) {
		e.insert(at, "", "["+group+"]  "+ownComment)
	}
	if len(settings) > 0 {
		e.insert(at, "", "["+group+":vars]  "+ownComment)
		e.insert(at, d.settings(like, settings)...)
	}
	return e.result(), nil
}

// endOf is the line after which a section can follow those of group.
func (d *ini) endOf(group string) int {
	for _, part := range []string{"hosts", "children"} {
		if _, used := d.sections(group, part); len(used) > 0 {
			return used[len(used)-1]
		}
	}
	return len(d.lines) - 1
}

// settings returns the lines of [group:vars] that set the names given, as written.
func (d *ini) settings(group string, names []string) []string {
	var out []string
	for i := range d.lines {
		l := &d.lines[i]
		if l.kind == setting && l.group == group && slices.Contains(names, l.name) {
			out = append(out, l.text)
		}
	}
	return out
}

// inUse tells whether group holds anything here that this package did not make, so that it may not go.
func (d *ini) inUse(group string) bool {
	inOwn := false // within an own [group:vars]
	for i := range d.lines {
		l := &d.lines[i]
		switch {
		case l.kind == header:
			inOwn = l.own && l.group == group && l.part == "vars"
		case l.kind == hostLine && l.group == group, l.kind == childEntry && l.group == group:
			return true
		case l.kind == markLine && l.group == group && l.part == "hosts":
			return true
		case l.kind == setting && inOwn && !d.isCopy(l):
			return true
		}
	}
	return false
}

// isCopy tells whether another group has the same setting: then the operator has not changed what addGroup copied.
func (d *ini) isCopy(l *iniLine) bool {
	for i := range d.lines {
		o := &d.lines[i]
		if o.kind == setting && o.group != l.group && o.text == l.text {
			return true
		}
	}
	return false
}

// dropGroup takes away what addGroup made for group. What the operator wrote stays.
func (d *ini) dropGroup(group string) (string, error) {
	e := d.editor()
	inOwn := false // within an own [group:vars]
	for i := range d.lines {
		l := &d.lines[i]
		switch {
		case l.kind == header:
			inOwn = l.own && l.group == group && l.part == "vars"
			if l.own && l.group == group {
				e.set(i)
				if i > 0 && d.lines[i-1].text == "" {
					e.set(i - 1)
				}
			}
		case l.kind == childEntry && l.own && l.name == group:
			e.set(i)
		case l.kind == setting && inOwn:
			e.set(i)
		}
	}
	return e.result(), nil
}

func (l *iniLine) indent() string {
	for i := 0; i < len(l.text); i++ {
		if !isBlank(l.text[i]) {
			return l.text[:i]
		}
	}
	return ""
}

func without(list []string, s string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(each string) bool { return each == s })
}

func (d *ini) lists(parent, child string) bool {
	for i := range d.lines {
		l := &d.lines[i]
		if l.kind == childEntry && l.group == parent && l.name == child {
			return true
		}
	}
	return false
}

func (d *ini) entryOf(host string) string { return host }

func (d *ini) readEntries(m *Meaning, host string, entries []string) {
	for _, text := range entries {
		l := iniLine{line: line{text: text}}
		if l.parseHost() == nil {
			m.addHost("", host, l.pattern.port, l.variables())
		}
	}
}
