// etcd_host_info tells how etcd runs on a host and what its files say. It changes nothing; see etcd_host_info.yml.
package main

import (
	"context"
	_ "embed"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/survey"
)

//go:embed etcd_host_info.yml
var documentation []byte

type args struct {
	EtcdConf    string `json:"etcd_conf"`
	ManifestDir string `json:"manifest_dir"`
	DataDir     string `json:"data_dir"`
	Timeout     int    `json:"timeout"`
	Settle      int    `json:"settle"`
	BackupDir   string `json:"backup_dir"`
}

func main() { ansible.Main(documentation, ansible.Rules{}, run) }

func run(_ *ansible.Call, a args) (ansible.Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(a.Timeout)*time.Second)
	defer cancel()
	h, err := host.Load(ctx, host.Options{EtcdConf: a.EtcdConf, ManifestDir: a.ManifestDir, DataDir: a.DataDir})
	if err != nil {
		return ansible.Result{}, err
	}
	found, err := survey.Gather(ctx, h, survey.Options{Settle: time.Duration(a.Settle) * time.Second, BackupDir: a.BackupDir, Now: time.Now()})
	return ansible.Result{Data: found}, err
}
