// etcd_member brings one member of a running cluster's list to what is wanted: added, removed, or with other peer URLs.
package main

import (
	"context"
	_ "embed"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/etcd/membership"
	"etcd-quorum-restore/modules/internal/fault"
)

//go:embed etcd_member.yml
var documentation []byte

type args struct {
	etcd.Access
	Name     string   `json:"name"`
	PeerURLs []string `json:"peer_urls"`
	State    string   `json:"state"`
	ID       string   `json:"id"`
	API      string   `json:"api"`
	Replace  bool     `json:"replace"`
	DataGone bool     `json:"data_gone"`
	Start    bool     `json:"start"`
	Timeout  int      `json:"timeout"`

	ManifestDir string `json:"manifest_dir"`
	DataDir     string `json:"data_dir"`
}

var rules = ansible.Rules{IDs: []string{"id"}}

func main() { ansible.Main(documentation, rules, run) }

func run(call *ansible.Call, a args) (ansible.Result, error) {
	if a.Start && a.State != "present" {
		return ansible.Result{}, fault.New(fault.Invalid, "start is for state=present; a member that was removed can never start again")
	}
	if a.Timeout < 1 {
		return ansible.Result{}, fault.New(fault.Invalid, "timeout is %d; expected at least 1 second", a.Timeout)
	}
	want, cfg, err := a.resolve()
	if err != nil {
		return ansible.Result{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(a.Timeout)*time.Second)
	defer cancel()
	start, err := a.ready(ctx)
	if err != nil {
		return ansible.Result{}, err
	}
	outcome, err := membership.Apply(ctx, cfg, membership.Request{Want: want, V2: a.API == "v2", Check: call.CheckMode, Changed: call.MarkChanged})
	if len(outcome.After) == 0 {
		return ansible.Result{}, err
	}
	if !outcome.Quorum && err == nil {
		call.Warn("there is no quorum; the member list is what %s knows", outcome.Source)
	}
	if err != nil {
		return answer(want, outcome), err
	}
	return start.run(ctx, call, answer(want, outcome))
}

// resolve completes the arguments by this host's etcd.conf: on a joining host state=present needs none. A removal is never guessed.
func (a args) resolve() (membership.Want, etcd.Config, error) {
	want := membership.Want{Present: a.State == "present", ID: strings.ToLower(a.ID), Name: a.Name, PeerURLs: a.PeerURLs, Replace: a.Replace, DataGone: a.DataGone}
	cfg, err := a.Config()
	if err != nil {
		return want, cfg, err
	}
	if want.ID != "" {
		number, err := etcd.ParseID(want.ID)
		if err != nil {
			return want, cfg, err
		}
		want.ID = etcd.FormatID(number)
	}
	for _, url := range want.PeerURLs {
		if _, err := etcd.ParseEndpoint(url); err != nil || !strings.Contains(url, "://") {
			return want, cfg, fault.New(fault.Invalid, "peer_urls: %q is no URL such as https://192.0.2.11:2380", url)
		}
	}
	if !want.Present {
		if want.ID == "" && want.Name == "" && len(want.PeerURLs) == 0 {
			return want, cfg, fault.New(fault.Invalid, "state=absent needs id, peer_urls or name: which member shall go is never guessed")
		}
		return want, cfg, nil
	}
	return a.complete(want, cfg)
}

func (a args) complete(want membership.Want, cfg etcd.Config) (membership.Want, etcd.Config, error) {
	if want.Name == "" && len(want.PeerURLs) == 0 && want.ID == "" {
		want.Name, want.PeerURLs = cfg.Name, cfg.OwnPeers
	}
	if len(want.PeerURLs) == 0 {
		return want, cfg, fault.New(fault.Invalid, "peer_urls is not given, and %s has no ETCD_INITIAL_ADVERTISE_PEER_URLS", a.EtcdConf).
			WithHint("give peer_urls, and the name that the host has in ETCD_NAME")
	}
	if want.Name == "" && want.ID == "" {
		return want, cfg, fault.New(fault.Invalid, "name is not given; expected the host's ETCD_NAME, since ETCD_INITIAL_CLUSTER needs it")
	}
	return want, cfg, nil
}
