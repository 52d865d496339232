package yamldoc

import (
	"fmt"
	"maps"
	"strings"

	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/inventory/source"
)

// TakeOut removes host's entries from group, one after the other, since each edit moves the lines below it.
func (d *Doc) TakeOut(group, host, since string) (string, []string, error) {
	var entries []string
	doc := d
	for {
		h := doc.find(group, host)
		if h == nil {
			return source.JoinLines(doc.lines), entries, nil
		}
		text, entry, err := doc.takeOne(h, host, since)
		if err != nil {
			return "", nil, err
		}
		if entry != "" { // else the edit only wrote the entry out
			entries = append(entries, entry)
		}
		next, err := Parse(text)
		if err != nil {
			return "", nil, breaks(h, err)
		}
		if text == source.JoinLines(doc.lines) {
			return "", nil, source.LineError(h.key.Line, "the entry of %s is written in a way that cannot be edited; write the hosts one a line", h.key.Value)
		}
		if entry == "" && !means(doc, next) {
			return "", nil, source.LineError(h.key.Line, "the hosts of %s have variables through an alias that is no other group's list; write them out", h.group)
		}
		doc = next
	}
}

// means tells whether two documents mean the same: to write out a range or an alias must change nothing.
func means(a, b *Doc) bool {
	was, is := source.NewMeaning(), source.NewMeaning()
	a.Read(was)
	b.Read(is)
	for name := range source.Union(was.Groups, is.Groups) {
		if source.Difference(was.Groups[name], is.Groups[name]) != "" {
			return false
		}
	}
	return maps.EqualFunc(was.Hosts, is.Hosts, func(x, y source.Vars) bool { return maps.Equal(x, y) })
}

// breaks says why the file could not be read without the entry; usually its value has an anchor that other entries need.
func breaks(h *hostNode, err error) error {
	if anchored(h.value) {
		return source.LineError(h.key.Line, "the entry of %s defines an anchor that is used elsewhere; define it at another place", h.key.Value)
	}
	return source.LineError(h.key.Line, "without the entry of %s the file could not be read: %v", h.key.Value, err)
}

// userOf is a host of another place whose list is an alias of this entry's list.
func (d *Doc) userOf(h *hostNode) *hostNode {
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

func (d *Doc) find(group, host string) *hostNode {
	for i := range d.hosts {
		if d.hosts[i].is(group, host) {
			return &d.hosts[i]
		}
	}
	return nil
}

func (d *Doc) takeOne(h *hostNode, host, since string) (text, entry string, err error) {
	if h.shared || h.list == nil {
		text, err = d.writeOut(h)
		return text, "", err
	}
	if user := d.userOf(h); user != nil { // the list is this group's own, but another group's hosts are an alias of it
		text, err = d.writeOut(user)
		return text, "", err
	}
	if h.pattern.IsRange() {
		text, err = d.splitRange(h, host)
		return text, "", err
	}
	from, to, whole := 0, 0, true
	if isFlow(h.list) {
		from, to, whole = d.ownLines(h.key)
	} else {
		from, to = d.block(h.key)
		if !d.startsLine(h.key) {
			return "", "", source.LineError(h.key.Line, "%s does not stand at the beginning of its line", host)
		}
	}
	if whole {
		text, entry = d.takeLines(from, to, h.key.Column-1, source.Mark{Group: h.group, Since: since})
		return text, nameFlow(plainEntry(entry)), nil
	}
	return d.takeInline(h, since)
}

// takeLines turns lines into marks, or removes them if the mark has no date. Empty lines become marks too: within a text they count. Comments
// that are not deeper than the key stay as they are.
func (d *Doc) takeLines(from, to, indent int, m source.Mark) (text, entry string) {
	e := source.EditLines(d.lines)
	var parts []string
	for i := from; i < to; i++ {
		full := d.lines[i].Text
		margin := min(indent, indentOf(full))
		if indentOf(full) <= indent && strings.TrimSpace(full) != "" && isIdle(full) {
			continue
		}
		m.Entry = full[margin:]
		parts = append(parts, m.Entry)
		if e.Set(i); m.Since != "" {
			e.Set(i, d.lines[from].Text[:indent]+m.String())
		}
	}
	return e.Result(), strings.Join(parts, "\n")
}

// takeInline cuts an entry out of a flow mapping on one line; its mark is on a line of its own above.
func (d *Doc) takeInline(h *hostNode, since string) (string, string, error) {
	text, entry, nth := d.cutFlow(h.list, h.key, nil)
	if strings.Contains(entry, "\n") {
		return "", "", source.LineError(h.key.Line, "the entry of %s begins in the middle of a line and goes over several; write the hosts one a line", h.key.Value)
	}
	if entry = nameFlow(entry); since == "" || entry == "" {
		return text, entry, nil
	}
	e := source.EditLines(source.SplitLines(text))
	above := h.key.Line - 2
	indent := d.lines[h.key.Line-1].Text[:indentOf(d.lines[h.key.Line-1].Text)]
	e.Insert(above, indent+source.Mark{Group: h.group, Since: since, Nth: nth, Entry: entry}.String())
	return e.Result(), entry, nil
}

// splitRange writes a range's entry as several: the host by itself, what is before and after it as ranges, each with the same text.
func (d *Doc) splitRange(h *hostNode, host string) (string, error) {
	if anchored(h.value) {
		return "", source.LineError(h.key.Line, "the range %s has an anchor in its value, so that it cannot be written twice", h.key.Value)
	}
	pieces, err := source.SplitAt(h.pattern.Hosts, host)
	if err != nil {
		return "", source.LineError(h.key.Line, "%v", err)
	}
	if isFlow(h.list) {
		return d.splitFlow(h, pieces)
	}
	from, to := d.block(h.key)
	e := source.EditLines(d.lines)
	var texts []string
	for _, p := range pieces {
		for i := from; i < to; i++ {
			text := d.lines[i].Text
			if i == from {
				if text, err = d.renamed(h, text, d.offset(h.key), p.Pattern); err != nil {
					return "", err
				}
			}
			texts = append(texts, text)
		}
	}
	for i := from; i < to; i++ {
		e.Set(i)
	}
	e.Set(from, texts...)
	return e.Result(), nil
}

func (d *Doc) splitFlow(h *hostNode, pieces []source.Piece) (string, error) {
	_, entry, _ := d.cutFlow(h.list, h.key, nil)
	var texts []string
	for _, p := range pieces {
		text, err := d.renamed(h, entry, 0, p.Pattern)
		if err != nil {
			return "", err
		}
		texts = append(texts, text)
	}
	text, _, _ := d.cutFlow(h.list, h.key, texts)
	return text, nil
}

// renamed is an entry's text with another name for its key, which begins at `at`.
func (d *Doc) renamed(h *hostNode, text string, at int, name string) (string, error) {
	name = h.pattern.Prefix + name + h.pattern.Suffix
	for _, quote := range []string{"", `"`, "'"} {
		old := quote + h.key.Value + quote
		if strings.HasPrefix(text[at:], old) {
			return text[:at] + quote + name + quote + text[at+len(old):], nil
		}
	}
	return "", source.LineError(h.key.Line, "the range %s is written in a way that cannot be split", h.key.Value)
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

// writeOut replaces `hosts: *alias` or `hosts: name` by the names, one a line. Variables need no copy: a host has them wherever they are written.
func (d *Doc) writeOut(h *hostNode) (string, error) {
	g := d.listOf(h)
	if g == nil || g.shared || !d.startsLine(g.hostsKey) || g.hosts.Kind == yaml.MappingNode {
		return "", source.LineError(h.key.Line, "the hosts of %s come through an alias or a merge, and other groups have them too; write out the hosts of %s by name", h.group, h.group)
	}
	from, to := d.block(g.hostsKey)
	if to != from+1 {
		return "", source.LineError(from+1, "the hosts of %s are not on one line", h.group)
	}
	old := d.lines[from].Text
	indent := old[:indentOf(old)]
	_, length, _ := keyOf(old[len(indent):])
	first := indent + old[len(indent):len(indent)+length] + ":"
	if i := strings.Index(old, " #"); i >= 0 {
		first += "  " + old[i+1:]
	}
	texts := []string{first}
	for i := range d.hosts {
		if each := &d.hosts[i]; each.group == h.group && d.listOf(each) == g {
			texts = append(texts, fmt.Sprintf("%s  %s", indent, d.EntryOf(each.key.Value)))
		}
	}
	e := source.EditLines(d.lines)
	e.Set(from, texts...)
	return e.Result(), nil
}

// listOf is the group's place that the entry was read from.
func (d *Doc) listOf(h *hostNode) *groupNode {
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
