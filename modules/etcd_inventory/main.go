// etcd_inventory puts a host into a group of the inventory's own files, or takes it out. It runs on the control node.
package main

import (
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
}

type result struct {
	File        string   `json:"file,omitempty"`
	Line        int      `json:"line,omitempty"`
	Before      []string `json:"before"`
	After       []string `json:"after"`
	Files       []string `json:"files"`
	BackupFile  string   `json:"backup_file,omitempty"`
	BackupFiles []string `json:"backup_files,omitempty"`
}

var rules = ansible.Rules{}

func main() { ansible.Main(documentation, rules, run) }

func run(call *ansible.Call, a args) (ansible.Result, error) {
	if a.First && a.State == "absent" {
		return ansible.Result{}, fault.New(fault.Invalid, "first is for state=present: a host that leaves has no place").
			WithHint("leave first out, or say state=present")
	}
	if a.Timeout < 0 {
		return ansible.Result{}, fault.New(fault.Invalid, "timeout is %d; expected 0 or more seconds", a.Timeout).WithHint("leave it out for 60 seconds")
	}
	out, changes, err := inventory.Apply(a.Path, a.request(), inventory.Options{
		Check:   call.CheckMode,
		Backup:  a.Backup,
		Timeout: time.Duration(a.Timeout) * time.Second,
		Changed: call.MarkChanged,
	})
	if out == nil {
		return ansible.Result{}, err
	}
	for _, w := range out.Warnings {
		call.Warn("%s", w)
	}
	return a.answer(out, changes), err
}

func (a args) request() inventory.Request {
	return inventory.Request{
		Group: a.Group, Host: a.Host, Present: a.State == "present", From: a.FromGroup, First: a.First,
		Date: time.Now().Format("2006-01-02"),
	}
}

func (a args) answer(out *inventory.Outcome, changes []inventory.Change) ansible.Result {
	data := result{File: out.File, Line: out.Line, Before: out.Before, After: out.After, Files: []string{}}
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
