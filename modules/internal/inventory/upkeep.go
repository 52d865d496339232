package inventory

import (
	"fmt"
	"slices"
	"strings"
)

// baseOf is the group that Group stages hosts for: From, or "etcd" for "new_etcd". Its parents must be Group's parents too, else a
// moved host loses the login that it has through [OSEv3:vars].
func (w *work) baseOf(m *Meaning) string {
	r := w.r
	base := r.From
	if base == "" {
		base = strings.TrimPrefix(r.Group, "new_")
	}
	if base == r.Group || m.Groups[base] == nil || strings.TrimPrefix(base, "new_") == r.Group {
		return ""
	}
	return base
}

// ensureGroup sees to it that Group is a child of base's parents, and that its hosts can be logged in to as base's are.
func (w *work) ensureGroup(m *Meaning) error {
	if w.base == "" {
		return nil
	}
	existed := m.Groups[w.r.Group] != nil
	missing := w.missingParents(m)
	settings := w.missingSettings(m)
	for i := range w.Sources {
		doc := w.Sources[i].doc
		var here []string
		for _, p := range missing {
			if doc.lists(p, w.base) {
				here = append(here, p)
			}
		}
		names := settings
		if !doc.defines(w.base) && len(here) == 0 {
			continue
		}
		if existed && len(here) == 0 && len(settings) == 0 {
			continue
		}
		text, err := doc.addGroup(w.r.Group, w.base, here, names)
		if err := w.set(i, text, err); err != nil {
			return err
		}
		w.made[w.r.Group] = w.made[w.r.Group] || !existed
		w.listed[w.r.Group] = true
		existed, settings = true, nil
		for _, p := range here {
			missing = without(missing, p)
		}
	}
	return nil
}

// warnLogin names the files of group_vars that a host of base could be logged in to by, since they are not edited.
func (w *work) warnLogin() {
	if files := w.Logins[w.base]; len(files) > 0 && len(w.Logins[w.r.Group]) == 0 {
		w.warnings = append(w.warnings, fmt.Sprintf("%s sets connection variables for [%s]; %s does not have them in [%s]: copy them to group_vars/%s.yml",
			strings.Join(files, ", "), w.base, w.r.Host, w.r.Group, w.r.Group))
	}
}

func (w *work) missingParents(m *Meaning) []string {
	var out []string
	for _, p := range m.parents(w.base) {
		if p != w.r.Group && !slices.Contains(m.parents(w.r.Group), p) {
			out = append(out, p)
		}
	}
	return out
}

// missingSettings are the connection variables that a host has in base alone.
func (w *work) missingSettings(m *Meaning) []string {
	var out []string
	group, host := m.Groups[w.r.Group], m.Hosts[w.r.Host]
	for name := range m.Groups[w.base].Vars {
		_, hostHas := host[name]
		groupHas := false
		if group != nil {
			_, groupHas = group.Vars[name]
		}
		if strings.HasPrefix(name, "ansible_") && !hostHas && !groupHas {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// dropIfEmpty takes a group away that this package made, once its last host has left.
func (w *work) dropIfEmpty(group string) error {
	m := w.Meaning()
	if len(m.members(group)) > 0 {
		return nil
	}
	for i := range w.Sources {
		if w.Sources[i].doc.inUse(group) {
			return nil
		}
	}
	trial := w.clone()
	for i := range trial.Sources {
		text, err := trial.Sources[i].doc.dropGroup(group)
		if err != nil || trial.replace(i, text) != nil {
			return nil // it is only a tidying: the empty section may stay
		}
	}
	after := trial.Meaning()
	if after.Groups[group] == nil && len(after.parents(group)) > 0 {
		return nil // another section names it as a child, and Ansible reads no file with an unknown child
	}
	w.made[group] = m.Groups[group] != nil && after.Groups[group] == nil
	w.listed[group] = true
	w.Set = trial
	return nil
}
