// etcd_report writes down what a run of the playbooks found, decided and did: as JSON, and as a page for a browser. It runs on the control node.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/plan"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/safefile"
)

//go:embed etcd_report.yml
var documentation []byte

// What becomes a file's name. The run's ID is the plan's: hexadecimal.
var (
	playbookName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}(\.ya?ml)?$`)
	runID        = regexp.MustCompile(`^[0-9a-f]{1,64}$`)
)

type args struct {
	Directory string             `json:"directory"`
	Playbook  string             `json:"playbook"`
	State     string             `json:"state"`
	End       string             `json:"end"`
	Stage     string             `json:"stage"`
	Stopped   *stopped           `json:"stopped"`
	Plan      map[string]any     `json:"plan"`
	Acts      []act              `json:"acts"`
	Ansible   string             `json:"ansible"`
	Done      []string           `json:"done"`
	Backups   []backup           `json:"backups"`
	Members   []histories.Member `json:"members"`
}

type result struct {
	Path  string `json:"path"`
	Page  string `json:"page"`
	Stats stats  `json:"stats"`
}

// stats are for a workflow that continues after this job.
type stats struct {
	Playbook string `json:"playbook"`
	Run      string `json:"run"`
	PlanID   string `json:"plan_id"`
	Action   string `json:"action"`
	Survivor string `json:"survivor"`
	State    string `json:"state"`
	Record   string `json:"record"`
}

func main() { ansible.Main(documentation, ansible.Rules{}, run) }

func run(_ context.Context, call *ansible.Call, a args) (ansible.Result, error) {
	p, err := a.check()
	if err != nil {
		return ansible.Result{}, err
	}
	name := strings.TrimSuffix(strings.TrimSuffix(a.Playbook, ".yml"), ".yaml") + "-" + p.Run
	out := result{Path: filepath.Join(a.Directory, name+".json"), Page: filepath.Join(a.Directory, name+".html")}
	out.Stats = stats{Playbook: a.Playbook, Run: p.Run, PlanID: p.ID, Action: p.Action, Survivor: p.Survivor, State: a.State, Record: out.Path}
	next := newRecord(a, p, time.Now())
	old, err := earlier(out.Path)
	if err != nil {
		return ansible.Result{Data: out}, err
	}
	next.carryOn(old)
	files, err := next.files(out)
	if err != nil {
		return ansible.Result{Data: out}, err
	}
	changed, err := write(call, a.Directory, files)
	return ansible.Result{Changed: changed, Msg: "the record of this run: " + out.Page, Data: out}, err
}

func (a args) check() (plan.Plan, error) {
	var p plan.Plan
	if !playbookName.MatchString(a.Playbook) {
		return p, fault.New(fault.Invalid, "playbook: expected the name of a playbook's file, got %.100q", a.Playbook)
	}
	raw, err := json.Marshal(a.Plan)
	if err == nil {
		err = json.Unmarshal(raw, &p)
	}
	if err != nil {
		return p, fault.Wrap(fault.Invalid, err, "plan").WithHint("pass on what etcd_quorum_plan returned, unchanged")
	}
	if !runID.MatchString(p.Run) || !slices.Contains(plan.Actions, p.Action) {
		return p, fault.New(fault.Invalid, "plan: it has no run and action as etcd_quorum_plan returns them").
			WithHint("pass on what etcd_quorum_plan returned, unchanged")
	}
	return p, nil
}

// earlier is the record that this run has written before, if it has.
func earlier(path string) (record, error) {
	var old record
	text, err := readfile.Read(path, readfile.Long)
	if errors.Is(err, fs.ErrNotExist) {
		return old, nil
	}
	if err != nil {
		return old, err
	}
	// It was not written by this suite, and nothing is written over it.
	if err := json.Unmarshal(text, &old); err != nil {
		return old, fault.Wrap(fault.Refused, err, "%s is no record of a run", path).WithHint("move it away, then run this again")
	}
	return old, nil
}

// write writes the files that differ, private to the user.
func write(call *ansible.Call, directory string, files map[string][]byte) (changed bool, err error) {
	for path, text := range files {
		if old, err := readfile.Read(path, readfile.Long); err == nil && bytes.Equal(old, text) {
			delete(files, path)
		}
	}
	if len(files) == 0 || call.CheckMode {
		return len(files) > 0, nil
	}
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return false, fault.Wrap(fault.Internal, err, "%s cannot be made", directory)
	}
	d, err := safefile.OpenDir(directory)
	if err != nil {
		return false, err
	}
	defer d.Close()
	if err := d.Private(); err != nil {
		return false, fault.Wrap(fault.Refused, err, "no record is written").WithHint("chmod 700 %s, or name another directory", directory)
	}
	for path, text := range files {
		if err := d.Write(filepath.Base(path), text, 0o600); err != nil {
			return changed, err
		}
		changed = true
		call.MarkChanged()
	}
	return changed, nil
}
