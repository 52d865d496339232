// etcd_log_info shows what etcd logged lately, and explains the failures that are known. It changes nothing.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/etcdlog"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/root"
)

//go:embed etcd_log_info.yml
var documentation []byte

type args struct {
	Since       string `json:"since"`
	Lines       int    `json:"lines"`
	EtcdConf    string `json:"etcd_conf"`
	ManifestDir string `json:"manifest_dir"`
	DataDir     string `json:"data_dir"`
	Timeout     int    `json:"timeout"`
}

type result struct {
	Runtime  string            `json:"runtime"`
	Lines    []string          `json:"lines"`
	Problems []etcdlog.Problem `json:"problems"`
}

// readAtMost bounds what is looked at for problems; etcd in trouble logs some ten lines a second.
const readAtMost = 20000

const auditLog = "/var/log/audit/audit.log"

func main() { ansible.Main(documentation, ansible.Rules{}, run) }

func run(_ *ansible.Call, a args) (ansible.Result, error) {
	if a.Timeout < 1 || a.Lines < 1 {
		return ansible.Result{}, fault.New(fault.Invalid, "timeout is %d and lines is %d; expected 1 or more of both", a.Timeout, a.Lines)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(a.Timeout)*time.Second)
	defer cancel()
	h, err := host.Load(ctx, host.Options{EtcdConf: a.EtcdConf, ManifestDir: a.ManifestDir, DataDir: a.DataDir})
	if err != nil {
		return ansible.Result{}, err
	}
	data := result{Runtime: h.Runtime.Name(), Lines: []string{}, Problems: []etcdlog.Problem{}}
	entries, err := h.Runtime.Entries(ctx, a.Since, readAtMost)
	if err != nil {
		return ansible.Result{Data: data}, err
	}
	denied, err := etcdlog.Denials(root.Path(auditLog), begin(entries))
	if err != nil {
		return ansible.Result{Data: data}, err
	}
	data.Problems = etcdlog.Explain(slices.Concat(entries, denied))
	data.Lines = report(data.Problems, entries, a.Lines)
	return ansible.Result{Msg: summary(data.Problems, len(entries)), Data: data}, nil
}

// begin is when the journal's part begins, so that the audit log is read from the same time on.
func begin(entries []etcdlog.Entry) time.Time {
	if len(entries) == 0 {
		return time.Now().Add(-time.Hour)
	}
	return entries[0].Time
}

// report is for people: the explanations first, then what etcd said itself, warnings and worse, each once.
func report(problems []etcdlog.Problem, entries []etcdlog.Entry, limit int) []string {
	lines := []string{}
	for _, p := range problems {
		lines = append(lines, p.String())
	}
	times := map[string]int{}
	var grave []etcdlog.Entry
	for _, e := range slices.Backward(entries) {
		if e.Level > etcdlog.Warning || etcdlog.Harmless(e.Text) {
			continue
		}
		if times[e.Text]++; times[e.Text] == 1 {
			grave = append(grave, e)
		}
	}
	grave = grave[:min(len(grave), limit)]
	for _, e := range slices.Backward(grave) {
		line := e.String()
		if n := times[e.Text]; n > 1 {
			line += fmt.Sprintf(" (%d times)", n)
		}
		lines = append(lines, line)
	}
	return lines
}

func summary(problems []etcdlog.Problem, entries int) string {
	switch {
	case entries == 0:
		return "etcd logged nothing in this time"
	case len(problems) == 0:
		return "no known failure in what etcd logged"
	}
	return "most telling: " + problems[0].Line
}
