package hosturl

import (
	"encoding/json"
	"slices"

	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/fault"
)

// Arguments are those of a module that edits one list of URLs in one file.
type Arguments struct {
	Path    string            `json:"path"`
	Add     []json.RawMessage `json:"add"`
	Remove  []json.RawMessage `json:"remove"`
	URLs    []string          `json:"urls"`
	Members []json.RawMessage `json:"members"` // compare, and change nothing
	Backup  bool              `json:"backup"`
}

// Compares is true where the list is compared, not edited.
func (a Arguments) Compares() bool { return a.Members != nil }

// Compare calls Compare for the members of the arguments.
func (a Arguments) Compare(listed []string, where, fix string) error {
	members, err := ParseHosts("members", a.Members)
	if err != nil {
		return err
	}
	if len(members) == 0 {
		return fault.New(fault.Invalid, "members is empty: there is nothing to compare with")
	}
	return Compare(listed, members, where, fix)
}

// Compared is the answer of a comparison that found no difference.
func (a Arguments) Compared(listed []string) Answer {
	return Answer{Path: a.Path, Before: slices.Clone(listed), After: slices.Clone(listed), Unmatched: []string{}}
}

// Change is what the arguments ask for.
func (a Arguments) Change() (Change, error) { return ParseChange(a.Add, a.Remove, a.URLs) }

// List is a list of URLs in a file.
type List interface {
	Values() []string
	Set(want []string) error // in memory; after an error the list is as it was
	Text() string            // the list alone, for a diff: the file may hold secrets
	Bytes() []byte           // the file
}

// Answer is what such a module returns.
type Answer struct {
	Path       string   `json:"path"`
	Before     []string `json:"before"`
	After      []string `json:"after"`
	Unmatched  []string `json:"unmatched"` // names of hosts in Remove that no URL matched
	BackupFile string   `json:"backup_file,omitempty"`
}

// Untouched is the answer where there is no list to edit.
func (a Arguments) Untouched() Answer {
	return Answer{Path: a.Path, Before: []string{}, After: []string{}, Unmatched: []string{}}
}

// Edited is an answer, with the list before and after.
type Edited struct {
	Answer
	Changed             bool
	TextBefore, TextNow string // where Changed
}

// Edit makes the change in the list; content is the file as it was read. Nothing is written in check mode.
func (a Arguments) Edit(c Change, content []byte, list List, check bool) (Edited, error) {
	out := Edited{Answer: Answer{Path: a.Path, Before: list.Values()}, TextBefore: list.Text()}
	to, err := c.Apply(out.Before)
	if err == nil {
		err = list.Set(to.After)
	}
	if err != nil {
		return Edited{}, err
	}
	out.After, out.Unmatched, out.TextNow = to.After, to.Unmatched, list.Text()
	out.Changed = !slices.Equal(out.Before, out.After)
	if !out.Changed || check {
		return out, nil
	}
	if out.BackupFile, err = edit.Save(a.Path, content, list.Bytes(), a.Backup); err != nil {
		out.Changed = false
		return out, fault.Wrap(fault.Internal, err, "%s", a.Path)
	}
	return out, nil
}

// OnlyLoopback is true for a list that names this host alone, by localhost or an address of it. That is not a list of a cluster's members.
func OnlyLoopback(urls []string) bool {
	return !slices.ContainsFunc(urls, func(each string) bool { return !isLoopback(each) })
}
