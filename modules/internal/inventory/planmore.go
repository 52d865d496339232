package inventory

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/fault"
)

// place puts entries into the group: where marks of the host stand, else at its end, else into a new section.
func (w *work) place(e entries) error {
	r := w.r
	order := append([]int{e.source}, w.others(e.source)...)
	if err := w.placeSame(&e, order); err != nil || len(e.texts) == 0 {
		return err
	}
	for _, i := range order {
		texts, ok := w.translate(e, i)
		if !ok {
			continue
		}
		if text, found := w.Sources[i].doc.restore(r.Group, r.Host, texts); found {
			return w.set(i, text, nil)
		}
	}
	for _, i := range order {
		texts, ok := w.translate(e, i)
		if ok && w.Sources[i].doc.defines(r.Group) {
			text, err := w.Sources[i].doc.put(r.Group, texts, false)
			return w.set(i, text, err)
		}
	}
	return w.placeAnew(e)
}

// placeSame puts those entries back that a mark still holds, word for word, each into its own file.
func (w *work) placeSame(e *entries, order []int) error {
	for _, i := range order {
		if !w.same(e.source, i) {
			continue
		}
		var same, rest []string
		for _, text := range e.texts {
			if slices.ContainsFunc(w.Sources[i].doc.marks(w.r.Host), func(m mark) bool {
				return m.group == w.r.Group && squeeze(m.entry) == squeeze(text)
			}) {
				same = append(same, text)
			} else {
				rest = append(rest, text)
			}
		}
		if len(same) == 0 {
			continue
		}
		if text, found := w.Sources[i].doc.restore(w.r.Group, w.r.Host, same); found {
			if err := w.set(i, text, nil); err != nil {
				return err
			}
			e.texts = rest
		}
	}
	return nil
}

// placeAnew makes the group where its parents need it, or else beside the entry's own source.
func (w *work) placeAnew(e entries) error {
	m := w.Meaning()
	if w.base == "" && m.Groups[w.r.Group] == nil {
		return fault.New(fault.Refused, "there is no group %q in the inventory; nothing was changed", w.r.Group).
			WithHint("add a section [%s], and name it in the groups that it belongs to (such as [OSEv3:children])", w.r.Group)
	}
	if err := w.ensureGroup(m); err != nil {
		return err
	}
	for _, i := range append([]int{e.source}, w.others(e.source)...) {
		texts, ok := w.translate(e, i)
		if ok && w.Sources[i].doc.defines(w.r.Group) {
			text, err := w.Sources[i].doc.put(w.r.Group, texts, false)
			return w.set(i, text, err)
		}
	}
	doc := w.Sources[e.source].doc
	text, err := doc.addGroup(w.r.Group, w.base, nil, nil)
	if err := w.set(e.source, text, err); err != nil {
		return err
	}
	text, err = w.Sources[e.source].doc.put(w.r.Group, e.texts, false)
	return w.set(e.source, text, err)
}

func (w *work) others(i int) []int {
	var out []int
	for k := range w.Sources {
		if k != i {
			out = append(out, k)
		}
	}
	return out
}

// translate gives an entry the form of another source: possible where the formats agree, or where it is a name and nothing else.
func (w *work) translate(e entries, to int) ([]string, bool) {
	if w.same(e.source, to) {
		return e.texts, true
	}
	if len(e.texts) == 1 && strings.TrimSpace(e.texts[0]) == w.Sources[e.source].doc.entryOf(w.r.Host) {
		return []string{w.Sources[to].doc.entryOf(w.r.Host)}, true
	}
	return nil, false
}

func (w *work) set(i int, text string, err error) error {
	if err == nil {
		err = w.replace(i, text)
	}
	if err != nil {
		return inFile(w.Sources[i].Path, err)
	}
	return nil
}

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
	if files := w.Logins[w.base]; len(files) > 0 && len(w.Logins[w.r.Group]) == 0 && !m.isMember(w.r.Group, w.r.Host) {
		w.warnings = append(w.warnings, fmt.Sprintf("%s sets connection variables for [%s]; %s does not have them in [%s]: copy them to group_vars/%s.yml",
			strings.Join(files, ", "), w.base, w.r.Host, w.r.Group, w.r.Group))
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

// keepVars: variables on a host's line are the host's in all groups. Where it is still named elsewhere (a master, say), the variables
// that it had by the taken line alone move to the last line that names it.
func (w *work) keepVars(group string, taken []entries) error {
	for _, e := range taken {
		have := w.Meaning().Hosts[w.r.Host]
		if have == nil {
			return nil
		}
		one := newMeaning()
		w.Sources[e.source].doc.readEntries(one, w.r.Host, e.texts)
		var lost []string
		for name, value := range one.Hosts[w.r.Host] {
			if have[name] != value && w.before.Hosts[w.r.Host][name] == value {
				lost = append(lost, name)
			}
		}
		if len(lost) == 0 {
			continue
		}
		slices.Sort(lost)
		if err := w.give(group, e, lost); err != nil {
			return err
		}
	}
	return nil
}

// dropKept takes variables away that keepVars put on other lines, now that the host's own entry is back. Where that would change a
// value, they stay.
func (w *work) dropKept() {
	had := w.Meaning().Hosts[w.r.Host]
	trial := w.clone()
	for i := range trial.Sources {
		text, err := trial.Sources[i].doc.dropKept(w.r.Host)
		if err != nil || trial.replace(i, text) != nil {
			return
		}
	}
	if maps.Equal(had, trial.Meaning().Hosts[w.r.Host]) {
		w.Set = trial
	}
}

func (w *work) give(group string, e entries, lost []string) error {
	for _, i := range append(w.others(e.source), e.source) {
		if !w.same(i, e.source) {
			continue
		}
		text, err := w.Sources[i].doc.addVars(w.r.Host, group, e.texts, lost)
		if err == nil && text != "" {
			return w.set(i, text, nil)
		}
		if err != nil {
			return inFile(w.Sources[i].Path, err)
		}
	}
	return fault.New(fault.Refused, "%s has the variables %s on its line in the group that it leaves, and is still in other groups; nothing was changed",
		w.r.Host, strings.Join(lost, ", ")).WithHint("write them on another line of the host, or in host_vars/%s.yml, and run this again", w.r.Host)
}

// toFront moves the host's entry before all others of the group.
func (w *work) toFront() error {
	r := w.r
	m := w.Meaning()
	if all := m.all(r.Group); len(all) > 0 && all[0] == r.Host {
		return nil
	}
	if !m.isMember(r.Group, r.Host) {
		return fault.New(fault.Refused, "%s is in %s through a child group, so it cannot be made its first host; nothing was changed", r.Host, r.Group).
			WithHint("name the hosts of [%s] in the section itself, %s first", r.Group, r.Host)
	}
	taken, err := w.takeOut(r.Group, "")
	if err != nil {
		return err
	}
	for i := range w.Sources {
		one := newMeaning()
		w.Sources[i].doc.read(one)
		if len(one.members(r.Group)) == 0 {
			continue
		}
		for _, e := range taken {
			if texts, ok := w.translate(e, i); ok {
				text, err := w.Sources[i].doc.put(r.Group, texts, true)
				return w.set(i, text, err)
			}
		}
	}
	return fault.New(fault.Refused, "the first host of [%s] is in a file of another format; nothing was changed", r.Group).
		WithHint("write the line of %s there by hand", r.Host)
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
