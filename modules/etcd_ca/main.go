// Command etcd_ca extends the CA of etcd's certificates with its own key, puts it back from a copy, moves it, and replaces it; see etcd_ca.yml.
package main

import (
	"context"
	"crypto/x509"
	_ "embed"
	"encoding/base64"
	"path/filepath"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/cacopy"
	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/etcdconf"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/opensslca"
	"etcd-quorum-restore/modules/internal/rotation"
)

//go:embed etcd_ca.yml
var documentation []byte

var rules = ansible.Rules{Ranges: map[string]ansible.Range{"days": {Min: 1, Max: 36500}, "below_days": {Min: 0, Max: 36500}, "older_than": {Min: 0, Max: 36500}}}

type args struct {
	State        string   `json:"state"`
	CADir        string   `json:"ca_dir"`
	BelowDays    int      `json:"below_days"`
	Days         int      `json:"days"`
	Certificate  string   `json:"certificate"`
	Readers      []string `json:"readers"`
	EtcdConf     string   `json:"etcd_conf"`
	MasterConfig string   `json:"master_config"`
	FlannelFile  string   `json:"flannel_file"`
	Search       []string `json:"search"`
	Old          []string `json:"old"`
	Reach        string   `json:"reach"`
	OlderThan    int      `json:"older_than"`
	Nodes        []string `json:"nodes"`
	CalicoSecret string   `json:"calico_secret"`
	Step         string   `json:"step"`
	Offer        string   `json:"offer"`
	To           string   `json:"to"`
	Sealed       string   `json:"sealed"`
	Arrived      string   `json:"arrived"`
	Left         string   `json:"left"`

	Hosts map[string]rotation.Host `json:"hosts"`
}

// authority describes the CA's certificate as it is now; info and extended return it. Certificate is base64 of DER.
type authority struct {
	Path        string   `json:"path"`
	Subject     string   `json:"subject"`
	Serial      string   `json:"serial"`
	NotAfter    string   `json:"not_after"`
	ExpiresDays int      `json:"expires_days"`
	Due         bool     `json:"due"`
	Certificate string   `json:"certificate"`
	SetAside    []string `json:"set_aside"`
	From        string   `json:"from,omitempty"`
}

func main() { ansible.Main(documentation, rules, run) }

func run(ctx context.Context, call *ansible.Call, a args) (ansible.Result, error) {
	conf, err := etcdconf.Read(a.EtcdConf)
	if err != nil {
		return ansible.Result{}, err
	}
	switch a.State {
	case "trusted":
		return trusted(call, a, conf)
	case "loaded":
		return loaded(call, a, conf)
	case "restored":
		return restored(ctx, call, a, conf)
	case "renewed":
		return renewed(ctx, call, a, conf)
	case "readers":
		return used(a, conf)
	case "dropped":
		return dropped(call, a, conf)
	case "moved":
		return moved(ctx, call, a, conf)
	}
	if a.State == "extended" && call.CheckMode && !cacopy.There(a.CADir) {
		return wouldExtend(ctx, call, a, conf, time.Now())
	}
	return extended(ctx, call, a, time.Now())
}

// extended also serves state=info, which returns before the first change.
func extended(ctx context.Context, call *ansible.Call, a args, now time.Time) (ansible.Result, error) {
	ca, err := opensslca.Open(ctx, a.CADir, a.State == "extended" && !call.CheckMode)
	if err != nil {
		return ansible.Result{}, err
	}
	defer ca.Close()
	if now.Before(ca.Cert.NotBefore) {
		return ansible.Result{}, fault.New(fault.Refused, "%s is not valid before %s, and now it is %s; nothing was changed", ca.File(), utc(ca.Cert.NotBefore), utc(now)).
			WithHint("set this host's clock right")
	}
	data := describe(ca.File(), ca.Cert, a, now)
	if a.State == "info" || !data.Due {
		return ansible.Result{Data: data}, nil
	}
	end := now.Add(time.Duration(a.Days) * 24 * time.Hour).Truncate(time.Second)
	if !end.After(ca.Cert.NotAfter) {
		return ansible.Result{Data: data}, fault.New(fault.Refused, "%s is valid until %s, and %d days from now end sooner; nothing was changed", ca.File(), data.NotAfter, a.Days).
			WithHint("give a larger number of days")
	}
	return extend(call, a, ca, end, now)
}

func extend(call *ansible.Call, a args, ca *opensslca.CA, end, now time.Time) (ansible.Result, error) {
	c, err := ca.Extended(end)
	if err != nil {
		return ansible.Result{}, err
	}
	w := rewrite{c, false, func(text []byte) ([]byte, bool, bool, error) { return opensslca.Replaced(text, c) }}
	diff, aside, err := w.replaceIn(ca.File(), call.CheckMode)
	shown := ca.Cert
	if !call.CheckMode && err == nil {
		call.MarkChanged()
		shown = c
	}
	data := describe(ca.File(), shown, a, now)
	data.SetAside = append(data.SetAside, aside...)
	return ansible.Result{Changed: true, Data: data, Diff: []ansible.Diff{diff}}, err
}

// replaceIn changes a CA file, and keeps a copy of it. In check mode it says what it would do.
func (w rewrite) replaceIn(path string, check bool) (diff ansible.Diff, aside []string, err error) {
	text, err := edit.Read(path)
	if err != nil {
		return diff, nil, err
	}
	content, found, same, err := w.edit(text)
	if err != nil {
		return diff, nil, fault.Wrap(fault.Invalid, err, "%s", path)
	}
	if !found || same {
		return diff, nil, nil
	}
	old, err := opensslca.FirstCertificate(text)
	if err != nil {
		return diff, nil, fault.Wrap(fault.Invalid, err, "%s", path)
	}
	diff = ansible.Diff{Before: lines(text), After: lines(content), BeforeHeader: path, AfterHeader: path}
	kept, already, err := edit.NameAside(path, until(old))
	if err != nil || check {
		return diff, []string{kept}, err
	}
	copied := kept
	if already {
		copied = ""
	}
	_, err = edit.SaveAs(path, text, content, copied)
	return diff, []string{kept}, err
}

// until is the ending of the name of a certificate's copy: the day on which the certificate ends.
func until(c *x509.Certificate) string { return ".until-" + c.NotAfter.UTC().Format("20060102") }

func describe(path string, c *x509.Certificate, a args, now time.Time) authority {
	left := opensslca.DaysLeft(c, now)
	return authority{
		Path: filepath.Clean(path), Subject: c.Subject.String(), Serial: opensslca.Serial(c), NotAfter: utc(c.NotAfter), ExpiresDays: left,
		Due: left < a.BelowDays, Certificate: base64.StdEncoding.EncodeToString(c.Raw), SetAside: []string{},
	}
}

func line(c *x509.Certificate) string {
	return "serial " + opensslca.Serial(c) + ", until " + utc(c.NotAfter) + "\n"
}

// lines are those of a bundle.
func lines(text []byte) string {
	all, _ := opensslca.Certificates(text) // it was parsed before
	var out strings.Builder
	for _, c := range all {
		out.WriteString(line(c))
	}
	return out.String()
}

func utc(t time.Time) string { return t.UTC().Format(time.RFC3339) }
