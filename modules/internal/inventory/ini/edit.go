package ini

import (
	"fmt"
	"strings"

	"etcd-quorum-restore/modules/internal/inventory/source"
)

func (d *Doc) editor() *source.Editor {
	raw := make([]source.Line, len(d.lines))
	for i := range d.lines {
		raw[i] = d.lines[i].Line
	}
	return source.EditLines(raw)
}

// names tells whether the line puts host into group.
func (l *parsedLine) names(group, host string) bool {
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

// split cuts the line at host: one text for each part, the host's own among them. Each keeps the line's variables and comment.
func (l *parsedLine) split(host string) ([]source.Piece, error) {
	if !l.pattern.IsRange() {
		return []source.Piece{{Pattern: l.Text, Leaves: true}}, nil
	}
	word := l.words[0]
	if l.Text[word.start:word.end] != word.value {
		return nil, fmt.Errorf("the range %s is quoted; write it without quotes", word.value)
	}
	pieces, err := source.SplitAt(l.pattern.Hosts, host)
	for i := range pieces {
		name := l.pattern.Prefix + pieces[i].Pattern + l.pattern.Suffix
		pieces[i].Pattern = l.Text[:word.start] + name + l.Text[word.end:]
	}
	return pieces, err
}

// TakeOut removes host's entries from group. With a date each one stays as a mark, without one nothing stays.
func (d *Doc) TakeOut(group, host, since string) (string, []string, error) {
	e := d.editor()
	var entries []string
	for i := range d.lines {
		if !d.lines[i].names(group, host) {
			continue
		}
		pieces, err := d.lines[i].split(host)
		if err != nil {
			return "", nil, source.LineError(i+1, "%v", err)
		}
		texts := []string{}
		for _, p := range pieces {
			switch {
			case !p.Leaves:
				texts = append(texts, p.Pattern)
			case since != "":
				texts = append(texts, source.Mark{Group: group, Since: since, Entry: p.Pattern}.String())
				fallthrough
			default:
				entries = append(entries, p.Pattern)
			}
		}
		e.Set(i, texts...)
	}
	return e.Result(), entries, nil
}

// Marks returns the marks of host, in the order of the file.
func (d *Doc) Marks(host string) []source.Mark {
	var out []source.Mark
	for i := range d.lines {
		if d.lines[i].isMarkOf(host) {
			out = append(out, d.lines[i].mark)
		}
	}
	return out
}

func (l *parsedLine) isMarkOf(host string) bool {
	if l.kind != markLine || !strings.Contains(l.mark.Entry, host) {
		return false
	}
	entry := parsedLine{Line: source.Line{Text: l.mark.Entry}}
	return entry.parseHost() == nil && len(entry.hosts) == 1 && entry.hosts[0] == host
}

// Restore puts entries where the newest marks of host in group stand; more entries than marks follow the last one.
func (d *Doc) Restore(group, host string, entries []string) (string, bool) {
	var at []int
	var found []source.Mark
	for i := range d.lines {
		l := &d.lines[i]
		if l.isMarkOf(host) && l.mark.Group == group && l.group == group && l.part == "hosts" {
			at, found = append(at, i), append(found, l.mark)
		}
	}
	if len(found) == 0 {
		return "", false
	}
	latest := source.Newest(found)[0].Since
	e := d.editor()
	last := -1
	for i, m := range found {
		if m.Since == latest && len(entries) > 0 {
			e.Set(at[i], entries[0])
			entries, last = entries[1:], at[i]
		}
	}
	e.Insert(last, entries...)
	return e.Result(), true
}

// sections finds the sections that hold hosts of group; used is the last line of each that is a host or a mark, or its header.
func (d *Doc) sections(group, part string) (headers, used []int) {
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

func (d *Doc) Defines(group string) bool {
	headers, _ := d.sections(group, "hosts")
	return len(headers) > 0
}

// Put adds entries to group, after its last host, or before its first one. The group has a section here.
func (d *Doc) Put(group string, entries []string, first bool) (string, error) {
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
	e.Insert(at, entries...)
	return e.Result(), nil
}

// AddVars gives host variables, as written in entries, by a line of its own below the last one that names it. A host may have several
// lines in a group, so no other line changes, and DropKept can take this one away again.
func (d *Doc) AddVars(host, group string, entries, names []string) (string, error) {
	text := host
	for _, name := range names {
		text += " " + rawVariable(entries, name)
	}
	for i := len(d.lines) - 1; i >= 0; i-- {
		if l := &d.lines[i]; l.names(l.group, host) {
			e := d.editor()
			e.Insert(i, l.indent()+text+"  "+source.KeptComment(group))
			return e.Result(), nil
		}
	}
	return "", nil
}

func (d *Doc) DropKept(host string) (string, error) {
	e := d.editor()
	for i := range d.lines {
		if l := &d.lines[i]; l.names(l.group, host) && source.KeptForm.MatchString(l.Text) {
			e.Set(i)
		}
	}
	return e.Result(), nil
}

// rawVariable finds the last `name=value` of entries, quotes and all.
func rawVariable(entries []string, name string) string {
	raw := ""
	for _, text := range entries {
		entry := parsedLine{Line: source.Line{Text: text}}
		if entry.parseHost() != nil {
			continue
		}
		for i, v := range entry.variables() {
			if v.Name == name {
				raw = text[entry.words[i+1].start:entry.words[i+1].end]
			}
		}
		if name == "ansible_port" && raw == "" && entry.pattern.Port != "" {
			raw = "ansible_port=" + entry.pattern.Port
		}
	}
	return raw
}

// Where is the line of host in group, as an entry or as a mark; 0 if it is not here.
func (d *Doc) Where(group, host string) int {
	found := 0
	for i := range d.lines {
		l := &d.lines[i]
		if l.names(group, host) {
			return i + 1
		}
		if found == 0 && l.isMarkOf(host) && l.mark.Group == group {
			found = i + 1
		}
	}
	return found
}

func (d *Doc) Headings() []int {
	out := make([]int, len(d.lines))
	last := -1
	for i := range d.lines {
		if d.lines[i].kind == header {
			last = i
		}
		out[i] = last
	}
	return out
}

func (d *Doc) Shown(i int, known func(string) bool) string {
	l := &d.lines[i]
	switch l.kind {
	case header:
		text := "[" + l.group + "]"
		if l.part != "hosts" {
			text = "[" + l.group + ":" + l.part + "]"
		}
		return text + ownSuffix(l.own)
	case childEntry:
		return l.shownName(l.name) + ownSuffix(l.own)
	case setting:
		return source.Visible(l.name) + "=" + source.Hidden
	case hostLine:
		return l.shownName(l.words[0].value) + keptSuffix(l.Text)
	case markLine:
		return l.mark.Shown(nameIn(l.mark, known))
	}
	if trim(l.Text) == "" {
		return ""
	}
	return "# " + source.Hidden
}

// shownName is the name at the line's beginning, and … for anything else but our own comments.
func (l *parsedLine) shownName(name string) string {
	if rest := source.KeptForm.ReplaceAllString(strings.TrimSuffix(l.Text, source.OwnComment), ""); trim(rest) == name {
		return source.Visible(name) + ownSuffix(l.kind == hostLine && strings.HasSuffix(l.Text, source.OwnComment))
	}
	return source.Visible(name) + " " + source.Hidden
}

func ownSuffix(own bool) string {
	if own {
		return "  " + source.OwnComment
	}
	return ""
}

func keptSuffix(text string) string {
	if kept := source.KeptForm.FindString(text); kept != "" {
		return "  " + trim(kept)
	}
	return ""
}

// nameIn is the name that the mark's entry begins with, if it is a known one; more is true where something follows it.
func nameIn(m source.Mark, known func(string) bool) (name string, more bool) {
	entry := parsedLine{Line: source.Line{Text: m.Entry}}
	switch {
	case strings.HasSuffix(m.Group, ":children") && entry.parseChild(trim(m.Entry)) == nil && known(entry.name):
		name = entry.name
	case entry.parseHost() == nil && len(entry.hosts) == 1 && known(entry.hosts[0]):
		name = entry.words[0].value
	}
	return name, trim(strings.TrimSuffix(m.Entry, source.OwnComment)) != name
}
