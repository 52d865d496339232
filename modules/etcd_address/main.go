// etcd_address puts a new address of its host into a member's etcd.conf; see etcd_address.yml.
package main

import (
	"context"
	_ "embed"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/confedit"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/onhost"
)

//go:embed etcd_address.yml
var documentation []byte

type args struct {
	EtcdConf    string   `json:"etcd_conf"`
	ManifestDir string   `json:"manifest_dir"`
	Address     string   `json:"address"`
	Listed      []string `json:"listed"`
	Backup      bool     `json:"backup"`
}

type result struct {
	Before     map[string]*string `json:"before"`
	After      map[string]*string `json:"after"`
	PeerURLs   []string           `json:"peer_urls"`
	ClientURLs []string           `json:"client_urls"`
	Leaves     []listed           `json:"leaves"`
	Restart    bool               `json:"restart"`
	BackupFile string             `json:"backup_file,omitempty"`
}

// listed is a host in the form in which lists of URLs take it.
type listed struct {
	Name    string   `json:"name"`
	Aliases []string `json:"aliases"`
}

func main() { onhost.Main(documentation, ansible.Rules{}, run) }

func (a args) OfHost() (host.Options, error) {
	return host.Options{EtcdConf: a.EtcdConf, ManifestDir: a.ManifestDir}, nil
}

func run(ctx context.Context, call *ansible.Call, a args, h *host.Host) (ansible.Result, error) {
	ip, err := host.OwnAddress(a.Address)
	if err != nil {
		return ansible.Result{}, err
	}
	if !h.Configured() {
		return ansible.Result{}, fault.New(fault.Refused, "%s is not a member's", h.EtcdConf).
			WithHint("put a new machine into [new_etcd] and run add_hosts.yml; etcd_config_backup state=restored brings a lost /etc/etcd back")
	}
	moved, err := move(h.Conf, ip)
	if err != nil {
		return ansible.Result{}, err
	}
	e, err := confedit.Plan(h.EtcdConf, moved.request(h.Config.Name))
	if err != nil {
		return ansible.Result{}, err
	}
	data := &result{Before: e.Before, After: e.After, PeerURLs: moved.list(advertisedPeer), ClientURLs: moved.list(advertisedClient)}
	if data.Leaves, err = moved.leaves(a.Listed); err != nil {
		return ansible.Result{}, err
	}
	if data.Restart, err = dueToRestart(ctx, h, moved); err != nil {
		return ansible.Result{}, err
	}
	return written(call, e, data, a.Backup)
}

// dueToRestart is true where etcd does not run with these URLs, which it reads at its start alone.
func dueToRestart(ctx context.Context, h *host.Host, moved urls) (bool, error) {
	status, err := h.Status(ctx)
	if err != nil || status.Process == nil || status.Process.EnvErr != nil {
		return true, err
	}
	for key, value := range moved.values {
		if !facts.SameURLs(split(status.Process.Env[key]), split(value)) {
			return true, nil
		}
	}
	return false, nil
}

func written(call *ansible.Call, e confedit.Edit, data *result, backup bool) (ansible.Result, error) {
	out := ansible.Result{Changed: e.Changes(), Data: data}
	if !out.Changed {
		return out, nil
	}
	out.Diff = []ansible.Diff{{Before: e.OldLines, After: e.NewLines, BeforeHeader: e.Path, AfterHeader: e.Path}}
	if call.CheckMode {
		return out, nil
	}
	copied, err := e.Save(backup)
	if err != nil {
		return ansible.Result{Data: data}, err
	}
	data.BackupFile = copied
	call.MarkChanged()
	return out, nil
}
