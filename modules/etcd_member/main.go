// etcd_member brings one member of a running cluster's list to what is wanted: added, removed, or with other peer URLs.
package main

import (
	"context"
	_ "embed"
	"strings"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/etcd/membership"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
)

//go:embed etcd_member.yml
var documentation []byte

type args struct {
	host.Options
	etcd.Access
	Name     string   `json:"name"`
	PeerURLs []string `json:"peer_urls"`
	State    string   `json:"state"`
	ID       string   `json:"id"`
	API      string   `json:"api"`
	Replace  bool     `json:"replace"`
	DataGone bool     `json:"data_gone"`
	Start    bool     `json:"start"`
	ProbeMB  int64    `json:"probe_out_above"`
}

var rules = ansible.Rules{IDs: []string{"id"}, Ranges: map[string]ansible.Range{"probe_out_above": {Max: 1 << 20}}}

func main() { ansible.Main(documentation, rules, run) }

func run(ctx context.Context, call *ansible.Call, a args) (ansible.Result, error) {
	if a.Start && a.State != "present" {
		return ansible.Result{}, fault.New(fault.Invalid, "start is for state=present; a member that was removed can never start again")
	}
	want, cfg, err := a.resolve()
	if err != nil {
		return ansible.Result{}, err
	}
	here, err := a.here(ctx)
	if err != nil {
		return ansible.Result{}, err
	}
	start, err := a.ready(ctx, here)
	if err != nil {
		return ansible.Result{}, err
	}
	prepare := a.State == "prepared"
	outcome, err := membership.Apply(ctx, cfg, membership.Request{Want: want, V2: a.API == "v2", Check: call.CheckMode || prepare, Changed: call.MarkChanged})
	if len(outcome.After) == 0 {
		return ansible.Result{}, err
	}
	if !outcome.Quorum && err == nil {
		call.Warn("there is no quorum; the member list is what %s knows", outcome.Source)
	}
	if err != nil {
		return answer(want, outcome), err
	}
	if prepare {
		if err := reachable(ctx, cfg, want, outcome.Before); err != nil {
			return answer(want, outcome), err
		}
		return a.prepare(ctx, call, here, want, outcome)
	}
	return start.run(ctx, call, answer(want, outcome), outcome.DBBytes)
}

// here is this host, where it is acted on beside the member list; nil where it is not: a member is removed from any host.
func (a args) here(ctx context.Context) (*host.Host, error) {
	if !a.Start && a.State != "prepared" {
		return nil, nil
	}
	return host.Load(ctx, a.Options)
}

// resolve completes the arguments from this host's etcd.conf: on a joining host state=present needs none. Which member to remove is never
// guessed.
func (a args) resolve() (membership.Want, etcd.Config, error) {
	want := membership.Want{Present: a.State != "absent", Name: a.Name, PeerURLs: a.PeerURLs, Replace: a.Replace, DataGone: a.DataGone}
	cfg, err := a.Config(a.EtcdConf)
	if err != nil {
		return want, cfg, err
	}
	if a.ID != "" {
		if want.ID, err = facts.ParseID(a.ID); err != nil {
			return want, cfg, err
		}
	}
	for _, url := range want.PeerURLs {
		if _, err := etcd.ParseEndpoint(url); err != nil || !strings.Contains(url, "://") {
			return want, cfg, fault.New(fault.Invalid, "peer_urls: %q is no URL such as https://192.0.2.11:2380", url)
		}
	}
	if !want.Present {
		if want.ID == 0 && want.Name == "" && len(want.PeerURLs) == 0 {
			return want, cfg, fault.New(fault.Invalid, "state=absent needs id, peer_urls or name: the member to remove is never guessed")
		}
		return want, cfg, nil
	}
	return a.complete(want, cfg)
}

func (a args) complete(want membership.Want, cfg etcd.Config) (membership.Want, etcd.Config, error) {
	if want.Name == "" && len(want.PeerURLs) == 0 && want.ID == 0 {
		want.Name, want.PeerURLs = cfg.Name, cfg.OwnPeers
	}
	if len(want.PeerURLs) == 0 {
		return want, cfg, fault.New(fault.Invalid, "peer_urls is not given, and %s has no ETCD_INITIAL_ADVERTISE_PEER_URLS", a.EtcdConf).
			WithHint("give peer_urls, and the name that the host has in ETCD_NAME")
	}
	if want.Name == "" && want.ID == 0 {
		return want, cfg, fault.New(fault.Invalid, "name is not given; expected the host's ETCD_NAME, since ETCD_INITIAL_CLUSTER needs it")
	}
	return want, cfg, nil
}
