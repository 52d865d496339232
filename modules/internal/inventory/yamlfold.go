package inventory

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

func (d *yamlDoc) unfold(group, child string, hosts []string, host, since string) (string, error) {
	ref := d.reference(group, child)
	if ref == nil {
		return "", lineError(1, "the group %s is not there by name alone", child)
	}
	owner := d.ownerOf(ref)
	if owner == nil {
		return "", lineError(ref.key.Line, "the group %s has no place for hosts", group)
	}
	line := d.lines[ref.key.Line-1].text
	indent := indentOf(line)
	e := edit(d.lines)
	e.set(ref.key.Line-1, line[:indent]+mark{group: childrenMark(group), since: since, entry: line[indent:]}.String())
	if len(hosts) == 0 {
		return e.result(), nil
	}
	at, deeper := ref.key.Line-1, strings.Repeat(" ", max(indent-2, 0))
	if owner.hostsKey == nil {
		e.insert(at, deeper+"hosts:  "+ownComment)
	} else if isFlow(owner.hosts) || owner.hosts.Kind != yaml.MappingNode || len(owner.hosts.Content) == 0 {
		return "", lineError(owner.hostsKey.Line, "the hosts of %s are not written one a line", group)
	} else {
		key := owner.hosts.Content[len(owner.hosts.Content)-2]
		_, to := d.block(key)
		at, deeper = to-1, strings.Repeat(" ", max(key.Column-3, 0))
	}
	for _, h := range hosts {
		text := d.entryOf(h) + "  " + ownComment
		if h == host {
			text = mark{group: group, since: since, entry: text}.String()
		}
		e.insert(at, deeper+"  "+text)
	}
	return e.result(), nil
}

// reference is the place below group that names child on one line, and says nothing of it.
func (d *yamlDoc) reference(group, child string) *yamlGroup {
	for i := range d.groups {
		g := &d.groups[i]
		if g.name != child || g.parent != group || g.shared || g.siblings.Kind != yaml.MappingNode || isFlow(g.siblings) || !d.startsLine(g.key) {
			continue
		}
		from, to := d.block(g.key)
		if to == from+1 && len(g.value.Content) == 0 {
			return g
		}
	}
	return nil
}

// ownerOf is the place of the group whose children name the reference; its keys stand one step further left than `children:`'s entries.
func (d *yamlDoc) ownerOf(ref *yamlGroup) *yamlGroup {
	for i := range d.groups {
		g := &d.groups[i]
		if g.name == ref.parent && !g.shared && g.key.Line < ref.key.Line && ref.key.Line <= d.area(g.key) && !isFlow(g.value) {
			return g
		}
	}
	return nil
}

func (d *yamlDoc) unfolded(group string) []string {
	var out []string
	for _, m := range d.marked {
		if m.group == childrenMark(group) {
			if key, _, ok := keyOf(m.entry); ok {
				out = append(out, key)
			}
		}
	}
	return out
}

func (d *yamlDoc) fold(group, child string, hosts []string) (string, error) {
	e := edit(d.lines)
	for _, m := range d.marked {
		if key, _, ok := keyOf(m.entry); ok && key == child && m.group == childrenMark(group) {
			e.set(m.at[0], d.lines[m.at[0]].text[:indentOf(d.lines[m.at[0]].text)]+m.entry)
		}
	}
	removed := 0
	for i := range d.hosts {
		h := &d.hosts[i]
		if h.group == group && !h.shared && slices.Contains(hosts, h.key.Value) && strings.TrimSpace(d.lines[h.key.Line-1].text) == d.entryOf(h.key.Value)+"  "+ownComment {
			if from, to := d.block(h.key); to == from+1 {
				e.set(from)
				removed++
			}
		}
	}
	for i := range d.groups {
		g := &d.groups[i]
		if g.name == group && d.ownHosts(g) && len(contentOf(g.hosts)) == 2*removed && !d.hasMarks(group) {
			e.set(g.hostsKey.Line - 1)
		}
	}
	return e.result(), nil
}

// ownHosts tells whether this package wrote the place's `hosts:`.
func (d *yamlDoc) ownHosts(g *yamlGroup) bool {
	return g.hostsKey != nil && !g.shared && strings.TrimSpace(d.lines[g.hostsKey.Line-1].text) == "hosts:  "+ownComment
}

func (d *yamlDoc) hasMarks(group string) bool {
	for _, m := range d.marked {
		if m.group == group {
			return true
		}
	}
	return false
}
