package yamldoc

import (
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/inventory/source"
)

// AddVars gives host variables, as written in entries, in the last entry that still names it. A range stays a range: the host gets an entry of
// its own beside it. A comment above says where they come from, so that DropKept can remove them.
func (d *Doc) AddVars(host, group string, entries, names []string) (string, error) {
	for i := len(d.hosts) - 1; i >= 0; i-- {
		h := &d.hosts[i]
		if h.is(h.group, host) && !h.shared && h.list != nil {
			return d.extend(h, host, source.KeptComment(group), rawPairs(entries, names))
		}
	}
	return "", nil
}

// extend adds `name: value` texts to one host's entry.
func (d *Doc) extend(h *hostNode, host, comment string, texts []string) (string, error) {
	value, shared := follow(h.value, false)
	switch {
	case shared:
		return "", source.LineError(h.key.Line, "the variables of %s come through an alias, so that none can be added", h.key.Value)
	case !h.pattern.IsRange() && isFlow(value):
		return d.insertFlow(value, texts, 0)
	case isFlow(h.list):
		return "", source.LineError(h.key.Line, "%s has no mapping of variables here to add some to; write one: {}", h.key.Value)
	}
	_, to := d.block(h.key)
	indent := strings.Repeat(" ", h.key.Column-1)
	e := source.EditLines(d.lines)
	if h.pattern.IsRange() {
		e.Insert(to-1, indent+comment, indent+d.EntryOf(host))
		indent += "  "
	} else if indent += "  "; len(value.Content) > 0 {
		indent = strings.Repeat(" ", value.Content[0].Column-1)
	}
	for _, t := range texts {
		if !h.pattern.IsRange() {
			e.Insert(to-1, indent+comment)
		}
		e.Insert(to-1, indentedBy(t, indent)...)
	}
	return e.Result(), nil
}

// DropKept removes what AddVars added for host: a comment, and the key below it.
func (d *Doc) DropKept(host string) (string, error) {
	e := source.EditLines(d.lines)
	for i := range d.hosts {
		h := &d.hosts[i]
		if !h.is(h.group, host) || h.shared || h.list == nil || isFlow(h.list) || h.pattern.IsRange() {
			continue
		}
		if d.isKept(h.key.Line - 1) {
			from, to := d.block(h.key)
			d.remove(e, from-1, to)
			continue
		}
		for k := 0; k+1 < len(h.value.Content); k += 2 {
			if key := h.value.Content[k]; d.isKept(key.Line - 1) {
				from, to := d.block(key)
				d.remove(e, from-1, to)
			}
		}
	}
	return e.Result(), nil
}

func (d *Doc) remove(e *source.Editor, from, to int) {
	for i := from; i < to; i++ {
		e.Set(i)
	}
}

// isKept tells whether the line above line i is AddVars' comment.
func (d *Doc) isKept(i int) bool {
	return i > 0 && strings.HasPrefix(strings.TrimSpace(d.lines[i-1].Text), "# kept from [") && source.KeptForm.MatchString(d.lines[i-1].Text)
}

// rawPairs finds the text of variables in entries.
func rawPairs(entries, names []string) []string {
	var out []string
	for _, entry := range entries {
		doc, err := Parse("g:\n  hosts:\n" + strings.Join(indentedBy(entry, "    "), "\n"))
		if err != nil || len(doc.hosts) != 1 {
			continue
		}
		found, err := doc.pairs(doc.hosts[0].value, false)
		if err != nil {
			continue
		}
		for _, p := range found {
			if !slices.Contains(names, p.key.Value) {
				continue
			}
			if isFlow(doc.hosts[0].value) {
				text := source.JoinLines(doc.lines)
				start := doc.at(p.key)
				out = append(out, strings.TrimSpace(text[start:flowEnd(text, start)]))
				continue
			}
			from, to := doc.block(p.key)
			var lines []string
			for i := from; i < to; i++ {
				text := doc.lines[i].Text
				lines = append(lines, text[min(p.key.Column-1, indentOf(text)):])
			}
			out = append(out, strings.Join(lines, "\n"))
		}
	}
	return out
}
