// etcd_inventory puts a host into a group of the inventory's own files, or takes it out. It runs on the control node.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/inventory"
)

//go:embed etcd_inventory.yml
var documentation []byte

type args struct {
	Path      []string `json:"path"`
	Group     string   `json:"group"`
	Host      string   `json:"host"`
	State     string   `json:"state"`
	FromGroup string   `json:"from_group"`
	First     bool     `json:"first"`
	Backup    bool     `json:"backup"`
	Timeout   int      `json:"timeout"`

	Uneditable string `json:"uneditable"`
}

type answer struct {
	File        string   `json:"file,omitempty"`
	Line        int      `json:"line,omitempty"`
	Before      []string `json:"before"`
	After       []string `json:"after"`
	Files       []string `json:"files"`
	BackupFile  string   `json:"backup_file,omitempty"`
	BackupFiles []string `json:"backup_files,omitempty"`
	ByHand      []string `json:"by_hand"`
}

var rules = ansible.Rules{RelativePaths: []string{"path"}}

func main() { ansible.Main(documentation, rules, run) }

func run(_ context.Context, call *ansible.Call, a args) (ansible.Result, error) {
	if a.First && a.State == "absent" {
		return ansible.Result{}, fault.New(fault.Invalid, "first is for state=present: a host that leaves has no place").
			WithHint("leave first out, or say state=present")
	}
	if err := a.request().Check(); err != nil {
		return ansible.Result{}, err
	}
	out, changes, err := inventory.Apply(a.Path, a.request(), inventory.Options{
		Check:   call.CheckMode,
		Backup:  a.Backup,
		Timeout: time.Duration(a.Timeout) * time.Second,
		Changed: call.MarkChanged,
	})
	if err != nil && a.Uneditable == "report" && fault.KindOf(err) != fault.Timeout {
		return a.uneditable(changes, err), nil
	}
	if out == nil {
		return ansible.Result{}, err
	}
	for _, w := range out.Warnings {
		call.Warn("%s", w)
	}
	return a.result(out, changes), err
}

func (a args) request() inventory.Request {
	return inventory.Request{
		Group: a.Group, Host: a.Host, Present: a.State == "present", From: a.FromGroup, First: a.First,
		Date: time.Now().Format("2006-01-02"),
	}
}

// uneditable is the answer where a playbook must continue without the edit: it says what is left to be done by hand.
func (a args) uneditable(changes []inventory.Change, err error) ansible.Result {
	result := a.result(&inventory.Outcome{Before: []string{}, After: []string{}}, changes)
	data := result.Data.(answer)
	data.ByHand = a.request().ByHand(err)
	result.Data, result.Msg = data, "the inventory could not be edited; by_hand says what to change: "+err.Error()
	return result
}

func (a args) result(out *inventory.Outcome, changes []inventory.Change) ansible.Result {
	data := answer{File: out.File, Line: out.Line, Before: out.Before, After: out.After, Files: []string{}, ByHand: []string{}}
	var diffs []ansible.Diff
	for _, c := range changes {
		data.Files = append(data.Files, c.File)
		if c.Backup != "" {
			data.BackupFiles = append(data.BackupFiles, c.Backup)
		}
		diffs = append(diffs, ansible.Diff{Before: c.Before, After: c.After, BeforeHeader: c.File, AfterHeader: c.File})
	}
	if len(data.BackupFiles) > 0 {
		data.BackupFile = data.BackupFiles[0]
	}
	return ansible.Result{Changed: len(changes) > 0, Msg: a.message(out, len(changes) > 0), Diff: diffs, Data: data}
}

func (a args) message(out *inventory.Outcome, changed bool) string {
	switch {
	case !changed && a.State == "present":
		return fmt.Sprintf("%s is in [%s] already", a.Host, a.Group)
	case !changed:
		return fmt.Sprintf("%s is not in [%s]; there was nothing to do", a.Host, a.Group)
	case a.State == "present":
		return fmt.Sprintf("%s is in [%s] now (%s, line %d)", a.Host, a.Group, out.File, out.Line)
	}
	return fmt.Sprintf("%s is out of [%s] now; its line stays as a comment (%s, line %d)", a.Host, a.Group, out.File, out.Line)
}
