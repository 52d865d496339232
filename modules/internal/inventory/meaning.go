package inventory

import "slices"

// Vars are variables as written: INI values as text, YAML values in one canonical form.
type Vars map[string]string

// Group is what the files say about a group itself, not what it inherits.
type Group struct {
	Hosts    []string
	Children []string
	Vars     Vars

	declared bool            // by a section, or by a key; a mention as child or in [group:vars] is not enough
	known    map[string]bool // Hosts as a set: a group of 10,000 would else take 10,000 × 10,000 comparisons
}

// Meaning is what Ansible reads from the sources, as far as an edit could change it.
type Meaning struct {
	Groups map[string]*Group
	Hosts  map[string]Vars // the variables that host entries set; the last entry wins
}

func newMeaning() *Meaning {
	return &Meaning{Groups: map[string]*Group{}, Hosts: map[string]Vars{}}
}

func (m *Meaning) group(name string) *Group {
	g := m.Groups[name]
	if g == nil {
		g = &Group{Vars: Vars{}, known: map[string]bool{}}
		m.Groups[name] = g
	}
	return g
}

// undeclared names a group that is mentioned only, or "". Ansible reads no INI file with such a mention.
func (m *Meaning) undeclared() string {
	for name, g := range m.Groups {
		if !g.declared && name != "all" && name != "ungrouped" {
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

// members returns the direct hosts of a group, also of one that does not exist.
func (m *Meaning) members(group string) []string {
	if g := m.Groups[group]; g != nil {
		return g.Hosts
	}
	return nil
}

func (m *Meaning) isMember(group, host string) bool {
	g := m.Groups[group]
	return g != nil && g.known[host]
}

// addHost follows Ansible: a port counts only where the host is named first, variables of a later entry win.
func (m *Meaning) addHost(group, host, port string, vars []variable) {
	known := m.Hosts[host]
	if known == nil {
		known = Vars{}
		m.Hosts[host] = known
		if port != "" {
			known["ansible_port"] = port
		}
	}
	for _, v := range vars {
		known[v.name] = v.value
	}
	m.join(group, host)
}

// join keeps the first of several mentions, as Ansible does.
func (m *Meaning) join(group, host string) {
	g := m.group(group)
	if !g.known[host] {
		g.known[host] = true
		g.Hosts = append(g.Hosts, host)
	}
}

func (m *Meaning) addChild(parent, child string) {
	g := m.group(parent)
	if !slices.Contains(g.Children, child) {
		g.Children = append(g.Children, child)
	}
}

// parents lists the groups that have child among their children.
func (m *Meaning) parents(child string) []string {
	var out []string
	for name, g := range m.Groups {
		if slices.Contains(g.Children, child) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// through returns the path from group down to the child group that names host, or nil. Hosts of group itself are not looked at.
func (m *Meaning) through(group, host string) []string {
	return m.descend(group, host, map[string]bool{group: true})
}

func (m *Meaning) descend(group, host string, seen map[string]bool) []string {
	g := m.Groups[group]
	if g == nil {
		return nil
	}
	for _, child := range g.Children {
		if seen[child] {
			continue // a cycle, which Ansible refuses by itself
		}
		seen[child] = true
		if m.isMember(child, host) {
			return []string{child}
		}
		if rest := m.descend(child, host, seen); rest != nil {
			return append([]string{child}, rest...)
		}
	}
	return nil
}

// all lists the hosts of a group and of its children, in Ansible's order.
func (m *Meaning) all(group string) []string {
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

type variable struct{ name, value string }
