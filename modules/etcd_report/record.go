package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/plan"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/report"
	"etcd-quorum-restore/modules/internal/plan/rows"
)

// schema is the version of the record. A new field leaves it; a field that goes or changes its meaning raises it.
const schema = 1

// record is the JSON, documented in etcd_report.yml.
type record struct {
	Schema   int    `json:"schema"`
	Suite    string `json:"suite"`
	Ansible  string `json:"ansible"`
	Playbook string `json:"playbook"`
	Run      string `json:"run"`
	PlanID   string `json:"plan_id"`
	State    string `json:"state"`
	Planned  string `json:"planned_at"`
	Ended    string `json:"ended_at"`
	End      string `json:"end"`

	Stage   string   `json:"stage"`   // the last that began; "" once the run has reached its end
	Stopped *stopped `json:"stopped"` // null where no failure ended the run, or nobody was there to say so

	Action   string             `json:"action"`
	Survivor string             `json:"survivor"`
	Found    report.Report      `json:"report"`
	Steps    []step             `json:"steps"`
	Done     []string           `json:"done"`
	Backups  []backup           `json:"backups"`
	Members  []histories.Member `json:"members"`
}

// stopped is where a failure ended the run.
type stopped struct {
	At       string    `json:"at"`
	Task     string    `json:"task"`
	Failures []failure `json:"failures"`
	Fenced   []string  `json:"fenced"`
	Next     string    `json:"next"`
}

type failure struct {
	Host string `json:"host"`
	Said string `json:"said"`
}

// backup is one of those that etcd_backup returns; the rest of its keys is left out.
type backup struct {
	Method   string `json:"method"`
	Path     string `json:"path"`
	Bytes    int64  `json:"bytes"`
	SHA256   string `json:"sha256"`
	Revision *int64 `json:"revision"` // null where the method does not tell it
	Verified bool   `json:"verified"`
	Damage   string `json:"damage,omitempty"`
}

func newRecord(a args, p plan.Plan, now time.Time) record {
	r := record{Schema: schema, Suite: ansible.Version, Ansible: a.Ansible, Playbook: a.Playbook, Run: p.Run, PlanID: p.ID, State: a.State,
		Action: p.Action, Survivor: p.Survivor, Found: p.Report, Done: a.Done, Backups: a.Backups, Members: a.Members,
		Stage: a.Stage, Stopped: a.Stopped}
	r.Planned, r.End = now.UTC().Format(time.RFC3339), report.Failed
	if r.State == "ended" || p.Action == rows.Refuse {
		r.End = p.Report.End.Done
	}
	if a.End != "" {
		r.End = a.End
	}
	if r.State == "ended" {
		r.Ended = r.Planned
	}
	if r.Stopped != nil {
		r.Stopped.At = r.Planned
	}
	r.Steps = stepsOf(a.Acts, r.Planned)
	return r
}

// carryOn keeps what the same run has recorded before: the times, the steps, and the end, which no step takes back.
func (r *record) carryOn(old record) {
	if old.Run != r.Run || old.Planned == "" {
		return
	}
	r.Planned, r.Steps = old.Planned, merged(old.Steps, r.Steps)
	if r.Stopped != nil && old.Stopped != nil && r.Stopped.Task == old.Stopped.Task {
		r.Stopped.At = old.Stopped.At
	}
	switch {
	case old.State == "ended" && r.State == "ended":
		r.Ended = old.Ended
	case old.State == "ended":
		r.State, r.End, r.Ended, r.Done, r.Backups, r.Members = old.State, old.End, old.Ended, old.Done, old.Backups, old.Members
	case r.State != "ended" && r.Stage == "":
		r.Stage = old.Stage
	}
}

// Outcome is how far the run got, as far as this record knows.
func (r record) Outcome() string {
	switch {
	case r.Action == rows.Refuse || r.End == report.Refused:
		return "Refused: nothing was changed."
	case r.State == "ended":
		return "The run reached its end: " + r.End + "."
	case r.Action == rows.RestoreBackup:
		return "No host has data that can be used: a backup has to be put back (restore_backup.yml). That has not reached its end."
	}
	return "The run has not reached its end: it was stopped, it failed, or it is still running. Run the same command again: it looks at all hosts again."
}

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// files are the record and its page, by path.
func (r record) files(out result) (map[string][]byte, error) {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, err
	}
	var html bytes.Buffer
	if err := page.Execute(&html, r); err != nil {
		return nil, err
	}
	return map[string][]byte{out.Path: append(text, '\n'), out.Page: html.Bytes()}, nil
}
