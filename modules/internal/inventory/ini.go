package inventory

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
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

// iniLine is a line of an INI inventory and what it says.
type iniLine struct {
	line
	kind  kind
	group string // the section's group
	part  string // the section's part: hosts, children, vars
	own   bool   // a header or child that this package made

	name    string   // child: the group; setting: the variable
	value   string   // setting
	words   []token  // hostLine: the pattern, then the variables
	pattern pattern  // hostLine
	hosts   []string // hostLine: the names that the pattern stands for
	mark    mark     // markLine
}

// ini is an inventory file in INI format.
type ini struct{ lines []iniLine }

var (
	section  = regexp.MustCompile(`^\[([^:\]\s]+)(?::(\w+))?\]\s*(#.*)?$`)
	childRef = regexp.MustCompile(`^([^:\]\s]+)\s*(#.*)?$`)
)

func parseINI(data string) (*ini, error) {
	raw := splitLines(data)
	if err := checkText(raw); err != nil {
		return nil, err
	}
	doc := &ini{lines: make([]iniLine, len(raw))}
	group, part := "ungrouped", "hosts"
	for i, l := range raw {
		parsed := iniLine{line: l}
		if err := parsed.parse(&group, &part); err != nil {
			return nil, lineError(i+1, "%v", err)
		}
		doc.lines[i] = parsed
	}
	return doc, nil
}

// parse reads one line; group and part say in which section it stands, and change at a header.
func (l *iniLine) parse(group, part *string) error {
	text := trim(l.text)
	l.group, l.part = *group, *part
	if text == "" || text[0] == '#' || text[0] == ';' {
		if m, ok := parseMark(l.text); ok {
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
		l.kind, l.group, l.part, l.own = header, m[1], m[2], m[3] == ownComment
		return nil
	}
	if text[0] == '[' && text[len(text)-1] == ']' {
		return fmt.Errorf("%s is not a section header that Ansible accepts", text)
	}
	switch *part {
	case "vars":
		return l.parseSetting(text)
	case "children":
		return l.parseChild(text)
	}
	return l.parseHost()
}

// trim takes off what Python takes for blank.
func trim(s string) string { return strings.TrimFunc(s, unicode.IsSpace) }

func (l *iniLine) parseSetting(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok {
		return fmt.Errorf("expected variable=value in [%s:vars]", l.group)
	}
	l.kind = setting
	l.name, l.value = trim(name), trim(value)
	return nil
}

func (l *iniLine) parseChild(text string) error {
	m := childRef.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("expected the name of a group in [%s:children], got %q", l.group, text)
	}
	l.kind, l.name, l.own = childEntry, m[1], m[2] == ownComment
	return nil
}

func (l *iniLine) parseHost() error {
	body := strings.TrimRightFunc(l.text, unicode.IsSpace)
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
	l.kind, l.words, l.pattern = hostLine, words, parsePattern(words[0].value)
	if l.pattern.port == "" && strings.HasSuffix(words[0].value, ":") {
		return fmt.Errorf("the host %q ends in a colon", words[0].value)
	}
	l.hosts, err = l.pattern.names()
	return err
}

func (l *iniLine) variables() []variable {
	var out []variable
	for _, w := range l.words[1:] {
		name, value, _ := strings.Cut(w.value, "=")
		out = append(out, variable{name, value})
	}
	return out
}

func (d *ini) read(m *Meaning) {
	for i := range d.lines {
		l := &d.lines[i]
		switch l.kind {
		case header:
			g := m.group(l.group)
			g.declared = g.declared || l.part != "vars"
		case childEntry:
			m.addChild(l.group, l.name)
		case setting:
			m.group(l.group).Vars[l.name] = l.value
		case hostLine:
			vars := l.variables()
			for _, h := range l.hosts {
				m.addHost(l.group, h, l.pattern.port, vars)
			}
		}
	}
}
