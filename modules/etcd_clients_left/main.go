// etcd_clients_left records on a host of etcd which clients still have to be changed, for the next run, from any control node.
package main

import (
	"context"
	_ "embed"
	"reflect"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/etcdconf"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/record"
	"etcd-quorum-restore/modules/internal/safefile"
)

//go:embed etcd_clients_left.yml
var documentation []byte

type args struct {
	EtcdConf string         `json:"etcd_conf"`
	Restart  []string       `json:"restart"`
	Remove   []facts.Client `json:"remove"`
	Lost     bool           `json:"lost"`
}

type result struct {
	Path string `json:"path"`
}

func main() { ansible.Main(documentation, ansible.Rules{}, run) }

func run(_ context.Context, call *ansible.Call, a args) (ansible.Result, error) {
	if i := slices.IndexFunc(a.Restart, func(name string) bool { return strings.TrimSpace(name) == "" }); i >= 0 {
		return ansible.Result{}, fault.New(fault.Invalid, "restart: expected names of hosts, found an empty one")
	}
	if i := slices.IndexFunc(a.Remove, func(c facts.Client) bool { return strings.TrimSpace(c.Name) == "" }); i >= 0 {
		return ansible.Result{}, fault.New(fault.Invalid, "remove: expected {name: …, aliases: […]}, found one without a name")
	}
	conf, err := etcdconf.Read(a.EtcdConf)
	if err != nil {
		return ansible.Result{}, err
	}
	if conf.File == nil {
		return ansible.Result{}, fault.New(fault.Invalid, "argument etcd_conf: this is not a host of etcd, there is no %s", conf.Path).WithHint("run it on hosts of etcd")
	}
	path := facts.ClientsLeftPath(conf.Path)
	want := facts.ClientsLeft{Restart: a.Restart, Remove: a.Remove, Lost: a.Lost}
	if len(want.Restart)+len(want.Remove) == 0 {
		return nothingLeft(call, path)
	}
	answer := ansible.Result{Data: result{path}, Msg: "clients that are left to do are recorded: " + strings.Join(append(want.Restart, names(want.Remove)...), ", ")}
	if is, err := record.Read[facts.ClientsLeft](path); err == nil && is != nil && reflect.DeepEqual(*is, want) {
		return answer, nil // a record that cannot be read is written anew
	}
	answer.Changed = true
	if call.CheckMode {
		return answer, nil
	}
	call.MarkChanged()
	return answer, record.Write(path, want)
}

func names(clients []facts.Client) []string {
	var out []string
	for _, c := range clients {
		out = append(out, "without "+c.Name)
	}
	return out
}

func nothingLeft(call *ansible.Call, path string) (ansible.Result, error) {
	answer := ansible.Result{Data: result{path}, Msg: "no client is left to do"}
	if !readfile.Exists(path) {
		return answer, nil
	}
	answer.Changed = true
	if call.CheckMode {
		return answer, nil
	}
	call.MarkChanged()
	return answer, safefile.Remove(path)
}
