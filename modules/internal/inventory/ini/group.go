package ini

import (
	"slices"

	"etcd-quorum-restore/modules/internal/inventory/source"
)

// AddGroup makes an empty section for group after the one of like, and enters group beside like in the parents given. settings are those of
// [like:vars] that group needs too.
func (d *Doc) AddGroup(group, like string, parents, settings []string) (string, error) {
	e := d.editor()
	for i := range d.lines {
		l := &d.lines[i]
		if l.kind == childEntry && l.name == like && slices.Contains(parents, l.group) {
			e.Insert(i, l.indent()+group+"  "+source.OwnComment)
			parents = source.Without(parents, l.group)
		}
	}
	if d.Defines(group) && len(settings) == 0 {
		return e.Result(), nil
	}
	at := d.endOf(like)
	if !d.Defines(group) {
		e.Insert(at, "", "["+group+"]  "+source.OwnComment)
	}
	if len(settings) > 0 {
		e.Insert(at, "", "["+group+":vars]  "+source.OwnComment)
		e.Insert(at, d.settings(like, settings)...)
	}
	return e.Result(), nil
}

// endOf is the line after which a section can follow those of group.
func (d *Doc) endOf(group string) int {
	for _, part := range []string{"hosts", "children"} {
		if _, used := d.sections(group, part); len(used) > 0 {
			return used[len(used)-1]
		}
	}
	return len(d.lines) - 1
}

// settings returns the lines of [group:vars] that set the names given, as written.
func (d *Doc) settings(group string, names []string) []string {
	var out []string
	for i := range d.lines {
		l := &d.lines[i]
		if l.kind == setting && l.group == group && slices.Contains(names, l.name) {
			out = append(out, l.Text)
		}
	}
	return out
}

// InUse tells whether group holds anything here that this package did not make, so that it may not go.
func (d *Doc) InUse(group string) bool {
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

// isCopy tells whether another group has the same setting: then the operator has not changed what AddGroup copied.
func (d *Doc) isCopy(l *parsedLine) bool {
	for i := range d.lines {
		o := &d.lines[i]
		if o.kind == setting && o.group != l.group && o.Text == l.Text {
			return true
		}
	}
	return false
}

// DropGroup removes what AddGroup made for group. What the operator wrote stays.
func (d *Doc) DropGroup(group string) (string, error) {
	e := d.editor()
	inOwn := false // within an own [group:vars]
	for i := range d.lines {
		l := &d.lines[i]
		switch {
		case l.kind == header:
			inOwn = l.own && l.group == group && l.part == "vars"
			if l.own && l.group == group {
				e.Set(i)
				if i > 0 && d.lines[i-1].Text == "" {
					e.Set(i - 1)
				}
			}
		case l.kind == childEntry && l.own && l.name == group:
			e.Set(i)
		case l.kind == setting && inOwn:
			e.Set(i)
		}
	}
	return e.Result(), nil
}

func (l *parsedLine) indent() string {
	for i := 0; i < len(l.Text); i++ {
		if !isBlank(l.Text[i]) {
			return l.Text[:i]
		}
	}
	return ""
}

func (d *Doc) Lists(parent, child string) bool {
	for i := range d.lines {
		l := &d.lines[i]
		if l.kind == childEntry && l.group == parent && l.name == child {
			return true
		}
	}
	return false
}

func (d *Doc) EntryOf(host string) string { return host }

func (d *Doc) ReadEntries(m *source.Meaning, host string, entries []string) {
	for _, text := range entries {
		l := parsedLine{Line: source.Line{Text: text}}
		if l.parseHost() == nil {
			m.AddHost("", host, l.pattern.Port, l.variables())
		}
	}
}
