package yamldoc

import (
	"fmt"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/inventory/source"
)

// looksTyped matches plain words that YAML 1.1, Ansible's version, does not read as text.
var looksTyped = regexp.MustCompile(`^(?i:yes|no|on|off|true|false|null|~|[-+]?[0-9][0-9_:.]*)$`)

// isIP is true for an IP address: 192.0.2.1 is text in YAML, while 192.0 and 1:30 are numbers.
func isIP(s string) bool { return strings.Count(s, ".") == 3 }

func (d *Doc) variables(n *yaml.Node) ([]source.Variable, error) {
	found, err := d.pairs(n, false)
	var out []source.Variable
	for _, p := range found {
		var b strings.Builder
		if err := d.canon(&b, p.value, 0); err != nil {
			return nil, err
		}
		out = append(out, source.Variable{Name: p.key.Value, Value: b.String()})
	}
	return out, err
}

// canon writes a value so that two values are equal if and only if Ansible would read the same.
func (d *Doc) canon(b *strings.Builder, n *yaml.Node, depth int) error {
	if d.budget--; d.budget < 0 || depth > 100 {
		return source.LineError(n.Line, "too many nested aliases")
	}
	n, _ = follow(n, false)
	fmt.Fprintf(b, "%s %q(", n.Tag, n.Value)
	for _, c := range n.Content {
		if err := d.canon(b, c, depth+1); err != nil {
			return err
		}
	}
	b.WriteString(")")
	return nil
}

func (d *Doc) Read(m *source.Meaning) {
	for _, g := range d.groups {
		m.Group(g.name).Declared = true
		if g.parent != "" {
			m.AddChild(g.parent, g.name)
		}
		for _, v := range g.vars {
			var b strings.Builder
			if d.canon(&b, v.value, 0) == nil {
				m.Group(g.name).Vars[v.key.Value] = b.String()
			}
		}
	}
	for _, h := range d.hosts {
		for _, name := range h.names {
			m.AddHost(h.group, name, h.pattern.Port, h.vars)
		}
	}
}

func (d *Doc) ReadEntries(m *source.Meaning, host string, entries []string) {
	for _, text := range entries {
		var root yaml.Node
		if yaml.Unmarshal([]byte(text), &root) != nil || len(root.Content) != 1 || len(root.Content[0].Content) != 2 {
			continue
		}
		if vars, err := (&Doc{budget: 1 << 16}).variables(root.Content[0].Content[1]); err == nil {
			m.AddHost("", host, source.ParsePattern(root.Content[0].Content[0].Value).Port, vars)
		}
	}
}

func (d *Doc) EntryOf(host string) string {
	typed := looksTyped.MatchString(host) && !isIP(host)
	if typed || strings.Contains(host, ": ") || strings.HasSuffix(host, ":") || strings.IndexByte("[{&*!|>%@`'\"#-?:,]}", host[0]) >= 0 {
		return fmt.Sprintf("%q:", host)
	}
	return host + ":"
}
