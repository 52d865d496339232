package inventory

import (
	"fmt"
	"slices"

	"etcd-quorum-restore/modules/internal/fault"
)

// Edit is the change of one file.
type Edit struct {
	Path   string
	Before string
	After  string
	doc    [2]document // before and after, for the diff's headings
}

// Outcome is what Plan found out. Without edits nothing is to be done.
type Outcome struct {
	Edits    []Edit
	Before   []string // the group's hosts, also those through its children
	After    []string
	File     string // where host's entry, or the mark it left, now stands
	Line     int
	Warnings []string
}

func (w *work) outcome(old *Set, before, after *Meaning) *Outcome {
	out := &Outcome{Before: before.all(w.r.Group), After: after.all(w.r.Group), Warnings: w.warnings}
	for i := range w.Sources {
		was, is := old.Sources[i], w.Sources[i]
		if n := is.doc.where(w.r.Group, w.r.Host); n > 0 && (out.Line == 0 || was.Text != is.Text) {
			out.File, out.Line = is.Path, n
		}
		if was.Text != is.Text {
			out.Edits = append(out.Edits, Edit{is.Path, was.Text, is.Text, [2]document{was.doc, is.doc}})
		}
	}
	w.order(out)
	return out
}

// order puts the file first that gains the host, and then the last file before the first one: a run that is killed between two files
// leaves the host in two groups rather than in none, and a section in place as long as another file names it as a child.
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

// cannot is an edit that this package cannot make exactly.
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
