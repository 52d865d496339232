// etcd_new_host makes a machine with etcd's package, or with a node service and etcd's image, ready to become a member; see etcd_new_host.yml.
package main

import (
	"context"
	_ "embed"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/onhost"
)

//go:embed etcd_new_host.yml
var documentation []byte

var rules = ansible.Rules{}

type args struct {
	EtcdConf    string   `json:"etcd_conf"`
	ManifestDir string   `json:"manifest_dir"`
	State       string   `json:"state"`
	Sibling     *sibling `json:"sibling"`
	Manifest    string   `json:"manifest"`
	Name        string   `json:"name"`
	Address     string   `json:"address"`
	URLs        []string `json:"urls"`
}

// sibling is what a new host needs of a member's files: no secret is among them. The texts are base64, which no version of Ansible reads as
// anything but text.
type sibling struct {
	Conf    string   `json:"conf"`
	CAFiles []caFile `json:"ca_files"`
}

type caFile struct {
	Path    string `json:"path"`
	Content string `json:"content"`
}

type result struct {
	Sibling  *sibling `json:"sibling,omitempty"`
	Manifest string   `json:"manifest,omitempty"`
	Runtime  string   `json:"runtime,omitempty"`
	PeerURLs []string `json:"peer_urls,omitempty"`
	New      bool     `json:"new"`
	Names    []string `json:"names,omitempty"`
	Files    []string `json:"files,omitempty"`
	SetAside []string `json:"set_aside,omitempty"`
	Lacks    []string `json:"lacks,omitempty"`
}

func main() { ansible.Main(documentation, rules, run) }

func run(ctx context.Context, call *ansible.Call, a args) (ansible.Result, error) {
	if a.State == "reachable" {
		return reachable(ctx, a.URLs)
	}
	return onhost.Loaded(onHost)(ctx, call, a)
}

// OfHost: a new host may have no etcd.conf in the default place.
func (a args) OfHost() (host.Options, error) {
	return host.Options{EtcdConf: a.EtcdConf, ManifestDir: a.ManifestDir}, nil
}

func onHost(ctx context.Context, call *ansible.Call, a args, h *host.Host) (ansible.Result, error) {
	switch {
	case a.State == "info":
		return info(h)
	case a.State == "manifest":
		return readManifest(h)
	case h.Configured():
		return ansible.Result{Msg: h.EtcdConf + " is a member's already; nothing was changed",
			Data: result{Runtime: h.Runtime.Name(), Names: namesOf(h), PeerURLs: h.Config.PeerURLs, Lacks: missing(h.Conf.Get)}}, nil
	case a.Sibling == nil || a.Name == "":
		return ansible.Result{}, fault.New(fault.Invalid, "state=present needs the arguments sibling and name").
			WithHint("sibling is what state=info returns on a member; name is the host's, as its certificates have it")
	}
	runtime, err := ready(ctx, h)
	if err != nil {
		return ansible.Result{}, err
	}
	p, err := a.plan(h, runtime)
	if err != nil {
		return ansible.Result{}, err
	}
	if runtime == facts.StaticPod {
		err = p.hasImage(ctx)
	} else {
		p.uid, p.gid, err = h.UnitUser(ctx)
	}
	if err == nil {
		err = p.harmless(h)
	}
	if err != nil {
		return ansible.Result{}, err
	}
	return p.apply(ctx, call, a, h)
}
