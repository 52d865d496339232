package inventory

import (
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/inventory/source"
)

// marked finds the host's marks: in the group itself, else in From, else anywhere.
func (w *work) marked() []entries {
	for _, group := range []string{w.r.Group, w.r.From, ""} {
		var out []entries
		var latest []source.Mark
		for i := range w.Sources {
			var here []source.Mark
			for _, m := range w.Sources[i].doc.Marks(w.r.Host) {
				if m.Group == group || group == "" {
					here = append(here, m)
				}
			}
			if here = source.Newest(here); len(here) == 0 || len(latest) > 0 && here[0].Since < latest[0].Since {
				continue
			}
			if len(latest) > 0 && here[0].Since > latest[0].Since {
				out = nil
			}
			latest = here
			var texts []string
			for _, m := range here {
				texts = append(texts, m.Entry)
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
func (w *work) home(m *source.Meaning) int {
	for _, group := range []string{w.r.Group, w.base} {
		for i := range w.Sources {
			if group != "" && w.Sources[i].doc.Defines(group) {
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
		if text, found := w.Sources[i].doc.Restore(r.Group, r.Host, texts); found {
			return w.set(i, text, nil)
		}
	}
	for _, i := range order {
		texts, ok := w.translate(e, i)
		if ok && w.Sources[i].doc.Defines(r.Group) {
			text, err := w.Sources[i].doc.Put(r.Group, texts, false)
			return w.set(i, text, err)
		}
	}
	return w.placeAnew(e)
}

// placeSame restores entries that a mark still holds, word for word, each in its own file.
func (w *work) placeSame(e *entries, order []int) error {
	for _, i := range order {
		if !w.same(e.source, i) {
			continue
		}
		var same, rest []string
		for _, text := range e.texts {
			if slices.ContainsFunc(w.Sources[i].doc.Marks(w.r.Host), func(m source.Mark) bool {
				return m.Group == w.r.Group && source.Squeeze(m.Entry) == source.Squeeze(text)
			}) {
				same = append(same, text)
			} else {
				rest = append(rest, text)
			}
		}
		if len(same) == 0 {
			continue
		}
		if text, found := w.Sources[i].doc.Restore(w.r.Group, w.r.Host, same); found {
			if err := w.set(i, text, nil); err != nil {
				return err
			}
			e.texts = rest
		}
	}
	return nil
}

// placeAnew makes the group where its parents need it, else beside the entry's own source.
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
		if ok && w.Sources[i].doc.Defines(w.r.Group) {
			text, err := w.Sources[i].doc.Put(w.r.Group, texts, false)
			return w.set(i, text, err)
		}
	}
	doc := w.Sources[e.source].doc
	text, err := doc.AddGroup(w.r.Group, w.base, nil, nil)
	if err := w.set(e.source, text, err); err != nil {
		return err
	}
	text, err = w.Sources[e.source].doc.Put(w.r.Group, e.texts, false)
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

// translate gives an entry the form of another source. That is possible where the formats agree, or where the entry is only a name.
func (w *work) translate(e entries, to int) ([]string, bool) {
	if w.same(e.source, to) {
		return e.texts, true
	}
	if len(e.texts) == 1 && strings.TrimSpace(e.texts[0]) == w.Sources[e.source].doc.EntryOf(w.r.Host) {
		return []string{w.Sources[to].doc.EntryOf(w.r.Host)}, true
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
	if all := m.All(r.Group); len(all) > 0 && all[0] == r.Host {
		return nil
	}
	if !m.IsMember(r.Group, r.Host) {
		return fault.New(fault.Refused, "%s is in %s through a child group, so it cannot be made its first host; nothing was changed", r.Host, r.Group).
			WithHint("name the hosts of [%s] in the section itself, %s first", r.Group, r.Host)
	}
	taken, err := w.takeOut(r.Group, "")
	if err != nil {
		return err
	}
	for i := range w.Sources {
		one := source.NewMeaning()
		w.Sources[i].doc.Read(one)
		if len(one.Members(r.Group)) == 0 {
			continue
		}
		var texts []string
		for _, e := range taken {
			if more, ok := w.translate(e, i); ok {
				texts = append(texts, more...)
			}
		}
		if len(texts) > 0 {
			text, err := w.Sources[i].doc.Put(r.Group, texts, true)
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
