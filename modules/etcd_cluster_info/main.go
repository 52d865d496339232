// etcd_cluster_info tells the health and the membership of a cluster, with or without quorum.
package main

import (
	"context"
	_ "embed"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/etcd/health"
)

//go:embed etcd_cluster_info.yml
var documentation []byte

type args struct {
	etcd.Access
	EtcdConf string   `json:"etcd_conf"`
	API      string   `json:"api"`
	WaitFor  string   `json:"wait_for"`
	Hold     int      `json:"hold"`
	Compare  string   `json:"compare"`
	Down     []string `json:"down"`
}

type result struct {
	health.Picture
	InitialCluster string       `json:"initial_cluster"`
	Seconds        float64      `json:"seconds"`
	Data           *health.Data `json:"data,omitempty"`
}

var rules = ansible.Rules{Ranges: map[string]ansible.Range{"hold": {Min: 0, Max: 3600}}, ReadOnly: true}

func main() { ansible.Main(documentation, rules, run) }

func run(ctx context.Context, _ *ansible.Call, a args) (ansible.Result, error) {
	cfg, err := a.Config(a.EtcdConf)
	if err != nil {
		return ansible.Result{}, err
	}
	begin := time.Now()
	picture, err := health.Await(ctx, cfg, a.API, health.Condition(a.WaitFor), time.Duration(a.Hold)*time.Second, a.Down...)
	if none := picture.Unsupported(); none != nil {
		return ansible.Result{}, none
	}
	out := result{Picture: picture, InitialCluster: etcd.InitialCluster(picture.Members)}
	if err == nil && a.Compare != "none" {
		out.Data, err = health.Compare(ctx, cfg, picture, a.Compare == "values")
		out.Lines = append(out.Lines, out.Data.Line())
	}
	out.Seconds = time.Since(begin).Round(time.Millisecond).Seconds()
	return ansible.Result{Data: out}, err
}
