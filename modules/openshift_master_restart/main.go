// openshift_master_restart restarts a master's API and controllers while etcd has quorum, and proves that it happened.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/masters"
)

//go:embed openshift_master_restart.yml
var documentation []byte

type args struct {
	etcd.Access
	Components []string `json:"components"`
	Path       string   `json:"path"`
	Command    string   `json:"command"`
	Quorum     bool     `json:"quorum"`
}

type result struct {
	Seconds  float64           `json:"seconds"`
	Health   map[string]string `json:"health"`
	Revision int64             `json:"revision"`     // etcd's, by the read that proved its quorum
	Node     bool              `json:"node_started"` // the kubelet was down
}

func main() { ansible.Main(documentation, ansible.Rules{}, run) }

func run(ctx context.Context, call *ansible.Call, a args) (ansible.Result, error) {
	components, err := masters.Components(a.Path, a.Components)
	if err != nil {
		return ansible.Result{}, err
	}
	if !a.Quorum {
		return a.look(call, components)
	}
	begin := time.Now()
	data := result{Health: map[string]string{}}
	if data.Revision, err = a.quorum(ctx); err != nil {
		return ansible.Result{Data: data}, err
	}
	if data.Node, err = node(ctx, call); err != nil {
		return ansible.Result{Data: data}, err
	}
	for _, c := range components {
		if call.CheckMode {
			data.Health[c.Name] = c.Health(ctx)
			continue
		}
		call.MarkChanged()
		seen, err := masters.Restart(ctx, a.Command, c)
		data.Health[c.Name], data.Seconds = seen.Health, time.Since(begin).Seconds()
		if err != nil {
			return ansible.Result{Data: data}, err
		}
	}
	return ansible.Result{Changed: len(components) > 0, Msg: message(call.CheckMode, components), Data: data}, nil
}

// look says, while etcd has no quorum, whether files would prevent the restart.
func (a args) look(call *ansible.Call, components []masters.Component) (ansible.Result, error) {
	if !call.CheckMode {
		return ansible.Result{}, fault.New(fault.Invalid, "quorum=no is for check mode: without a quorum the API would hang at its start")
	}
	if _, err := a.OfMaster(a.Path); err != nil {
		return ansible.Result{}, err
	}
	if _, err := exec.LookPath(a.Command); err != nil {
		return ansible.Result{}, fault.Wrap(fault.Invalid, err, "the command that restarts API and controllers").WithHint("install it again, or name it: command=…")
	}
	return ansible.Result{Msg: message(true, components)}, nil
}

// node starts the kubelet where it is down, as the chapter leaves it: without it no pod comes back.
func node(ctx context.Context, call *ansible.Call) (started bool, err error) {
	h, err := host.Load(ctx, host.Options{})
	if err != nil {
		return false, err
	}
	down, err := h.NodeDown(ctx)
	if err != nil || !down || call.CheckMode {
		return false, err
	}
	call.MarkChanged()
	return true, h.StartNode(ctx)
}

// quorum asks the very members that the API will ask: the API's start reads from etcd without a deadline, and without quorum it would hang, while
// the old process still answered reads from its cache.
func (a args) quorum(ctx context.Context) (int64, error) {
	cfg, err := a.OfMaster(a.Path)
	if err != nil {
		return 0, err
	}
	client, err := etcd.DialQuorum(ctx, cfg)
	if err == nil {
		defer client.Close()
		var revision int64
		if revision, err = client.LinearizableRead(ctx); err == nil {
			return revision, nil
		}
	}
	refusal := fault.New(fault.Refused, "no etcd of etcdClientInfo.urls serves with quorum, so the API would hang at its start; nothing was restarted (%v)", err)
	return 0, refusal.WithHint("where etcd has quorum, this master cannot use it: compare etcdClientInfo.urls of %s with the members, and look at ports and certificates "+
		"between the two; to see whether etcd has quorum: ansible-playbook playbooks/check_quorum.yml", a.Path)
}

func message(check bool, components []masters.Component) string {
	var names []string
	for _, c := range components {
		names = append(names, c.Name)
	}
	if check {
		return fmt.Sprintf("%s would be restarted", strings.Join(names, " and "))
	}
	return fmt.Sprintf("%s restarted: new processes listen and answer", strings.Join(names, " and "))
}
