// etcd_host_info tells how etcd runs on a host and what its files say. It changes nothing; see etcd_host_info.yml.
package main

import (
	"context"
	_ "embed"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/onhost"
	"etcd-quorum-restore/modules/internal/survey"
	"etcd-quorum-restore/modules/internal/unfinished"
)

//go:embed etcd_host_info.yml
var documentation []byte

type args struct {
	host.Options
	Settle    int    `json:"settle"`
	BackupDir string `json:"backup_dir"`
}

var rules = ansible.Rules{Ranges: map[string]ansible.Range{"settle": {Min: 0, Max: 3600}}, ReadOnly: true}

func main() { ansible.Main(documentation, rules, quiet) }

// quiet waits for what an earlier run has left at work here, before the first file is read.
func quiet(ctx context.Context, call *ansible.Call, a args) (ansible.Result, error) {
	left, waited, err := unfinished.Await(ctx, limit(ctx))
	if err != nil {
		return ansible.Result{}, err
	}
	if len(left) > 0 {
		call.Warn("%s, started by another run, still works on this host: what is shown here may change. Wait until it ends, then run the same command again",
			strings.Join(left, ", "))
	}
	return onhost.Loaded(func(ctx context.Context, call *ansible.Call, a args, h *host.Host) (ansible.Result, error) {
		found, err := look(ctx, a, h)
		found.Waited = waited
		return ansible.Result{Data: found}, err
	})(ctx, call, a)
}

// limit is half of the time there is: the other half is for the look.
func limit(ctx context.Context) time.Duration {
	end, _ := ctx.Deadline() // timeout has a default
	return time.Until(end) / 2
}

func look(ctx context.Context, a args, h *host.Host) (facts.Host, error) {
	return survey.Gather(ctx, h, survey.Options{Settle: time.Duration(a.Settle) * time.Second, BackupDir: a.BackupDir, Now: time.Now()})
}
