// etcd_quorum_plan decides what to do about a cluster, from the facts of all its hosts. It runs on the control node and touches nothing.
package main

import (
	_ "embed"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/plan"
)

//go:embed etcd_quorum_plan.yml
var documentation []byte

type args struct {
	Hosts        map[string]any `json:"hosts"`
	Earlier      map[string]any `json:"earlier"`
	Order        []string       `json:"order"`
	NewHosts     []string       `json:"new_hosts"`
	Masters      []string       `json:"masters"`
	Addresses    map[string]any `json:"addresses"`
	Prefer       string         `json:"prefer"`
	Unreadable   []string       `json:"unreadable"`
	AcceptLoss   bool           `json:"accept_loss"`
	LostHostsOff bool           `json:"lost_hosts_off"`
	Rejoin       bool           `json:"rejoin"`
	StartFailed  bool           `json:"start_failed"`
	RemoveHost   string         `json:"remove_host"`
	CAMoved      bool           `json:"ca_moved"`
	Decided      plan.Decided   `json:"decided"`
	Inventory    []string       `json:"inventory"`
}

func main() { ansible.Main(documentation, ansible.Rules{}, run) }

func run(call *ansible.Call, a args) (ansible.Result, error) {
	req, err := a.request()
	if err != nil {
		return ansible.Result{}, err
	}
	p := plan.Make(req)
	return ansible.Result{Msg: p.Reason, Data: p}, nil
}

func (a args) request() (plan.Request, error) {
	if len(a.Hosts) == 0 {
		return plan.Request{}, fault.New(fault.Invalid, "hosts is empty; expected the facts of every host of etcd").
			WithHint("the inventory's group [etcd] has no host, or etcd_group names another group")
	}
	hosts, err := plan.DecodeHosts("hosts", a.Hosts)
	if err != nil {
		return plan.Request{}, err
	}
	earlier, err := plan.DecodeHosts("earlier", a.Earlier)
	if err != nil {
		return plan.Request{}, err
	}
	addresses, err := addressLists(a.Addresses)
	return plan.Request{
		Hosts: hosts, Earlier: earlier, Order: a.Order, NewHosts: a.NewHosts, Masters: a.Masters, Addresses: addresses,
		Prefer: a.Prefer, Unreadable: a.Unreadable, AcceptLoss: a.AcceptLoss, LostHostsOff: a.LostHostsOff, Rejoin: a.Rejoin,
		StartFailed: a.StartFailed, RemoveHost: a.RemoveHost, CAMoved: a.CAMoved, Decided: a.Decided, Inventory: a.Inventory,
	}, err
}

// addressLists takes a name or a list of names for each host; a host without any has null or "".
func addressLists(raw map[string]any) (map[string][]string, error) {
	out := map[string][]string{}
	for host, value := range raw {
		switch v := value.(type) {
		case nil:
		case string:
			out[host] = append(out[host], v)
		case []any:
			for _, each := range v {
				if s, ok := each.(string); ok {
					out[host] = append(out[host], s)
				}
			}
		default:
			return nil, fault.New(fault.Invalid, "addresses: expected a name or a list of names for %s, got %v", host, value)
		}
	}
	return out, nil
}
