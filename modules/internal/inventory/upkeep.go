package inventory

import (
	"fmt"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/inventory/source"
)

// baseOf is the group that Group stages hosts for: From, or "etcd" for "new_etcd". Its parents must be Group's parents too, or a moved host loses
// the login that it has through [OSEv3:vars].
func (w *work) baseOf(m *source.Meaning) string {
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

// ensureGroup makes Group a child of base's parents, with the login variables of base's hosts.
func (w *work) ensureGroup(m *source.Meaning) error {
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
			if doc.Lists(p, w.base) {
				here = append(here, p)
			}
		}
		names := settings
		if !doc.Defines(w.base) && len(here) == 0 {
			continue
		}
		if existed && len(here) == 0 && len(settings) == 0 {
			continue
		}
		text, err := doc.AddGroup(w.r.Group, w.base, here, names)
		if err := w.set(i, text, err); err != nil {
			return err
		}
		w.made[w.r.Group] = w.made[w.r.Group] || !existed
		w.listed[w.r.Group] = true
		existed, settings = true, nil
		for _, p := range here {
			missing = source.Without(missing, p)
		}
	}
	return nil
}

// warnLogin names the files of group_vars that may hold the login of base's hosts, since they are not edited.
func (w *work) warnLogin() {
	if files := w.Logins[w.base]; len(files) > 0 && len(w.Logins[w.r.Group]) == 0 {
		w.warnings = append(w.warnings, fmt.Sprintf("%s sets connection variables for [%s]; %s does not have them in [%s]: copy them to group_vars/%s.yml",
			strings.Join(files, ", "), w.base, w.r.Host, w.r.Group, w.r.Group))
	}
}

func (w *work) missingParents(m *source.Meaning) []string {
	var out []string
	for _, p := range m.Parents(w.base) {
		if p != w.r.Group && !slices.Contains(m.Parents(w.r.Group), p) {
			out = append(out, p)
		}
	}
	return out
}

// missingSettings are the connection variables that a host has through base only.
func (w *work) missingSettings(m *source.Meaning) []string {
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

// dropIfEmpty removes a group that this package made, once its last host has left.
func (w *work) dropIfEmpty(group string) error {
	m := w.Meaning()
	if len(m.Members(group)) > 0 {
		return nil
	}
	for i := range w.Sources {
		if w.Sources[i].doc.InUse(group) {
			return nil
		}
	}
	trial := w.clone()
	for i := range trial.Sources {
		text, err := trial.Sources[i].doc.DropGroup(group)
		if err != nil || trial.replace(i, text) != nil {
			return nil // it only tidies: the empty section may stay
		}
	}
	after := trial.Meaning()
	if after.Groups[group] == nil && len(after.Parents(group)) > 0 {
		return nil // another section names it as a child, and Ansible reads no file with an unknown child
	}
	w.made[group] = m.Groups[group] != nil && after.Groups[group] == nil
	w.listed[group] = true
	w.Set = trial
	return nil
}
