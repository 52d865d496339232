// Package ini reads and edits inventories in INI format, line by line: general parsers take `master-[0:2].example.com` for a key and a value.
package ini

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"etcd-quorum-restore/modules/internal/inventory/source"
)

type kind int

const (
	empty      kind = iota // blank, or a comment that is not ours
	header                 // [group], [group:children], [group:vars]
	hostLine               // a host or a range of hosts
	childEntry             // a group's name in [group:children]
	setting                // k=v in [group:vars]
	markLine               // `# out of [etcd] since …: …`
)

// parsedLine is a line of an INI inventory with its meaning.
type parsedLine struct {
	source.Line
	kind  kind
	group string // the section's group
	part  string // the section's part: hosts, children, vars
	own   bool   // a header or child that this package made

	name    string         // child: the group; setting: the variable
	value   string         // setting
	words   []token        // hostLine: the pattern, then the variables
	pattern source.Pattern // hostLine
	hosts   []string       // hostLine: the names that the pattern stands for
	mark    source.Mark    // markLine
}

// Doc is an inventory file in INI format.
type Doc struct{ lines []parsedLine }

var (
	section  = regexp.MustCompile(`^\[([^:\]\s]+)(?::(\w+))?\]\s*(#.*)?$`)
	childRef = regexp.MustCompile(`^([^:\]\s]+)\s*(#.*)?$`)
)

func Parse(data string) (*Doc, error) {
	raw := source.SplitLines(data)
	if err := source.CheckText(raw); err != nil {
		return nil, err
	}
	doc := &Doc{lines: make([]parsedLine, len(raw))}
	group, part := "ungrouped", "hosts"
	for i, l := range raw {
		parsed := parsedLine{Line: l}
		if err := parsed.parse(&group, &part); err != nil {
			return nil, source.LineError(i+1, "%v", err)
		}
		doc.lines[i] = parsed
	}
	return doc, nil
}

// parse reads one line; group and part say in which section it stands, and change at a header.
func (l *parsedLine) parse(group, part *string) error {
	text := trim(l.Text)
	l.group, l.part = *group, *part
	if text == "" || text[0] == '#' || text[0] == ';' {
		if m, ok := source.ParseMark(l.Text); ok {
			l.kind, l.mark = markLine, m
		}
		return nil
	}
	if m := section.FindStringSubmatch(text); m != nil {
		if m[2] == "" {
			m[2] = "hosts"
		}
		if !slices.Contains([]string{"hosts", "children", "vars"}, m[2]) {
			return fmt.Errorf("section [%s:%s]: expected :children or :vars after the group's name", m[1], m[2])
		}
		*group, *part = m[1], m[2]
		l.kind, l.group, l.part, l.own = header, m[1], m[2], m[3] == source.OwnComment
		return nil
	}
	if text[0] == '[' && text[len(text)-1] == ']' {
		return errors.New("this is not a section header that Ansible accepts; expected [group], [group:children] or [group:vars]")
	}
	switch *part {
	case "vars":
		return l.parseSetting(text)
	case "children":
		return l.parseChild(text)
	}
	return l.parseHost()
}

// trim removes what Python takes for blank.
func trim(s string) string { return strings.TrimFunc(s, unicode.IsSpace) }

func (l *parsedLine) parseSetting(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok {
		return fmt.Errorf("expected variable=value in [%s:vars]", l.group)
	}
	l.kind = setting
	l.name, l.value = trim(name), trim(value)
	return nil
}

func (l *parsedLine) parseChild(text string) error {
	m := childRef.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("expected the name of a group, and nothing else, in [%s:children]", l.group)
	}
	l.kind, l.name, l.own = childEntry, m[1], m[2] == source.OwnComment
	return nil
}

func (l *parsedLine) parseHost() error {
	body := strings.TrimRightFunc(l.Text, unicode.IsSpace)
	start := len(body) - len(strings.TrimLeftFunc(body, unicode.IsSpace))
	words, err := splitWords(body[start:])
	if err != nil {
		return err
	}
	if len(words) == 0 || words[0].value == "" || words[0].value == "---" {
		return fmt.Errorf("expected the name of a host")
	}
	for i := range words {
		words[i].start += start
		words[i].end += start
	}
	for i, w := range words[1:] {
		if !strings.Contains(w.value, "=") { // the word itself may be a part of a password with a blank in it
			return fmt.Errorf("word %d after the host has no =; expected variable=value", i+1)
		}
	}
	l.kind, l.words, l.pattern = hostLine, words, source.ParsePattern(words[0].value)
	if l.pattern.Port == "" && strings.HasSuffix(words[0].value, ":") {
		return fmt.Errorf("the host %s ends in a colon", source.Visible(words[0].value))
	}
	if l.hosts, err = l.pattern.Names(); err != nil {
		return fmt.Errorf("%s: %w", source.Visible(words[0].value), err)
	}
	return nil
}

func (l *parsedLine) variables() []source.Variable {
	var out []source.Variable
	for _, w := range l.words[1:] {
		name, value, _ := strings.Cut(w.value, "=")
		out = append(out, source.Variable{Name: name, Value: value})
	}
	return out
}

func (d *Doc) Read(m *source.Meaning) {
	for i := range d.lines {
		l := &d.lines[i]
		switch l.kind {
		case header:
			g := m.Group(l.group)
			g.Declared = g.Declared || l.part != "vars"
		case childEntry:
			m.AddChild(l.group, l.name)
		case setting:
			m.Group(l.group).Vars[l.name] = l.value
		case hostLine:
			vars := l.variables()
			for _, h := range l.hosts {
				m.AddHost(l.group, h, l.pattern.Port, vars)
			}
		}
	}
}
