package yamldoc

import (
	"strings"

	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/inventory/source"
)

// Restore puts entries where the newest marks of host in group stand.
func (d *Doc) Restore(group, host string, entries []string) (string, bool) {
	var found []markLines
	var plain []source.Mark
	for _, m := range d.marked {
		if m.Group == group && m.isOf(host) && (m.Nth > 0 || d.within(group, m.at[0])) {
			found, plain = append(found, m), append(plain, m.Mark)
		}
	}
	if len(found) == 0 {
		return "", false
	}
	latest := source.Newest(plain)[0].Since
	for len(found) > 0 && found[0].Since != latest {
		found = found[1:]
	}
	if found[0].Nth > 0 {
		text, err := d.restoreFlow(group, found[0], entries)
		return text, err == nil
	}
	e := source.EditLines(d.lines)
	last := 0
	for _, m := range found {
		if m.Since != latest || len(entries) == 0 {
			continue
		}
		d.unmark(e, m, entries[0])
		entries, last = entries[1:], m.at[len(m.at)-1]
	}
	for _, text := range entries {
		e.Insert(last, indented(text, d.lines[last].Text)...)
	}
	return e.Result(), true
}

// unmark makes the mark's lines an entry again. Where the entry is the same, its own lines come back, byte for byte.
func (d *Doc) unmark(e *source.Editor, m markLines, entry string) {
	if source.Squeeze(plainEntry(m.Entry)) != source.Squeeze(entry) {
		for _, i := range m.at {
			e.Set(i)
		}
		if plainEntry(m.Entry) != m.Entry {
			entry = strings.TrimSpace(entry) + " {}," // within a flow mapping
			entry = strings.Replace(entry, "} {},", "},", 1)
		}
		e.Set(m.at[0], indented(entry, d.lines[m.at[0]].Text)...)
		return
	}
	for n, part := range strings.Split(m.Entry, "\n") {
		if part != "" {
			part = d.lines[m.at[0]].Text[:indentOf(d.lines[m.at[0]].Text)] + part
		}
		e.Set(m.at[n], part)
	}
}

// indented is an entry's lines with the indent of the line beside which they go.
func indented(entry, beside string) []string {
	return indentedBy(entry, beside[:indentOf(beside)])
}

func indentedBy(entry, indent string) []string {
	var out []string
	for _, l := range strings.Split(entry, "\n") {
		if l != "" {
			l = indent + l
		}
		out = append(out, l)
	}
	return out
}

func (d *Doc) restoreFlow(group string, m markLines, entries []string) (string, error) {
	for i := range d.groups {
		g := &d.groups[i]
		if g.name != group || g.shared || !isFlow(g.hosts) {
			continue
		}
		text, err := d.insertFlow(g.hosts, entries, m.Nth)
		if err != nil {
			return "", err
		}
		// The mark's line is above the mapping, and an insertion on one line moves no line.
		e := source.EditLines(source.SplitLines(text))
		e.Set(m.at[0])
		return e.Result(), nil
	}
	return "", ErrNotYAML
}

// within tells whether line i is in the area of a list of hosts of group.
func (d *Doc) within(group string, i int) bool {
	for _, g := range d.groups {
		if g.name == group && g.hostsKey != nil && !g.shared && g.hostsKey.Line-1 < i && i < d.area(g.hostsKey) {
			return true
		}
	}
	return false
}

// Put adds entries to the group: to the last of its lists that has hosts, or else at its first place.
func (d *Doc) Put(group string, entries []string, first bool) (string, error) {
	var target *groupNode
	for i := range d.groups {
		g := &d.groups[i]
		if g.name != group || g.shared {
			continue
		}
		filled := g.hosts != nil && len(g.hosts.Content) > 0
		if target == nil || filled && (!first || len(contentOf(target.hosts)) == 0) {
			target = g
		}
	}
	switch {
	case target.hostsKey == nil:
		return d.putHosts(target, entries)
	case target.hosts.Kind == yaml.AliasNode || target.hosts.Kind == yaml.ScalarNode && target.hosts.Tag != "!!null":
		if h := d.firstOf(target); h != nil {
			return d.putWrittenOut(h, group, entries, first)
		}
		return "", source.LineError(target.hostsKey.Line, "the hosts of %s come through an alias; write them out by name", group)
	case isFlow(target.hosts):
		nth := 0
		if first {
			nth = 1
		}
		return d.insertFlow(target.hosts, entries, nth)
	}
	return d.putBlock(target, entries, first), nil
}

func contentOf(n *yaml.Node) []*yaml.Node {
	if n == nil {
		return nil
	}
	return n.Content
}

func (d *Doc) firstOf(g *groupNode) *hostNode {
	for i := range d.hosts {
		if d.hosts[i].group == g.name && d.listOf(&d.hosts[i]) == g {
			return &d.hosts[i]
		}
	}
	return nil
}

func (d *Doc) putWrittenOut(h *hostNode, group string, entries []string, first bool) (string, error) {
	text, err := d.writeOut(h)
	if err != nil {
		return "", err
	}
	next, err := Parse(text)
	if err != nil {
		return "", err
	}
	return next.Put(group, entries, first)
}

// putBlock adds entries to a block list: after its last entry or mark, or right below `hosts:`.
func (d *Doc) putBlock(g *groupNode, entries []string, first bool) string {
	at, indent := g.hostsKey.Line-1, strings.Repeat(" ", g.hostsKey.Column+1)
	if n := len(g.hosts.Content); n > 0 {
		key := g.hosts.Content[n-2]
		indent = strings.Repeat(" ", key.Column-1)
		if !first {
			_, to := d.block(key)
			at = to - 1
		}
	}
	for _, m := range d.marked {
		if last := m.at[len(m.at)-1]; !first && last > at && last < d.area(g.hostsKey) && d.hostsKeyOf(last) == g.hostsKey {
			at = last
		}
	}
	e := source.EditLines(d.lines)
	for _, text := range entries {
		e.Insert(at, indentedBy(text, indent)...)
	}
	return e.Result()
}

// hostsKeyOf is the `hosts:` key in whose area line i is; the innermost one.
func (d *Doc) hostsKeyOf(i int) *yaml.Node {
	var key *yaml.Node
	for _, g := range d.groups {
		if g.hostsKey != nil && g.hostsKey.Line-1 < i && i < d.area(g.hostsKey) && (key == nil || g.hostsKey.Line > key.Line) {
			key = g.hostsKey
		}
	}
	return key
}

// putHosts gives a group that has none a list of hosts.
func (d *Doc) putHosts(g *groupNode, entries []string) (string, error) {
	if isFlow(g.value) {
		for i, text := range entries {
			if strings.Contains(text, "\n") {
				return "", source.LineError(g.key.Line, "the entry does not fit into the flow mapping of %s; write the group in block style", g.name)
			}
			if entries[i] = text; strings.HasSuffix(text, ":") {
				entries[i] += " {}"
			}
		}
		return d.insertFlow(g.value, []string{"hosts: {" + strings.Join(entries, ", ") + "}"}, 1)
	}
	if !d.startsLine(g.key) {
		return "", source.LineError(g.key.Line, "the group %s does not begin its line; write it in block style", g.name)
	}
	indent := strings.Repeat(" ", g.key.Column+1)
	if len(g.value.Content) > 0 {
		indent = strings.Repeat(" ", g.value.Content[0].Column-1)
	}
	e := source.EditLines(d.lines)
	word := "hosts:"
	if !d.isOwn(g) {
		word += "  " + source.OwnComment
	}
	e.Insert(g.key.Line-1, indent+word)
	for _, text := range entries {
		e.Insert(g.key.Line-1, indentedBy(text, indent+"  ")...)
	}
	return e.Result(), nil
}
