package inventory

import (
	"slices"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/inventory/source"
)

// Many sites write `[etcd:children]` and `masters` below it. A host cannot leave such a group alone: so the child's entry becomes a mark,
// and the child's hosts are named in the group itself, the leaving host as a mark. Once all are back, the child's entry comes back too.

// unfold takes the host out of the group's children.
func (w *work) unfold(m *source.Meaning) error {
	group, host := w.r.Group, w.r.Host
	for _, child := range slices.Clone(m.Groups[group].Children) {
		hosts := m.All(child)
		if !slices.Contains(hosts, host) {
			continue
		}
		if name := m.Clash(group, child); name != "" {
			return fault.New(fault.Refused, "%s is in [%s] through its child group [%s], and both groups set %s, so that writing out the hosts could change its value; nothing was changed",
				host, group, child, name).WithHint("set %s in one of the two groups, or name the hosts of [%s] in the section itself", name, group)
		}
		if !w.unfoldIn(child, hosts) {
			return w.refuseChild(m, child)
		}
		w.folded = append(w.folded, child)
	}
	return nil
}

func (w *work) unfoldIn(child string, hosts []string) bool {
	for i := range w.Sources {
		doc := w.Sources[i].doc
		if !doc.Lists(w.r.Group, child) {
			continue
		}
		m := w.Meaning()
		named := slices.DeleteFunc(slices.Clone(hosts), func(h string) bool { return h != w.r.Host && m.IsMember(w.r.Group, h) })
		if w.before.IsMember(w.r.Group, w.r.Host) {
			named = source.Without(named, w.r.Host) // it has a mark already
		}
		text, err := doc.Unfold(w.r.Group, child, named, w.r.Host, w.r.Date)
		if err != nil || w.replace(i, text) != nil {
			return false
		}
	}
	return true
}

// refold restores children whose hosts are all named in the group again. It only tidies: where it fails, the names stay.
func (w *work) refold() {
	for i := range w.Sources {
		for _, child := range w.Sources[i].doc.Unfolded(w.r.Group) {
			m := w.Meaning()
			hosts := m.All(child)
			missing := slices.ContainsFunc(hosts, func(h string) bool { return !m.IsMember(w.r.Group, h) })
			if missing || len(hosts) == 0 {
				continue
			}
			trial := w.clone()
			text, err := trial.Sources[i].doc.Fold(w.r.Group, child, hosts)
			if err != nil || trial.replace(i, text) != nil {
				continue
			}
			if after := trial.Meaning(); sameSet(after.All(w.r.Group), m.All(w.r.Group)) && m.Clash(w.r.Group, child) == "" {
				w.Set = trial
				w.folded = append(w.folded, child)
			}
		}
	}
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// refuseChild is the error for a child's entry that holds more than a name, so that it cannot be replaced.
func (w *work) refuseChild(m *source.Meaning, child string) error {
	return fault.New(fault.Refused, "%s is in [%s] through its child group [%s], which cannot be replaced by its hosts here; nothing was changed",
		w.r.Host, w.r.Group, child).
		WithHint("name the hosts of [%s] in the section itself instead of its children: %v", w.r.Group, source.Without(m.All(w.r.Group), w.r.Host))
}
