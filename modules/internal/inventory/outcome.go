package inventory

import (
	"fmt"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/inventory/source"
)

// Edit is the change of one file.
type Edit struct {
	Path   string
	Before string
	After  string
	doc    [2]source.Document // before and after, for the diff
	known  func(string) bool
}

// Outcome is what Plan decided. Without edits there is nothing to do.
type Outcome struct {
	Edits    []Edit
	Before   []string // the group's hosts, also those of its children
	After    []string
	File     string // where host's entry, or its mark, is now
	Line     int
	Warnings []string
}

func (w *work) outcome(old *Set, before, after *source.Meaning) *Outcome {
	out := &Outcome{Before: before.All(w.r.Group), After: after.All(w.r.Group), Warnings: w.warnings}
	known := func(name string) bool { return name == w.r.Host || before.Names(name) || after.Names(name) }
	for i := range w.Sources {
		was, is := old.Sources[i], w.Sources[i]
		if n := is.doc.Where(w.r.Group, w.r.Host); n > 0 && (out.Line == 0 || was.Text != is.Text) {
			out.File, out.Line = is.Path, n
		}
		if was.Text != is.Text {
			out.Edits = append(out.Edits, Edit{is.Path, was.Text, is.Text, [2]source.Document{was.doc, is.doc}, known})
		}
	}
	w.order(out)
	return out
}

// order puts the file that gains the host first, and then the last file before the first one: a run that is killed between two files leaves the
// host in two groups rather than in none, and keeps a section as long as another file names it as a child.
func (w *work) order(out *Outcome) {
	slices.Reverse(out.Edits)
	if w.r.Present {
		slices.SortStableFunc(out.Edits, func(a, b Edit) int {
			return boolInt(b.Path == out.File) - boolInt(a.Path == out.File)
		})
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// inFile is an error in reading a file.
func inFile(path string, err error) error {
	if _, ok := err.(*fault.Error); ok {
		return err
	}
	return fault.Wrap(fault.Invalid, err, "%s", path).WithHint("`ansible-inventory -i %s --list` shows how Ansible reads the file; nothing was changed", path)
}

// cannot is the error for an edit that this package cannot make exactly.
func (w *work) cannot(path string, err error) error {
	way := fmt.Sprintf("take %s out of [%s]", w.r.Host, w.r.Group)
	if w.r.Present {
		way = fmt.Sprintf("put %s into [%s]", w.r.Host, w.r.Group)
	}
	if w.r.From != "" {
		way += fmt.Sprintf(", out of [%s]", w.r.From)
	}
	return fault.Wrap(fault.Refused, err, "%s", path).WithHint("nothing was changed; %s by hand there, or rewrite the line as the message says", way)
}

// ByHand is what a person has to change in an inventory that this package could not edit, and why: lines for a report.
func (r Request) ByHand(err error) []string {
	out := []string{err.Error()}
	if hint := strings.TrimSpace(fault.HintOf(err)); hint != "" {
		out = append(out, strings.Split(hint, "\n")...)
	}
	what := fmt.Sprintf("the line of %s under [%s] becomes the comment: %s", r.Host, r.Group, source.Mark{Group: r.Group, Since: r.Date, Entry: r.Host + " " + source.Hidden})
	if r.Present && r.From != "" {
		what = fmt.Sprintf("the line of %s moves from [%s] to [%s]", r.Host, r.From, r.Group)
	} else if r.Present {
		what = fmt.Sprintf("the line of %s comes under [%s]", r.Host, r.Group)
	}
	if r.First {
		what += ", as the first one"
	}
	if r.Present && source.IsStaging(r.Group) {
		base := strings.TrimPrefix(r.Group, "new_")
		what += fmt.Sprintf("; where a group such as [OSEv3:children] names %s, it names %s too", base, r.Group)
	}
	return append(out, "what the inventory has to say: "+what)
}
