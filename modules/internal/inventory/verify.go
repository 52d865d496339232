package inventory

import (
	"fmt"
	"maps"
	"slices"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/inventory/source"
)

// verify compares what Ansible reads before and after: only what was asked for may differ.
func (w *work) verify(before, after *source.Meaning) error {
	if err := w.achieved(after); err != nil {
		return err
	}
	if before.Hosts[w.r.Host] != nil && after.Hosts[w.r.Host] != nil && !maps.Equal(before.Hosts[w.r.Host], after.Hosts[w.r.Host]) {
		return w.refuse("the variables of %s would change", w.r.Host)
	}
	if name := after.Undeclared(); name != "" && len(w.Dynamic) == 0 {
		return w.refuse("the group %s would be mentioned and not declared", name)
	}
	a, b := w.blank(before), w.blank(after)
	for name := range source.Union(a.Hosts, b.Hosts) {
		if !maps.Equal(a.Hosts[name], b.Hosts[name]) || (a.Hosts[name] == nil) != (b.Hosts[name] == nil) {
			if !before.Names(name) {
				name = source.Hidden // a piece of text that would be read as a name
			}
			return w.refuse("the host %s would change too", name)
		}
	}
	for name := range source.Union(a.Groups, b.Groups) {
		if what := source.Difference(a.Groups[name], b.Groups[name]); what != "" {
			return w.refuse("the %s of group %s would change too", what, name)
		}
	}
	return nil
}

func (w *work) achieved(after *source.Meaning) error {
	r := w.r
	isMember := slices.Contains(after.All(r.Group), r.Host)
	switch {
	case isMember != r.Present:
		return w.refuse("the host would be a member: %v", isMember)
	case r.Present && r.From != "" && after.IsMember(r.From, r.Host):
		return w.refuse("the host would still be in %s", r.From)
	case r.First && after.All(r.Group)[0] != r.Host:
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
func (w *work) blank(m *source.Meaning) *source.Meaning {
	out := source.NewMeaning()
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

func (w *work) blankGroup(name string, g source.Group, m *source.Meaning) *source.Group {
	if name == w.r.Group || name == w.r.From {
		g.Hosts = source.Without(g.Hosts, w.r.Host)
	}
	g.Children = slices.DeleteFunc(slices.Clone(g.Children), func(c string) bool {
		return w.made[c] || w.listed[c] || name == w.r.Group && slices.Contains(w.folded, c)
	})
	if name == w.r.Group && len(w.folded) > 0 {
		g.Hosts = source.Without(m.All(name), w.r.Host)
		slices.Sort(g.Hosts)
	}
	if w.listed[name] {
		g.Vars = maps.Clone(g.Vars)
		maps.DeleteFunc(g.Vars, func(k, v string) bool { return isCopy(m, name, k, v) })
	}
	return &g
}

// isCopy tells whether another group has the same variable: a group of our own has copies of its base's.
func isCopy(m *source.Meaning, group, name, value string) bool {
	for other, g := range m.Groups {
		if have, ok := g.Vars[name]; ok && have == value && other != group {
			return true
		}
	}
	return false
}
