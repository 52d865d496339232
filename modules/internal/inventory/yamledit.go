package inventory

import (
	"fmt"
	"maps"
	"strings"

	"gopkg.in/yaml.v3"
)

// takeOut removes host's entries from group, one after the other, since each edit moves what stands below it.
func (d *yamlDoc) takeOut(group, host, since string) (string, []string, error) {
	var entries []string
	doc := d
	for {
		h := doc.find(group, host)
		if h == nil {
			return joinLines(doc.lines), entries, nil
		}
		text, entry, err := doc.takeOne(h, host, since)
		if err != nil {
			return "", nil, err
		}
		if entry != "" { // else the entry was only written out
			entries = append(entries, entry)
		}
		next, err := parseYAML(text)
		if err != nil {
			return "", nil, breaks(h, err)
		}
		if text == joinLines(doc.lines) {
			return "", nil, lineError(h.key.Line, "the entry of %s is written in a way that cannot be edited; write the hosts one a line", h.key.Value)
		}
		if entry == "" && !means(doc, next) {
			return "", nil, lineError(h.key.Line, "the hosts of %s have variables through an alias that is no other group's list; write them out", h.group)
		}
		doc = next
	}
}

// means tells whether two documents say the same: writing out a range or an alias may change nothing.
func means(a, b *yamlDoc) bool {
	was, is := newMeaning(), newMeaning()
	a.read(was)
	b.read(is)
	for name := range union(was.Groups, is.Groups) {
		if difference(was.Groups[name], is.Groups[name]) != "" {
			return false
		}
	}
	return maps.EqualFunc(was.Hosts, is.Hosts, func(x, y Vars) bool { return maps.Equal(x, y) })
}

// breaks says why the file could not be read without the entry; mostly its value has an anchor that other entries need.
func breaks(h *yamlHost, err error) error {
	if anchored(h.value) {
		return lineError(h.key.Line, "the entry of %s defines an anchor that is used elsewhere; define it at another place", h.key.Value)
	}
	return lineError(h.key.Line, "without the entry of %s the file could not be read: %v", h.key.Value, err)
}

// userOf is a host of another place whose list is an alias of this entry's list.
func (d *yamlDoc) userOf(h *yamlHost) *yamlHost {
	for i := range d.groups {
		g := &d.groups[i]
		if g.hosts == nil || g.hosts.Kind != yaml.AliasNode || g.hosts.Alias != h.list {
			continue
		}
		for k := range d.hosts {
			if user := &d.hosts[k]; user.group == g.name && user.list == h.list && user.shared {
				return user
			}
		}
	}
	return nil
}

func (d *yamlDoc) find(group, host string) *yamlHost {
	for i := range d.hosts {
		if d.hosts[i].is(group, host) {
			return &d.hosts[i]
		}
	}
	return nil
}

func (d *yamlDoc) takeOne(h *yamlHost, host, since string) (text, entry string, err error) {
	if h.shared || h.list == nil {
		text, err = d.writeOut(h)
		return text, "", err
	}
	if user := d.userOf(h); user != nil { // the list is this group's own, but another group's hosts are an alias of it
		text, err = d.writeOut(user)
		return text, "", err
	}
	if h.pattern.isRange() {
		text, err = d.splitRange(h, host)
		return text, "", err
	}
	from, to, whole := 0, 0, true
	if isFlow(h.list) {
		from, to, whole = d.ownLines(h.key)
	} else {
		from, to = d.block(h.key)
		if !d.startsLine(h.key) {
			return "", "", lineError(h.key.Line, "%s does not stand at the beginning of its line", host)
		}
	}
	if whole {
		text, entry = d.takeLines(from, to, h.key.Column-1, mark{group: h.group, since: since})
		return text, nameFlow(plainEntry(entry)), nil
	}
	return d.takeInline(h, since)
}

// takeLines turns lines into marks, or removes them if the mark has no date. Empty lines become marks too: within a text they count.
// Comments that stand no deeper than the key stay what they are.
func (d *yamlDoc) takeLines(from, to, indent int, m mark) (text, entry string) {
	e := edit(d.lines)
	var parts []string
	for i := from; i < to; i++ {
		full := d.lines[i].text
		margin := min(indent, indentOf(full))
		if indentOf(full) <= indent && strings.TrimSpace(full) != "" && isIdle(full) {
			continue
		}
		m.entry = full[margin:]
		parts = append(parts, m.entry)
		if e.set(i); m.since != "" {
			e.set(i, d.lines[from].text[:indent]+m.String())
		}
	}
	return e.result(), strings.Join(parts, "\n")
}

// takeInline cuts an entry out of a flow mapping on one line; its mark stands on a line of its own above.
func (d *yamlDoc) takeInline(h *yamlHost, since string) (string, string, error) {
	text, entry, nth := d.cutFlow(h.list, h.key, nil)
	if strings.Contains(entry, "\n") {
		return "", "", lineError(h.key.Line, "the entry of %s begins in the middle of a line and goes over several; write the hosts one a line", h.key.Value)
	}
	if entry = nameFlow(entry); since == "" || entry == "" {
		return text, entry, nil
	}
	e := edit(splitLines(text))
	above := h.key.Line - 2
	indent := d.lines[h.key.Line-1].text[:indentOf(d.lines[h.key.Line-1].text)]
	e.insert(above, indent+mark{group: h.group, since: since, nth: nth, entry: entry}.String())
	return e.result(), entry, nil
}

// splitRange writes a range's entry as several: the host by itself, what is before and after it as ranges, each with the same text.
func (d *yamlDoc) splitRange(h *yamlHost, host string) (string, error) {
	if anchored(h.value) {
		return "", lineError(h.key.Line, "the range %s has an anchor in its value, so that it cannot be written twice", h.key.Value)
	}
	pieces, err := splitAt(h.pattern.hosts, host)
	if err != nil {
		return "", lineError(h.key.Line, "%v", err)
	}
	if isFlow(h.list) {
		return d.splitFlow(h, pieces)
	}
	from, to := d.block(h.key)
	e := edit(d.lines)
	var texts []string
	for _, p := range pieces {
		for i := from; i < to; i++ {
			text := d.lines[i].text
			if i == from {
				if text, err = d.renamed(h, text, d.offset(h.key), p.pattern); err != nil {
					return "", err
				}
			}
			texts = append(texts, text)
		}
	}
	for i := from; i < to; i++ {
		e.set(i)
	}
	e.set(from, texts...)
	return e.result(), nil
}

func (d *yamlDoc) splitFlow(h *yamlHost, pieces []piece) (string, error) {
	_, entry, _ := d.cutFlow(h.list, h.key, nil)
	var texts []string
	for _, p := range pieces {
		text, err := d.renamed(h, entry, 0, p.pattern)
		if err != nil {
			return "", err
		}
		texts = append(texts, text)
	}
	text, _, _ := d.cutFlow(h.list, h.key, texts)
	return text, nil
}

// renamed is an entry's text with another name for its key, which begins at `at`.
func (d *yamlDoc) renamed(h *yamlHost, text string, at int, name string) (string, error) {
	name = h.pattern.prefix + name + h.pattern.suffix
	for _, quote := range []string{"", `"`, "'"} {
		old := quote + h.key.Value + quote
		if strings.HasPrefix(text[at:], old) {
			return text[:at] + quote + name + quote + text[at+len(old):], nil
		}
	}
	return "", lineError(h.key.Line, "the range %s is written in a way that cannot be split", h.key.Value)
}

func anchored(n *yaml.Node) bool {
	if n.Anchor != "" {
		return true
	}
	for _, c := range n.Content {
		if anchored(c) {
			return true
		}
	}
	return false
}

// writeOut replaces `hosts: *alias` or `hosts: name` by the names one a line. Variables need no copy: a host has them wherever they stand.
func (d *yamlDoc) writeOut(h *yamlHost) (string, error) {
	g := d.listOf(h)
	if g == nil || g.shared || !d.startsLine(g.hostsKey) || g.hosts.Kind == yaml.MappingNode {
		return "", lineError(h.key.Line, "the hosts of %s come through an alias or a merge, and other groups have them too; write out the hosts of %s by name", h.group, h.group)
	}
	from, to := d.block(g.hostsKey)
	if to != from+1 {
		return "", lineError(from+1, "the hosts of %s are not on one line", h.group)
	}
	old := d.lines[from].text
	indent := old[:indentOf(old)]
	_, length, _ := keyOf(old[len(indent):])
	first := indent + old[len(indent):len(indent)+length] + ":"
	if i := strings.Index(old, " #"); i >= 0 {
		first += "  " + old[i+1:]
	}
	texts := []string{first}
	for i := range d.hosts {
		if each := &d.hosts[i]; each.group == h.group && d.listOf(each) == g {
			texts = append(texts, fmt.Sprintf("%s  %s", indent, d.entryOf(each.key.Value)))
		}
	}
	e := edit(d.lines)
	e.set(from, texts...)
	return e.result(), nil
}

// listOf is the group's place that the entry was read from.
func (d *yamlDoc) listOf(h *yamlHost) *yamlGroup {
	for i := range d.groups {
		g := &d.groups[i]
		if g.name != h.group || g.hostsKey == nil {
			continue
		}
		if list, _ := follow(g.hosts, false); list == h.list || h.list == nil && list == h.key {
			return g
		}
	}
	return nil
}
