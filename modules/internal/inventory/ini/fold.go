package ini

import (
	"slices"

	"etcd-quorum-restore/modules/internal/inventory/source"
)

func (d *Doc) Unfold(group, child string, hosts []string, host, since string) (string, error) {
	e := d.editor()
	last := -1
	for i := range d.lines {
		l := &d.lines[i]
		if l.kind == childEntry && l.group == group && l.name == child {
			e.Set(i, source.Mark{Group: source.ChildrenMark(group), Since: since, Entry: l.Text}.String())
			last = i
		}
	}
	var texts []string
	for _, h := range hosts {
		text := h + "  " + source.OwnComment
		if h == host {
			text = source.Mark{Group: group, Since: since, Entry: text}.String()
		}
		texts = append(texts, text)
	}
	if len(texts) == 0 {
		return e.Result(), nil
	}
	if headers, used := d.sections(group, "hosts"); len(headers) > 0 {
		e.Insert(used[len(used)-1], texts...)
		return e.Result(), nil
	}
	if _, used := d.sections(group, "children"); len(used) > 0 {
		last = used[len(used)-1]
	}
	e.Insert(last, append([]string{"", "[" + group + "]  " + source.OwnComment}, texts...)...)
	return e.Result(), nil
}

// Unfolded lists the children that were replaced by their hosts.
func (d *Doc) Unfolded(group string) []string {
	var out []string
	for i := range d.lines {
		if l := &d.lines[i]; l.kind == markLine && l.mark.Group == source.ChildrenMark(group) {
			if entry := (parsedLine{group: group}); entry.parseChild(trim(l.mark.Entry)) == nil {
				out = append(out, entry.name)
			}
		}
	}
	return out
}

func (d *Doc) Fold(group, child string, hosts []string) (string, error) {
	e := d.editor()
	for i := range d.lines {
		l := &d.lines[i]
		switch {
		case l.kind == markLine && l.mark.Group == source.ChildrenMark(group) && slices.Contains((&Doc{lines: d.lines[i : i+1]}).Unfolded(group), child):
			e.Set(i, l.mark.Entry)
		case l.isNameOf(group, hosts):
			e.Set(i)
		case l.kind == header && l.own && l.group == group && l.part == "hosts" && d.onlyNames(i+1, group, hosts):
			e.Set(i)
			if i > 0 && d.lines[i-1].Text == "" {
				e.Set(i - 1)
			}
		}
	}
	return e.Result(), nil
}

// onlyNames tells whether the section from line i on has nothing but the names of hosts, and blank lines.
func (d *Doc) onlyNames(i int, group string, hosts []string) bool {
	for ; i < len(d.lines) && d.lines[i].kind != header; i++ {
		if l := &d.lines[i]; l.kind == markLine || l.kind == hostLine && !l.isNameOf(group, hosts) {
			return false
		}
	}
	return true
}

// isNameOf tells whether unfold wrote the line for one of hosts.
func (l *parsedLine) isNameOf(group string, hosts []string) bool {
	return l.kind == hostLine && l.group == group && len(l.hosts) == 1 && l.Text == l.hosts[0]+"  "+source.OwnComment && slices.Contains(hosts, l.hosts[0])
}
