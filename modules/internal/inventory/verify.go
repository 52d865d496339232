package inventory

import (
	"fmt"
	"maps"
	"slices"

	"etcd-quorum-restore/modules/internal/fault"
)

// verify compares what Ansible reads before and after: beside what was asked for, nothing may differ.
func (w *work) verify(before, after *Meaning) error {
	if err := w.achieved(after); err != nil {
		return err
	}
	if before.Hosts[w.r.Host] != nil && after.Hosts[w.r.Host] != nil && !maps.Equal(before.Hosts[w.r.Host], after.Hosts[w.r.Host]) {
		return w.refuse("the variables of %s would change", w.r.Host)
	}
	if name := after.undeclared(); name != "" && len(w.Dynamic) == 0 {
		return w.refuse("the group %s would be mentioned and not declared", name)
	}
	a, b := w.blank(before), w.blank(after)
	for name := range union(a.Hosts, b.Hosts) {
		if !maps.Equal(a.Hosts[name], b.Hosts[name]) || (a.Hosts[name] == nil) != (b.Hosts[name] == nil) {
			return w.refuse("the host %s would change too", name)
		}
	}
	for name := range union(a.Groups, b.Groups) {
		if what := difference(a.Groups[name], b.Groups[name]); what != "" {
			return w.refuse("the %s of group %s would change too", what, name)
		}
	}
	return nil
}

func (w *work) achieved(after *Meaning) error {
	r := w.r
	isMember := slices.Contains(after.all(r.Group), r.Host)
	switch {
	case isMember != r.Present:
		return w.refuse("the host would be a member: %v", isMember)
	case r.Present && r.From != "" && after.isMember(r.From, r.Host):
		return w.refuse("the host would still be in %s", r.From)
	case r.First && after.all(r.Group)[0] != r.Host:
		return w.refuse("the host would not be the first one")
	}
	return nil
}

func (w *work) refuse(format string, a ...any) error {
	return fault.New(fault.Refused, "the edit of [%s] for %s is not exact (%s); nothing was changed", w.r.Group, w.r.Host, fmt.Sprintf(format, a...)).
		WithHint("make this change by hand, and `ansible-inventory --list` shows its effect")
}

// blank is a copy of m without what the request may change: the host in its two groups, groups of our own that came or went, and
// what such a group needs from its base.
func (w *work) blank(m *Meaning) *Meaning {
	out := newMeaning()
	for name, vars := range m.Hosts {
		if name != w.r.Host {
			out.Hosts[name] = vars
		}
	}
	for name, g := range m.Groups {
		if !w.made[name] {
			out.Groups[name] = w.blankGroup(name, *g, m)
		}
	}
	return out
}

func (w *work) blankGroup(name string, g Group, m *Meaning) *Group {
	if name == w.r.Group || name == w.r.From {
		g.Hosts = without(g.Hosts, w.r.Host)
	}
	g.Children = slices.DeleteFunc(slices.Clone(g.Children), func(c string) bool {
		return w.made[c] || w.listed[c] || name == w.r.Group && slices.Contains(w.folded, c)
	})
	if name == w.r.Group && len(w.folded) > 0 {
		g.Hosts = without(m.all(name), w.r.Host)
		slices.Sort(g.Hosts)
	}
	if w.listed[name] {
		g.Vars = maps.Clone(g.Vars)
		maps.DeleteFunc(g.Vars, func(k, v string) bool { return m.isCopy(name, k, v) })
	}
	return &g
}

// isCopy tells whether another group has the same variable: a group of our own has copies of its base's.
func (m *Meaning) isCopy(group, name, value string) bool {
	for other, g := range m.Groups {
		if have, ok := g.Vars[name]; ok && have == value && other != group {
			return true
		}
	}
	return false
}

func difference(a, b *Group) string {
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

func union[V any](a, b map[string]V) map[string]bool {
	out := map[string]bool{}
	for k := range a {
		out[k] = true
	}
	for k := range b {
		out[k] = true
	}
	return out
}
