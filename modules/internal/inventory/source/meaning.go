package source

import (
	"maps"
	"slices"
)

// Vars are variables as written: INI values as text, YAML values in one canonical form.
type Vars map[string]string

// Group is what the files say about a group itself, without what it inherits.
type Group struct {
	Hosts    []string
	Children []string
	Vars     Vars

	Declared bool            // by a section, or by a key; a mention as child or in [group:vars] is not enough
	known    map[string]bool // Hosts as a set: a group of 10,000 would otherwise take 10,000 × 10,000 comparisons
}

// Meaning is what Ansible reads from the sources, as far as an edit could change it.
type Meaning struct {
	Groups map[string]*Group
	Hosts  map[string]Vars // the variables that host entries set; the last entry wins
}

func NewMeaning() *Meaning {
	return &Meaning{Groups: map[string]*Group{}, Hosts: map[string]Vars{}}
}

func (m *Meaning) Group(name string) *Group {
	g := m.Groups[name]
	if g == nil {
		g = &Group{Vars: Vars{}, known: map[string]bool{}}
		m.Groups[name] = g
	}
	return g
}

// Undeclared names a group that is only mentioned, or "". Ansible reads no INI file with such a mention.
func (m *Meaning) Undeclared() string {
	for name, g := range m.Groups {
		if !g.Declared && name != "all" && name != "ungrouped" {
			return name
		}
		for _, c := range g.Children {
			if m.Groups[c] == nil && c != "all" && c != "ungrouped" {
				return c
			}
		}
	}
	return ""
}

// Names tells whether name is that of a host or of a group.
func (m *Meaning) Names(name string) bool { return m.Hosts[name] != nil || m.Groups[name] != nil }

// Members returns the direct hosts of a group, also of one that does not exist.
func (m *Meaning) Members(group string) []string {
	if g := m.Groups[group]; g != nil {
		return g.Hosts
	}
	return nil
}

func (m *Meaning) IsMember(group, host string) bool {
	g := m.Groups[group]
	return g != nil && g.known[host]
}

// AddHost follows Ansible: a port counts only where the host is named first, variables of a later entry win.
func (m *Meaning) AddHost(group, host, port string, vars []Variable) {
	known := m.Hosts[host]
	if known == nil {
		known = Vars{}
		m.Hosts[host] = known
		if port != "" {
			known["ansible_port"] = port
		}
	}
	for _, v := range vars {
		known[v.Name] = v.Value
	}
	m.join(group, host)
}

// join keeps the first of several mentions, as Ansible does.
func (m *Meaning) join(group, host string) {
	g := m.Group(group)
	if !g.known[host] {
		g.known[host] = true
		g.Hosts = append(g.Hosts, host)
	}
}

func (m *Meaning) AddChild(parent, child string) {
	g := m.Group(parent)
	if !slices.Contains(g.Children, child) {
		g.Children = append(g.Children, child)
	}
}

// Parents lists the groups that have child among their children.
func (m *Meaning) Parents(child string) []string {
	var out []string
	for name, g := range m.Groups {
		if slices.Contains(g.Children, child) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Through returns the path from group down to the child group that names host, or nil. Hosts of group itself are not looked at.
func (m *Meaning) Through(group, host string) []string {
	return m.descend(group, host, map[string]bool{group: true})
}

func (m *Meaning) descend(group, host string, seen map[string]bool) []string {
	g := m.Groups[group]
	if g == nil {
		return nil
	}
	for _, child := range g.Children {
		if seen[child] {
			continue // a cycle: Ansible refuses it itself
		}
		seen[child] = true
		if m.IsMember(child, host) {
			return []string{child}
		}
		if rest := m.descend(child, host, seen); rest != nil {
			return append([]string{child}, rest...)
		}
	}
	return nil
}

// All lists the hosts of a group and of its children, in Ansible's order.
func (m *Meaning) All(group string) []string {
	out := []string{}
	groups, hosts := map[string]bool{}, map[string]bool{}
	var walk func(string)
	walk = func(name string) {
		if groups[name] || m.Groups[name] == nil {
			return
		}
		groups[name] = true
		for _, h := range m.Groups[name].Hosts {
			if !hosts[h] {
				hosts[h] = true
				out = append(out, h)
			}
		}
		for _, c := range m.Groups[name].Children {
			walk(c)
		}
	}
	walk(group)
	return out
}

// Variable is one of a host or a group, its value as Vars have it.
type Variable struct{ Name, Value string }

func Without(list []string, s string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(each string) bool { return each == s })
}

func Difference(a, b *Group) string {
	switch {
	case (a == nil) != (b == nil):
		return "existence"
	case a == nil:
		return ""
	case !slices.Equal(a.Hosts, b.Hosts):
		return "hosts"
	case !slices.Equal(a.Children, b.Children):
		return "children"
	case !maps.Equal(a.Vars, b.Vars):
		return "variables"
	}
	return ""
}

func Union[V any](a, b map[string]V) map[string]bool {
	out := map[string]bool{}
	for k := range a {
		out[k] = true
	}
	for k := range b {
		out[k] = true
	}
	return out
}

// Clash names a variable that group (or a group above it) and child (or one below it) both set, to different values: which one wins depends on
// the depth of the groups, and an edit changes that.
func (m *Meaning) Clash(group, child string) string {
	above, below := map[string]bool{}, map[string]bool{}
	m.walk(group, m.Parents, above)
	m.walk(child, func(g string) []string {
		if m.Groups[g] == nil {
			return nil
		}
		return m.Groups[g].Children
	}, below)
	for a := range above {
		for b := range below {
			if m.Groups[a] == nil || m.Groups[b] == nil {
				continue
			}
			for name, value := range m.Groups[a].Vars {
				if other, both := m.Groups[b].Vars[name]; both && other != value && a != b {
					return name
				}
			}
		}
	}
	return ""
}

func (m *Meaning) walk(from string, next func(string) []string, seen map[string]bool) {
	if seen[from] {
		return
	}
	seen[from] = true
	for _, g := range next(from) {
		m.walk(g, next, seen)
	}
}
