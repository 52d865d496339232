// openshift_master_restart restarts a master's API and controllers while etcd has quorum, and proves that it happened.
package main

import (
	"context"
	_ "embed"
	"fmt"
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
	Components []string `json:"components"`
	Path       string   `json:"path"`
	Command    string   `json:"command"`
	Endpoints  []string `json:"endpoints"`
	CACert     string   `json:"ca_cert"`
	ClientCert string   `json:"client_cert"`
	ClientKey  string   `json:"client_key"`
	Timeout    int      `json:"timeout"`
}

type result struct {
	Seconds  float64           `json:"seconds"`
	Health   map[string]string `json:"health"`
	Revision int64             `json:"revision"`     // etcd's, by the read that proved its quorum
	Node     bool              `json:"node_started"` // the kubelet was down
}

func main() { ansible.Main(documentation, ansible.Rules{}, run) }

func run(call *ansible.Call, a args) (ansible.Result, error) {
	if a.Timeout < 1 {
		return ansible.Result{}, fault.New(fault.Invalid, "timeout is %d; expected 1 or more seconds", a.Timeout)
	}
	components, err := masters.Components(a.Path, a.Components)
	if err != nil {
		return ansible.Result{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(a.Timeout)*time.Second)
	defer cancel()
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

// node starts the kubelet where it is down, as the chapter leaves it: without one no pod comes back.
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

// quorum is asked of the very members that the API will ask: its start reads from etcd without a deadline, and without a quorum it
// would hang where the old process still answered reads from its cache.
func (a args) quorum(ctx context.Context) (int64, error) {
	access := etcd.Access{MasterConfig: a.Path, Endpoints: a.Endpoints, CACert: a.CACert, ClientCert: a.ClientCert, ClientKey: a.ClientKey}
	cfg, err := access.Config()
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
	return 0, refusal.WithHint("restore the quorum first: ansible-playbook playbooks/check_quorum.yml says what it needs")
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
