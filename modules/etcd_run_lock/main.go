// etcd_run_lock refuses a second run of the playbooks while one changes the same cluster. It runs on the control node.
package main

import (
	"context"
	_ "embed"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/runlock"
)

//go:embed etcd_run_lock.yml
var documentation []byte

type args struct {
	Inventory []string `json:"inventory"`
	Directory string   `json:"directory"`
	Reads     bool     `json:"reads"`
}

type result struct {
	Path   string          `json:"path"`
	Holder runlock.Holder  `json:"holder"`
	Other  *runlock.Holder `json:"other,omitempty"`
}

func main() { ansible.Main(documentation, ansible.Rules{}, run) }

func run(_ context.Context, call *ansible.Call, a args) (ansible.Result, error) {
	me, err := runlock.This()
	if err != nil {
		return ansible.Result{}, err
	}
	out := result{Path: runlock.Path(a.Directory, a.Inventory), Holder: me}
	if a.Reads || call.CheckMode {
		out.Other, err = runlock.Other(out.Path, me)
		if out.Other != nil {
			call.Warn("%s runs meanwhile: what is shown here changes while it is being looked at", out.Other)
		}
		return ansible.Result{Msg: "nothing is changed by this run", Data: out}, err
	}
	if err := runlock.Take(out.Path, me); err != nil {
		return ansible.Result{Data: out}, err
	}
	return ansible.Result{Msg: "no other run changes this cluster from here", Data: out}, nil
}
