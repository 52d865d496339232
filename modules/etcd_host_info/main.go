// etcd_host_info tells how etcd runs on a host and what its files say. It changes nothing; see etcd_host_info.yml.
package main

import (
	"context"
	_ "embed"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/onhost"
	"etcd-quorum-restore/modules/internal/survey"
)

//go:embed etcd_host_info.yml
var documentation []byte

type args struct {
	host.Options
	Settle    int    `json:"settle"`
	BackupDir string `json:"backup_dir"`
}

var rules = ansible.Rules{Ranges: map[string]ansible.Range{"settle": {Min: 0, Max: 3600}}, ReadOnly: true}

func main() { onhost.Main(documentation, rules, run) }

func run(ctx context.Context, _ *ansible.Call, a args, h *host.Host) (ansible.Result, error) {
	found, err := survey.Gather(ctx, h, survey.Options{Settle: time.Duration(a.Settle) * time.Second, BackupDir: a.BackupDir, Now: time.Now()})
	return ansible.Result{Data: found}, err
}
