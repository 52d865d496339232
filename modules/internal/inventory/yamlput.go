package inventory

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// restore puts entries where the newest marks of host in group stand.
func (d *yamlDoc) restore(group, host string, entries []string) (string, bool) {
	var found []yamlMark
	var plain []mark
	for _, m := range d.marked {
		if m.group == group && m.isOf(host) && (m.nth > 0 || d.within(group, m.at[0])) {
			found, plain = append(found, m), append(plain, m.mark)
		}
	}
	if len(found) == 0 {
		return "", false
	}
	latest := newest(plain)[0].since
	for len(found) > 0 && found[0].since != latest {
		found = found[1:]
	}
	if found[0].nth > 0 {
		text, err := d.restoreFlow(group, found[0], entries)
		return text, err == nil
	}
	e := edit(d.lines)
	last := 0
	for _, m := range found {
		if m.since != latest || len(entries) == 0 {
			continue
		}
		d.unmark(e, m, entries[0])
		entries, last = entries[1:], m.at[len(m.at)-1]
	}
	for _, text := range entries {
		e.insert(last, indented(text, d.lines[last].text)...)
	}
	return e.result(), true
}

// unmark makes the mark's lines an entry again: its own lines where the entry is the same, so that every byte comes back.
func (d *yamlDoc) unmark(e *editor, m yamlMark, entry string) {
	if squeeze(plainEntry(m.entry)) != squeeze(entry) {
		for _, i := range m.at {
			e.set(i)
		}
		if plainEntry(m.entry) != m.entry {
			entry = strings.TrimSpace(entry) + " {}," // within a flow mapping
			entry = strings.Replace(entry, "} {},", "},", 1)
		}
		e.set(m.at[0], indented(entry, d.lines[m.at[0]].text)...)
		return
	}
	for n, part := range strings.Split(m.entry, "\n") {
		if part != "" {
			part = d.lines[m.at[0]].text[:indentOf(d.lines[m.at[0]].text)] + part
		}
		e.set(m.at[n], part)
	}
}

// squeeze drops the blanks that an entry ends in.
func squeeze(entry string) string { return strings.TrimRight(entry, " ") }

// indented is an entry's lines with the indent of a line beside which they go.
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

func (d *yamlDoc) restoreFlow(group string, m yamlMark, entries []string) (string, error) {
	for i := range d.groups {
		g := &d.groups[i]
		if g.name != group || g.shared || !isFlow(g.hosts) {
			continue
		}
		text, err := d.insertFlow(g.hosts, entries, m.nth)
		if err != nil {
			return "", err
		}
		// The mark's line is above the mapping, and an insertion on one line moves no line.
		e := edit(splitLines(text))
		e.set(m.at[0])
		return e.result(), nil
	}
	return "", errNotYAML
}

// within tells whether line i is in the area of a list of hosts of group.
func (d *yamlDoc) within(group string, i int) bool {
	for _, g := range d.groups {
		if g.name == group && g.hostsKey != nil && !g.shared && g.hostsKey.Line-1 < i && i < d.area(g.hostsKey) {
			return true
		}
	}
	return false
}

// put adds entries to the group: to the last of its lists that has hosts, or else to its first place.
func (d *yamlDoc) put(group string, entries []string, first bool) (string, error) {
	var target *yamlGroup
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
		return "", lineError(target.hostsKey.Line, "the hosts of %s come through an alias; write them out by name", group)
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

func (d *yamlDoc) firstOf(g *yamlGroup) *yamlHost {
	for i := range d.hosts {
		if d.hosts[i].group == g.name && d.listOf(&d.hosts[i]) == g {
			return &d.hosts[i]
		}
	}
	return nil
}

func (d *yamlDoc) putWrittenOut(h *yamlHost, group string, entries []string, first bool) (string, error) {
	text, err := d.writeOut(h)
	if err != nil {
		return "", err
	}
	next, err := parseYAML(text)
	if err != nil {
		return "", err
	}
	return next.put(group, entries, first)
}

// putBlock adds entries to a block list: after its last entry or mark, or right below `hosts:`.
func (d *yamlDoc) putBlock(g *yamlGroup, entries []string, first bool) string {
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
	e := edit(d.lines)
	for _, text := range entries {
		e.insert(at, indentedBy(text, indent)...)
	}
	return e.result()
}

// hostsKeyOf is the `hosts:` key in whose area line i is; the innermost one.
func (d *yamlDoc) hostsKeyOf(i int) *yaml.Node {
	var key *yaml.Node
	for _, g := range d.groups {
		if g.hostsKey != nil && g.hostsKey.Line-1 < i && i < d.area(g.hostsKey) && (key == nil || g.hostsKey.Line > key.Line) {
			key = g.hostsKey
		}
	}
	return key
}

// putHosts gives a group that has none a list of hosts.
func (d *yamlDoc) putHosts(g *yamlGroup, entries []string) (string, error) {
	if isFlow(g.value) {
		for i, text := range entries {
			if strings.Contains(text, "\n") {
				return "", lineError(g.key.Line, "the entry does not fit into the flow mapping of %s; write the group in block style", g.name)
			}
			if entries[i] = text; strings.HasSuffix(text, ":") {
				entries[i] += " {}"
			}
		}
		return d.insertFlow(g.value, []string{"hosts: {" + strings.Join(entries, ", ") + "}"}, 1)
	}
	if !d.startsLine(g.key) {
		return "", lineError(g.key.Line, "the group %s does not begin its line; write it in block style", g.name)
	}
	indent := strings.Repeat(" ", g.key.Column+1)
	if len(g.value.Content) > 0 {
		indent = strings.Repeat(" ", g.value.Content[0].Column-1)
	}
	e := edit(d.lines)
	word := "hosts:"
	if !d.isOwn(g) {
		word += "  " + ownComment
	}
	e.insert(g.key.Line-1, indent+word)
	for _, text := range entries {
		e.insert(g.key.Line-1, indentedBy(text, indent+"  ")...)
	}
	return e.result(), nil
}
