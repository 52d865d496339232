package inventory

import (
	"slices"

	"etcd-quorum-restore/modules/internal/fault"
)

// Many sites write `[etcd:children]` and `masters` below it. A host cannot leave such a group alone: so the child's entry becomes a mark,
// and the child's hosts are named in the group itself, the leaving host as a mark. Once all are back, the child's entry comes back too.

// folder is what a document needs for that.
type folder interface {
	// unfold replaces child in group by the names of hosts, each with ownComment; host becomes a mark.
	unfold(group, child string, hosts []string, host, since string) (string, error)
	// fold is the inverse: it takes away what unfold wrote.
	fold(group, child string, hosts []string) (string, error)
	// unfolded lists the children of group that were replaced here.
	unfolded(group string) []string
}

// childrenMark is the group that stands in the mark of a child's entry.
func childrenMark(group string) string { return group + ":children" }

// unfold takes the host out of the group's children.
func (w *work) unfold(m *Meaning) error {
	group, host := w.r.Group, w.r.Host
	for _, child := range slices.Clone(m.Groups[group].Children) {
		hosts := m.all(child)
		if !slices.Contains(hosts, host) {
			continue
		}
		if name := m.clash(group, child); name != "" {
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
		if !doc.lists(w.r.Group, child) {
			continue
		}
		m := w.Meaning()
		named := slices.DeleteFunc(slices.Clone(hosts), func(h string) bool { return h != w.r.Host && m.isMember(w.r.Group, h) })
		if w.before.isMember(w.r.Group, w.r.Host) {
			named = without(named, w.r.Host) // it has its mark already
		}
		text, err := doc.unfold(w.r.Group, child, named, w.r.Host, w.r.Date)
		if err != nil || w.replace(i, text) != nil {
			return false
		}
	}
	return true
}

// refold brings children back whose hosts are all named in the group again. It is a tidying: where it fails, the names stay.
func (w *work) refold() {
	for i := range w.Sources {
		for _, child := range w.Sources[i].doc.unfolded(w.r.Group) {
			m := w.Meaning()
			hosts := m.all(child)
			missing := slices.ContainsFunc(hosts, func(h string) bool { return !m.isMember(w.r.Group, h) })
			if missing || len(hosts) == 0 {
				continue
			}
			trial := w.clone()
			text, err := trial.Sources[i].doc.fold(w.r.Group, child, hosts)
			if err != nil || trial.replace(i, text) != nil {
				continue
			}
			if after := trial.Meaning(); sameSet(after.all(w.r.Group), m.all(w.r.Group)) && m.clash(w.r.Group, child) == "" {
				w.Set = trial
				w.folded = append(w.folded, child)
			}
		}
	}
}

// clash names a variable that group (or a group above it) and child (or one below it) both set, to different values: which one wins
// depends on how deep the groups are, and that changes.
func (m *Meaning) clash(group, child string) string {
	above, below := map[string]bool{}, map[string]bool{}
	m.walk(group, m.parents, above)
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

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// refuseChild: the child's entry holds more than a name, so that it cannot be replaced.
func (w *work) refuseChild(m *Meaning, child string) error {
	return fault.New(fault.Refused, "%s is in [%s] through its child group [%s], which cannot be replaced by its hosts here; nothing was changed",
		w.r.Host, w.r.Group, child).
		WithHint("name the hosts of [%s] in the section itself instead of its children: %v", w.r.Group, without(m.all(w.r.Group), w.r.Host))
}
