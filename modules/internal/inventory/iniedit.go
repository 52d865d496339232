package inventory

import (
	"fmt"
	"strings"
)

func (d *ini) editor() *editor {
	raw := make([]line, len(d.lines))
	for i := range d.lines {
		raw[i] = d.lines[i].line
	}
	return edit(raw)
}

// names tells whether the line puts host into group.
func (l *iniLine) names(group, host string) bool {
	if l.kind != hostLine || l.group != group {
		return false
	}
	for _, h := range l.hosts {
		if h == host {
			return true
		}
	}
	return false
}

// split is the line cut at host: one text for each part, the host's own among them. Each keeps the line's variables and comment.
func (l *iniLine) split(host string) ([]piece, error) {
	if !l.pattern.isRange() {
		return []piece{{l.text, true}}, nil
	}
	word := l.words[0]
	if l.text[word.start:word.end] != word.value {
		return nil, fmt.Errorf("the range %s is quoted; write it without quotes", word.value)
	}
	pieces, err := splitAt(l.pattern.hosts, host)
	for i := range pieces {
		name := l.pattern.prefix + pieces[i].pattern + l.pattern.suffix
		pieces[i].pattern = l.text[:word.start] + name + l.text[word.end:]
	}
	return pieces, err
}

// takeOut removes host's entries from group. With a date each one stays as a mark, without one nothing stays.
func (d *ini) takeOut(group, host, since string) (string, []string, error) {
	e := d.editor()
	var entries []string
	for i := range d.lines {
		if !d.lines[i].names(group, host) {
			continue
		}
		pieces, err := d.lines[i].split(host)
		if err != nil {
			return "", nil, lineError(i+1, "%v", err)
		}
		texts := []string{}
		for _, p := range pieces {
			switch {
			case !p.leaves:
				texts = append(texts, p.pattern)
			case since != "":
				texts = append(texts, mark{group: group, since: since, entry: p.pattern}.String())
				fallthrough
			default:
				entries = append(entries, p.pattern)
			}
		}
		e.set(i, texts...)
	}
	return e.result(), entries, nil
}

// marks returns what host left behind, in the order of the file.
func (d *ini) marks(host string) []mark {
	var out []mark
	for i := range d.lines {
		if d.lines[i].isMarkOf(host) {
			out = append(out, d.lines[i].mark)
		}
	}
	return out
}

func (l *iniLine) isMarkOf(host string) bool {
	if l.kind != markLine || !strings.Contains(l.mark.entry, host) {
		return false
	}
	entry := iniLine{line: line{text: l.mark.entry}}
	return entry.parseHost() == nil && len(entry.hosts) == 1 && entry.hosts[0] == host
}

// restore puts entries where the newest marks of host in group stand; more entries than marks follow the last one.
func (d *ini) restore(group, host string, entries []string) (string, bool) {
	var at []int
	var found []mark
	for i := range d.lines {
		l := &d.lines[i]
		if l.isMarkOf(host) && l.mark.group == group && l.group == group && l.part == "hosts" {
			at, found = append(at, i), append(found, l.mark)
		}
	}
	if len(found) == 0 {
		return "", false
	}
	latest := newest(found)[0].since
	e := d.editor()
	last := -1
	for i, m := range found {
		if m.since == latest && len(entries) > 0 {
			e.set(at[i], entries[0])
			entries, last = entries[1:], at[i]
		}
	}
	e.insert(last, entries...)
	return e.result(), true
}

// hosts finds the sections that hold hosts of group; used is the last line of each that is a host or a mark, or its header.
func (d *ini) sections(group, part string) (headers, used []int) {
	for i := range d.lines {
		l := &d.lines[i]
		if l.group != group || l.part != part || l.kind == empty {
			continue
		}
		if l.kind == header {
			headers, used = append(headers, i), append(used, i)
		} else if len(used) > 0 {
			used[len(used)-1] = i
		}
	}
	return headers, used
}

func (d *ini) defines(group string) bool {
	headers, _ := d.sections(group, "hosts")
	return len(headers) > 0
}

// put adds entries to group, after its last host, or before its first one. The group has a section here.
func (d *ini) put(group string, entries []string, first bool) (string, error) {
	headers, used := d.sections(group, "hosts")
	at := used[0]
	for i := range headers {
		if used[i] == headers[i] {
			continue // an empty section
		}
		if at = used[i]; first {
			at = headers[i]
			break
		}
	}
	e := d.editor()
	e.insert(at, entries...)
	return e.result(), nil
}

// addVars gives host variables, as written in entries, by a line of its own below the last one that names it. A host may have several
// lines in a group, so no other line changes, and dropKept can take this one away again.
func (d *ini) addVars(host, group string, entries, names []string) (string, error) {
	text := host
	for _, name := range names {
		text += " " + rawVariable(entries, name)
	}
	for i := len(d.lines) - 1; i >= 0; i-- {
		if l := &d.lines[i]; l.names(l.group, host) {
			e := d.editor()
			e.insert(i, l.indent()+text+"  "+keptComment(group))
			return e.result(), nil
		}
	}
	return "", nil
}

func (d *ini) dropKept(host string) (string, error) {
	e := d.editor()
	for i := range d.lines {
		if l := &d.lines[i]; l.names(l.group, host) && keptForm.MatchString(l.text) {
			e.set(i)
		}
	}
	return e.result(), nil
}

// rawVariable finds the last `name=value` of entries, quotes and all.
func rawVariable(entries []string, name string) string {
	raw := ""
	for _, text := range entries {
		entry := iniLine{line: line{text: text}}
		if entry.parseHost() != nil {
			continue
		}
		for i, v := range entry.variables() {
			if v.name == name {
				raw = text[entry.words[i+1].start:entry.words[i+1].end]
			}
		}
		if name == "ansible_port" && raw == "" && entry.pattern.port != "" {
			raw = "ansible_port=" + entry.pattern.port
		}
	}
	return raw
}

// where is the line of host in group, as an entry or as a mark; 0 if it is not here.
func (d *ini) where(group, host string) int {
	found := 0
	for i := range d.lines {
		l := &d.lines[i]
		if l.names(group, host) {
			return i + 1
		}
		if found == 0 && l.isMarkOf(host) && l.mark.group == group {
			found = i + 1
		}
	}
	return found
}

// heading is the header of the section in which line i stands, for the diff.
func (d *ini) heading(i int) string {
	for ; i >= 0 && i < len(d.lines); i-- {
		if d.lines[i].kind == header {
			return d.lines[i].text
		}
	}
	return ""
}
