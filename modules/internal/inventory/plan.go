package inventory

import (
	"fmt"
	"strings"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/inventory/source"
)

// Request says which host is to be in a group, or out of it.
type Request struct {
	Group   string
	Host    string
	Present bool
	From    string // the group that the host leaves when it joins Group; "" for none
	First   bool   // Group's first host: openshift-ansible keeps the CA of etcd there
	Date    string // YYYY-MM-DD, for the mark
}

// work is an inventory while it is being edited.
type work struct {
	*Set
	r        Request
	before   *source.Meaning
	made     map[string]bool // groups that were created or dropped
	listed   map[string]bool // groups that our own entries put into their parents' children, or that were removed from there
	folded   []string        // children of Group that were replaced by their hosts, or came back
	base     string          // the group whose parents and login Group needs too; "" for none
	warnings []string
}

// Plan decides what to change; it changes nothing. An error means that nothing may be changed.
func (s *Set) Plan(r Request) (*Outcome, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	before := s.Meaning()
	if name := before.Undeclared(); name != "" && len(s.Dynamic) == 0 {
		return nil, fault.New(fault.Invalid, "the group %q is mentioned, but no section [%s] declares it, so Ansible does not read the inventory; nothing was changed", source.Visible(name), source.Visible(name)).
			WithHint("add an empty section [%s], or take the mention out", source.Visible(name))
	}
	w := &work{Set: s.clone(), r: r, before: before, made: map[string]bool{}, listed: map[string]bool{}}
	var err error
	if r.Present {
		err = w.join(before)
	} else {
		err = w.leave(before)
	}
	if err != nil {
		return nil, err
	}
	after := w.Meaning()
	if err := w.verify(before, after); err != nil {
		return nil, err
	}
	return w.outcome(s, before, after), nil
}

// Check refuses a request that makes no sense, whatever the inventory holds.
func (r Request) Check() error {
	for what, name := range map[string]string{"host": r.Host, "group": r.Group} {
		if name == "" || strings.ContainsAny(name, " \t\r\n#;'\"\\,[]={}") {
			return fault.New(fault.Invalid, "%q is not the name of a %s: expected one name, no pattern, list or range", name, what).
				WithHint("`ansible-inventory -i INVENTORY --graph` lists the names; call the module once for each host")
		}
	}
	if r.From == r.Group {
		return fault.New(fault.Invalid, "from_group and group are both %q; a host moves from one group to another", r.Group).
			WithHint("leave from_group out, or name the group that the host is in now")
	}
	if r.From == "" {
		return nil
	}
	if !r.Present {
		return fault.New(fault.Invalid, "from_group is for state present: a host that leaves goes nowhere").
			WithHint("to move a host, name the group that it is to join, with state=present")
	}
	return nil
}

// leave takes the host out of the group; its entries stay as marks.
func (w *work) leave(m *source.Meaning) error {
	r := w.r
	if m.IsMember(r.Group, r.Host) {
		if err := w.depart(r.Group, r.Date); err != nil {
			return err
		}
		if err := w.dropIfEmpty(r.Group); err != nil {
			return err
		}
		m = w.Meaning()
	}
	if m.Through(r.Group, r.Host) != nil {
		return w.unfold(m)
	}
	if m.IsMember(r.Group, r.Host) || w.before.IsMember(r.Group, r.Host) {
		return nil
	}
	if len(w.Dynamic) > 0 {
		return w.dynamic()
	}
	if m.Hosts[r.Host] == nil && len(w.marked()) == 0 {
		w.warnings = append(w.warnings, fmt.Sprintf("no file of the inventory names %s, not even in a comment of a host that left", r.Host))
	}
	return nil
}

// entries are the texts of one source that put a host into a group.
type entries struct {
	source int
	texts  []string
}

// depart removes the host from one group, and keeps its variables where it is still named.
func (w *work) depart(group, since string) error {
	taken, err := w.takeOut(group, since)
	if err != nil {
		return err
	}
	return w.keepVars(group, taken)
}

func (w *work) takeOut(group, since string) ([]entries, error) {
	var out []entries
	for i := range w.Sources {
		text, texts, err := w.Sources[i].doc.TakeOut(group, w.r.Host, since)
		if err == nil && len(texts) > 0 {
			out = append(out, entries{i, texts})
			err = w.replace(i, text)
		}
		if err != nil {
			return nil, w.cannot(w.Sources[i].Path, err)
		}
	}
	return out, nil
}

// join makes the host a member, by its entry in From, by its mark, or by a bare name where it is known elsewhere.
func (w *work) join(m *source.Meaning) error {
	r := w.r
	w.base = w.baseOf(m)
	isMember := m.IsMember(r.Group, r.Host) || m.Through(r.Group, r.Host) != nil
	inFrom := r.From != "" && m.IsMember(r.From, r.Host)
	if !isMember {
		if err := w.enter(m, inFrom); err != nil {
			return err
		}
	} else if inFrom {
		if err := w.depart(r.From, w.markDate()); err != nil {
			return err
		}
	}
	if err := w.ensureGroup(w.Meaning()); err != nil {
		return err
	}
	if !isMember {
		w.warnLogin()
	}
	w.dropKept()
	w.refold()
	if r.First {
		if err := w.toFront(); err != nil {
			return err
		}
	}
	if r.From != "" {
		return w.dropIfEmpty(r.From)
	}
	return nil
}

// markDate is "" for a host that moves out of a staging group: it leaves no mark there. In any other group it leaves one, so that it can return
// to its old place: the order of [etcd] says who holds the CA.
func (w *work) markDate() string {
	if source.IsStaging(w.r.From) {
		return ""
	}
	return w.r.Date
}

func (w *work) enter(m *source.Meaning, inFrom bool) error {
	if inFrom {
		taken, err := w.takeOut(w.r.From, w.markDate())
		if err != nil {
			return err
		}
		for _, e := range taken {
			if err := w.place(e); err != nil {
				return err
			}
		}
		return w.keepVars(w.r.From, taken)
	}
	if marked := w.marked(); len(marked) > 0 {
		for _, e := range marked {
			if err := w.place(e); err != nil {
				return err
			}
		}
		return nil
	}
	if m.Hosts[w.r.Host] == nil {
		if len(w.Dynamic) > 0 {
			return w.dynamic()
		}
		return w.unknown()
	}
	i := w.home(m)
	return w.place(entries{i, []string{w.Sources[i].doc.EntryOf(w.r.Host)}})
}

func (w *work) dynamic() error {
	verb, then := "take "+w.r.Host+" out of", fmt.Sprintf("`--list` no longer has it in %q", w.r.Group)
	if w.r.Present {
		verb, then = "put "+w.r.Host+" into", fmt.Sprintf("`--list` has it in %q", w.r.Group)
	}
	return fault.New(fault.Unsupported, "the static files do not settle whether %s is in %s, and %s makes a part of the inventory; nothing was changed",
		w.r.Host, w.r.Group, strings.Join(w.Dynamic, ", ")).WithHint("%s the group at that inventory's source, so that %s", verb, then)
}
