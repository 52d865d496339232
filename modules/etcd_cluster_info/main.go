// etcd_cluster_info tells the health and the membership of a cluster, with or without quorum.
package main

import (
	"context"
	_ "embed"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/etcd/health"
	"etcd-quorum-restore/modules/internal/fault"
)

//go:embed etcd_cluster_info.yml
var documentation []byte

type args struct {
	etcd.Access
	API     string `json:"api"`
	WaitFor string `json:"wait_for"`
	Hold    int    `json:"hold"`
	Compare string `json:"compare"`
	Timeout int    `json:"timeout"`
}

type result struct {
	health.Picture
	InitialCluster string       `json:"initial_cluster"`
	Seconds        float64      `json:"seconds"`
	Data           *health.Data `json:"data,omitempty"`
}

func main() { ansible.Main(documentation, ansible.Rules{}, run) }

func run(_ *ansible.Call, a args) (ansible.Result, error) {
	if a.Timeout < 1 || a.Hold < 0 {
		return ansible.Result{}, fault.New(fault.Invalid, "timeout is %d and hold is %d; expected at least 1 and 0 seconds", a.Timeout, a.Hold)
	}
	cfg, err := a.Config()
	if err != nil {
		return ansible.Result{}, err
	}
	begin := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(a.Timeout)*time.Second)
	defer cancel()
	picture, err := health.Await(ctx, cfg, a.API, health.Condition(a.WaitFor), time.Duration(a.Hold)*time.Second)
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
