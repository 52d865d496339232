package inventory

import (
	"slices"
	"strings"
)

// addVars gives host variables, as written in entries, in the last entry that still names it. A range stays one: the host gets an entry
// of its own beside it. A comment above says where they come from, so that dropKept can take them away again.
func (d *yamlDoc) addVars(host, group string, entries, names []string) (string, error) {
	for i := len(d.hosts) - 1; i >= 0; i-- {
		h := &d.hosts[i]
		if h.is(h.group, host) && !h.shared && h.list != nil {
			return d.extend(h, host, keptComment(group), rawPairs(entries, names))
		}
	}
	return "", nil
}

// extend adds `name: value` texts to one host's entry.
func (d *yamlDoc) extend(h *yamlHost, host, comment string, texts []string) (string, error) {
	value, shared := follow(h.value, false)
	switch {
	case shared:
		return "", lineError(h.key.Line, "the variables of %s come through an alias, so that none can be added", h.key.Value)
	case !h.pattern.isRange() && isFlow(value):
		return d.insertFlow(value, texts, 0)
	case isFlow(h.list):
		return "", lineError(h.key.Line, "%s has no mapping of variables here to add some to; write one: {}", h.key.Value)
	}
	_, to := d.block(h.key)
	indent := strings.Repeat(" ", h.key.Column-1)
	e := edit(d.lines)
	if h.pattern.isRange() {
		e.insert(to-1, indent+comment, indent+d.entryOf(host))
		indent += "  "
	} else if indent += "  "; len(value.Content) > 0 {
		indent = strings.Repeat(" ", value.Content[0].Column-1)
	}
	for _, t := range texts {
		if !h.pattern.isRange() {
			e.insert(to-1, indent+comment)
		}
		e.insert(to-1, indentedBy(t, indent)...)
	}
	return e.result(), nil
}

// dropKept removes what addVars added for host: a comment, and the key below it.
func (d *yamlDoc) dropKept(host string) (string, error) {
	e := edit(d.lines)
	for i := range d.hosts {
		h := &d.hosts[i]
		if !h.is(h.group, host) || h.shared || h.list == nil || isFlow(h.list) || h.pattern.isRange() {
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
	return e.result(), nil
}

func (d *yamlDoc) remove(e *editor, from, to int) {
	for i := from; i < to; i++ {
		e.set(i)
	}
}

// isKept tells whether the line above line i is addVars' comment.
func (d *yamlDoc) isKept(i int) bool {
	return i > 0 && strings.HasPrefix(strings.TrimSpace(d.lines[i-1].text), "# kept from [") && keptForm.MatchString(d.lines[i-1].text)
}

// rawPairs finds the text of variables in entries.
func rawPairs(entries, names []string) []string {
	var out []string
	for _, entry := range entries {
		doc, err := parseYAML("g:\n  hosts:\n" + strings.Join(indentedBy(entry, "    "), "\n"))
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
				text := joinLines(doc.lines)
				start := doc.at(p.key)
				out = append(out, strings.TrimSpace(text[start:flowEnd(text, start)]))
				continue
			}
			from, to := doc.block(p.key)
			var lines []string
			for i := from; i < to; i++ {
				text := doc.lines[i].text
				lines = append(lines, text[min(p.key.Column-1, indentOf(text)):])
			}
			out = append(out, strings.Join(lines, "\n"))
		}
	}
	return out
}
