// etcd_run_lock refuses a second run of the playbooks while one changes the same cluster. It runs on the control node.
package main

import (
	"context"
	_ "embed"
	"errors"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/runlock"
)

//go:embed etcd_run_lock.yml
var documentation []byte

type args struct {
	Inventory []string `json:"inventory"`
	Directory string   `json:"directory"`
	Reads     bool     `json:"reads"`
	State     string   `json:"state"`
	Hosts     []string `json:"hosts"`
	WayOn     string   `json:"way_on"`

	Holder *runlock.Holder `json:"holder"`
}

type result struct {
	Path   string          `json:"path"`
	Holder runlock.Holder  `json:"holder"`
	Other  *runlock.Holder `json:"other,omitempty"`
}

func main() { ansible.Main(documentation, ansible.Rules{}, run) }

func run(_ context.Context, call *ansible.Call, a args) (ansible.Result, error) {
	if a.Holder != nil || a.State == "absent" {
		return onHost(call, a)
	}
	if len(a.Inventory) == 0 {
		return ansible.Result{}, fault.New(fault.Invalid, "inventory: expected the inventories of the run, or holder on a host of etcd")
	}
	me, err := runlock.This()
	if err != nil {
		return ansible.Result{}, err
	}
	out := result{Path: runlock.Path(a.Directory, a.Inventory), Holder: me}
	if out.Holder.Beside, err = runlock.Beside(out.Path, me); err != nil {
		return ansible.Result{}, err
	}
	if a.Reads || call.CheckMode {
		out.Other, err = runlock.Other(out.Path, me)
		if out.Other != nil {
			call.Warn("%s is running: what is shown here may change", out.Other)
		}
		return ansible.Result{Msg: "nothing is changed by this run", Data: out}, err
	}
	if err := runlock.Take(out.Path, me); err != nil {
		return ansible.Result{Data: out}, withWayOn(err, a.WayOn)
	}
	return ansible.Result{Msg: "no other run changes this cluster from here", Data: out}, nil
}

// onHost takes or gives back the lock of a host of etcd, which runs of other control nodes see as well.
func onHost(call *ansible.Call, a args) (ansible.Result, error) {
	out := result{Path: runlock.HostPath(a.Directory)}
	if a.State == "absent" {
		if call.CheckMode {
			return ansible.Result{Msg: "nothing is changed by this run", Data: out}, nil
		}
		return ansible.Result{Msg: "no run has this host's lock", Data: out}, runlock.GiveBack(out.Path, a.Holder)
	}
	if a.Holder.PID <= 0 || a.Holder.Boot == "" {
		return ansible.Result{}, fault.New(fault.Invalid, "holder: expected what this module returned on the control node")
	}
	out.Holder = *a.Holder
	var err error
	if a.Reads {
		if out.Other, err = runlock.HeldHost(out.Path, *a.Holder); out.Other != nil {
			call.Warn("%s on %s has this host's lock, and this run continues beside it", out.Other, out.Other.Node)
		}
		return ansible.Result{Msg: "this run takes no lock", Data: out}, err
	}
	if out.Other, err = runlock.TakeHost(out.Path, *a.Holder, a.Hosts, !call.CheckMode); out.Other != nil {
		call.Warn("%s on %s held this host's lock too long; it is treated as ended", out.Other, out.Other.Node)
	}
	return ansible.Result{Msg: "no run of another control node has this host's lock", Data: out}, withWayOn(err, a.WayOn)
}

// withWayOn adds the command that continues all the same, where the playbook has one.
func withWayOn(err error, playbook string) error {
	var refused *fault.Error
	if playbook == "" || !errors.As(err, &refused) || refused.Kind != fault.Refused {
		return err
	}
	return refused.WithHint("%s. If it cannot wait, this runs beside it: ansible-playbook %s", refused.Hint, "playbooks/"+playbook)
}
