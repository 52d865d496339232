package yamldoc

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/inventory/source"
)

func (d *Doc) Unfold(group, child string, hosts []string, host, since string) (string, error) {
	ref := d.reference(group, child)
	if ref == nil {
		return "", source.LineError(1, "the group %s is not there by name alone", child)
	}
	owner := d.ownerOf(ref)
	if owner == nil {
		return "", source.LineError(ref.key.Line, "the group %s has no place for hosts", group)
	}
	line := d.lines[ref.key.Line-1].Text
	indent := indentOf(line)
	e := source.EditLines(d.lines)
	e.Set(ref.key.Line-1, line[:indent]+source.Mark{Group: source.ChildrenMark(group), Since: since, Entry: line[indent:]}.String())
	if len(hosts) == 0 {
		return e.Result(), nil
	}
	at, deeper := ref.key.Line-1, strings.Repeat(" ", max(indent-2, 0))
	if owner.hostsKey == nil {
		e.Insert(at, deeper+"hosts:  "+source.OwnComment)
	} else if isFlow(owner.hosts) || owner.hosts.Kind != yaml.MappingNode || len(owner.hosts.Content) == 0 {
		return "", source.LineError(owner.hostsKey.Line, "the hosts of %s are not written one a line", group)
	} else {
		key := owner.hosts.Content[len(owner.hosts.Content)-2]
		_, to := d.block(key)
		at, deeper = to-1, strings.Repeat(" ", max(key.Column-3, 0))
	}
	for _, h := range hosts {
		text := d.EntryOf(h) + "  " + source.OwnComment
		if h == host {
			text = source.Mark{Group: group, Since: since, Entry: text}.String()
		}
		e.Insert(at, deeper+"  "+text)
	}
	return e.Result(), nil
}

// reference is the place below group that only names child, on one line.
func (d *Doc) reference(group, child string) *groupNode {
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

// ownerOf is the place of the group whose children contain the reference; its keys are one step further left than the entries of `children:`.
func (d *Doc) ownerOf(ref *groupNode) *groupNode {
	for i := range d.groups {
		g := &d.groups[i]
		if g.name == ref.parent && !g.shared && g.key.Line < ref.key.Line && ref.key.Line <= d.area(g.key) && !isFlow(g.value) {
			return g
		}
	}
	return nil
}

func (d *Doc) Unfolded(group string) []string {
	var out []string
	for _, m := range d.marked {
		if m.Group == source.ChildrenMark(group) {
			if key, _, ok := keyOf(m.Entry); ok {
				out = append(out, key)
			}
		}
	}
	return out
}

func (d *Doc) Fold(group, child string, hosts []string) (string, error) {
	e := source.EditLines(d.lines)
	for _, m := range d.marked {
		if key, _, ok := keyOf(m.Entry); ok && key == child && m.Group == source.ChildrenMark(group) {
			e.Set(m.at[0], d.lines[m.at[0]].Text[:indentOf(d.lines[m.at[0]].Text)]+m.Entry)
		}
	}
	removed := 0
	for i := range d.hosts {
		h := &d.hosts[i]
		if h.group == group && !h.shared && slices.Contains(hosts, h.key.Value) && strings.TrimSpace(d.lines[h.key.Line-1].Text) == d.EntryOf(h.key.Value)+"  "+source.OwnComment {
			if from, to := d.block(h.key); to == from+1 {
				e.Set(from)
				removed++
			}
		}
	}
	for i := range d.groups {
		g := &d.groups[i]
		if g.name == group && d.ownHosts(g) && len(contentOf(g.hosts)) == 2*removed && !d.hasMarks(group) {
			e.Set(g.hostsKey.Line - 1)
		}
	}
	return e.Result(), nil
}

// ownHosts tells whether this package wrote the place's `hosts:`.
func (d *Doc) ownHosts(g *groupNode) bool {
	return g.hostsKey != nil && !g.shared && strings.TrimSpace(d.lines[g.hostsKey.Line-1].Text) == "hosts:  "+source.OwnComment
}

func (d *Doc) hasMarks(group string) bool {
	for _, m := range d.marked {
		if m.Group == group {
			return true
		}
	}
	return false
}
