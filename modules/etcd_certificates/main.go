// Command etcd_certificates renews etcd's server and peer certificates, and those of its clients; see etcd_certificates.yml.
package main

import (
	"context"
	"crypto/x509"
	_ "embed"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/etcdconf"
	"etcd-quorum-restore/modules/internal/fault"
)

//go:embed etcd_certificates.yml
var documentation []byte

var rules = ansible.Rules{Ranges: map[string]ansible.Range{"days": {Min: 1, Max: 36500}, "below_days": {Min: 0, Max: 36500}}}

type args struct {
	State        string        `json:"state"`
	EtcdConf     string        `json:"etcd_conf"`
	CADir        string        `json:"ca_dir"`
	Names        []string      `json:"names"`
	BelowDays    int           `json:"below_days"`
	All          bool          `json:"all"`
	New          bool          `json:"new"`
	Clients      bool          `json:"clients"`
	MasterConfig string        `json:"master_config"`
	FlannelFile  string        `json:"flannel_file"`
	Issuer       string        `json:"issuer"`
	Requests     []request     `json:"requests"`
	Certificates []certificate `json:"certificates"`
	Days         int           `json:"days"`

	issuer *x509.Certificate // nil where none is given
}

// request goes from a member's host to the CA's host, certificate comes back. Purpose is server, peer, master or flannel. The texts are base64 of DER, without
// PEM's line breaks.
type request struct {
	Purpose string `json:"purpose"`
	Request string `json:"request"`
}

type certificate struct {
	Purpose     string `json:"purpose"`
	Certificate string `json:"certificate"`
	Serial      string `json:"serial,omitempty"`
	NotAfter    string `json:"not_after,omitempty"`
}

func main() { ansible.Main(documentation, rules, run) }

func run(ctx context.Context, call *ansible.Call, a args) (ansible.Result, error) {
	now := time.Now()
	if a.State == "issued" {
		return issued(ctx, call, a, now)
	}
	conf, err := etcdconf.Read(a.EtcdConf)
	if err != nil {
		return ansible.Result{}, err
	}
	a.issuer, err = issuerOf(a.Issuer)
	if err != nil {
		return ansible.Result{}, err
	}
	pairs, err := pairsFor(conf, a)
	if err != nil {
		return ansible.Result{}, err
	}
	switch a.State {
	case "requested":
		return requested(call, a, pairs, now)
	case "installed":
		return installed(call, a, pairs, now)
	}
	return info(call, a, pairs, now)
}

// subjectNames checks and completes the names that the playbook gives: URLs stand for their hosts.
func subjectNames(given []string) ([]string, error) {
	names, err := hostNames(given)
	if err == nil && len(names) == 0 {
		err = fault.New(fault.Invalid, "argument names: expected the names and addresses that the certificates are for, got none").
			WithHint("the host's name first, then its URLs in the member list")
	}
	return names, err
}
