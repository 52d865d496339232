package inventory

import (
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/fault"
)

// marked finds what the host left behind: in the group itself, else in From, else anywhere.
func (w *work) marked() []entries {
	for _, group := range []string{w.r.Group, w.r.From, ""} {
		var out []entries
		var latest []mark
		for i := range w.Sources {
			var here []mark
			for _, m := range w.Sources[i].doc.marks(w.r.Host) {
				if m.group == group || group == "" {
					here = append(here, m)
				}
			}
			if here = newest(here); len(here) == 0 || len(latest) > 0 && here[0].since < latest[0].since {
				continue
			}
			if len(latest) > 0 && here[0].since > latest[0].since {
				out = nil
			}
			latest = here
			var texts []string
			for _, m := range here {
				texts = append(texts, m.entry)
			}
			out = append(out, entries{i, texts})
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// home is the source for a bare entry: where the group is, else where its base is, else the first one.
func (w *work) home(m *Meaning) int {
	for _, group := range []string{w.r.Group, w.base} {
		for i := range w.Sources {
			if group != "" && w.Sources[i].doc.defines(group) {
				return i
			}
		}
	}
	return 0
}

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
		return w.cannot(w.Sources[i].Path, err)
	}
	return nil
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
		var texts []string
		for _, e := range taken {
			if more, ok := w.translate(e, i); ok {
				texts = append(texts, more...)
			}
		}
		if len(texts) > 0 {
			text, err := w.Sources[i].doc.put(r.Group, texts, true)
			return w.set(i, text, err)
		}
	}
	return fault.New(fault.Refused, "the first host of [%s] is in a file of another format; nothing was changed", r.Group).
		WithHint("write the line of %s there by hand", r.Host)
}

func (w *work) unknown() error {
	return fault.New(fault.Refused, "no file of the inventory names %s, not even in a comment of a host that left; nothing was changed", w.r.Host).
		WithHint("write its line, with ansible_host and what else it needs, under [%s], and run this again", w.r.Group)
}
