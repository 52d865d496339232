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
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/onhost"
	"etcd-quorum-restore/modules/internal/root"
)

//go:embed etcd_log_info.yml
var documentation []byte

type args struct {
	host.Options
	Since string `json:"since"`
	Lines int    `json:"lines"`
}

type result struct {
	Runtime  string            `json:"runtime"`
	Lines    []string          `json:"lines"`
	Problems []etcdlog.Problem `json:"problems"`
}

// readAtMost limits the lines that are searched for problems; etcd in trouble logs some ten lines a second.
const readAtMost = 20000

const auditLog = "/var/log/audit/audit.log"

var rules = ansible.Rules{Ranges: map[string]ansible.Range{"lines": {Min: 1, Max: readAtMost}}, ReadOnly: true}

func main() { onhost.Main(documentation, rules, run) }

func run(ctx context.Context, _ *ansible.Call, a args, h *host.Host) (ansible.Result, error) {
	data := result{Runtime: h.Runtime.Name(), Lines: []string{}, Problems: []etcdlog.Problem{}}
	entries, err := h.Runtime.Entries(ctx, a.Since, readAtMost)
	if err != nil {
		return ansible.Result{Data: data}, err
	}
	denied, err := etcdlog.Denials(ctx, root.Path(auditLog), begin(entries))
	if err != nil {
		return ansible.Result{Data: data}, err
	}
	data.Problems = problems(data.Runtime, slices.Concat(entries, denied))
	data.Lines = report(data.Problems, entries, a.Lines)
	return ansible.Result{Msg: summary(data.Problems, len(entries)), Data: data}, nil
}

// problems are the known failures, and the end of etcd that no known failure explains. That end comes first, unless a critical line is explained.
func problems(runtime string, entries []etcdlog.Entry) []etcdlog.Problem {
	known := etcdlog.Explain(entries)
	if runtime == facts.StaticPod {
		known = etcdlog.ExplainPod(entries)
	}
	unexplained, found := etcdlog.Unexplained(entries)
	ended, over := etcdlog.Ended(entries)
	switch {
	case !found && len(known) == 0 && over:
		return append(known, ended)
	case !found:
		return known
	case slices.ContainsFunc(entries, etcdlog.ExplainedEnd):
		return append(known, unexplained)
	}
	return slices.Insert(known, 0, unexplained)
}

// begin is when the journal's part begins, so that the audit log is read from the same time on.
func begin(entries []etcdlog.Entry) time.Time {
	if len(entries) == 0 {
		return time.Now().Add(-time.Hour)
	}
	return entries[0].Time
}

// report is for people: first the explanations, then what etcd itself logged, warnings and worse, each once.
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
