// etcd_force_new_cluster makes one member a cluster of its own: chapter sections 39.1.3 and 39.2 as one step that can be interrupted
// and run again; see etcd_force_new_cluster.yml.
package main

import (
	"context"
	_ "embed"
	"path/filepath"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/force"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/rehearsal"
)

//go:embed etcd_force_new_cluster.yml
var documentation []byte

type args struct {
	EtcdConf    string            `json:"etcd_conf"`
	ManifestDir string            `json:"manifest_dir"`
	DataDir     string            `json:"data_dir"`
	Timeout     int               `json:"timeout"`
	KeepLogTail bool              `json:"keep_log_tail"`
	Rehearse    string            `json:"rehearse"`
	Expect      *rehearsal.Result `json:"expect"`
}

var rules = ansible.Rules{MutuallyExclusive: [][]string{{"rehearse", "expect"}}}

func main() { ansible.Main(documentation, rules, run) }

func run(call *ansible.Call, a args) (ansible.Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(a.Timeout)*time.Second)
	defer cancel()
	h, err := host.Load(ctx, host.Options{EtcdConf: a.EtcdConf, ManifestDir: a.ManifestDir, DataDir: a.DataDir})
	if err != nil {
		return ansible.Result{}, err
	}
	if a.Rehearse != "" {
		return rehearse(ctx, call, h, a)
	}
	f := force.Forcer{Host: h, KeepTail: a.KeepLogTail, OnChange: call.MarkChanged}
	if a.Expect != nil {
		want := a.Expect.Expectation()
		f.Rehearsed = &want
	}
	if call.CheckMode {
		return preview(ctx, f)
	}
	out, err := f.Run(ctx)
	if err == nil {
		err = h.DropBinaries()
	}
	return ansible.Result{Changed: out.Changed, Data: answer{Outcome: out, InitialCluster: initialCluster(out.Member), Lines: out.Lines()}}, err
}

type answer struct {
	force.Outcome
	InitialCluster string   `json:"initial_cluster"` // for etcd.conf: this member alone
	Lines          []string `json:"lines"`
}

func initialCluster(p force.Proof) string {
	return etcd.InitialCluster([]facts.ClusterMember{{Name: p.Name, PeerURLs: p.PeerURLs}})
}

// preview: what a run would do, without a change.
func preview(ctx context.Context, f force.Forcer) (ansible.Result, error) {
	would, err := f.Preview(ctx)
	return ansible.Result{Changed: would.Changed, Data: would}, err
}

type rehearsed struct {
	Rehearsal *rehearsal.Result `json:"rehearsal"`
	Skipped   string            `json:"skipped_reason,omitempty"`
	Lines     []string          `json:"lines"`
}

// rehearse does the forced start in isolation on a private copy of the stopped copy, and nothing else. It changes nothing that is left.
func rehearse(ctx context.Context, call *ansible.Call, h *host.Host, a args) (ansible.Result, error) {
	if call.CheckMode {
		return ansible.Result{Data: rehearsed{Skipped: "check mode", Lines: []string{"No rehearsal in check mode."}}}, nil
	}
	state, err := member.Read(a.Rehearse, "")
	if err != nil {
		return ansible.Result{}, fault.Wrap(fault.Invalid, err, "rehearse: read the stopped copy %s", a.Rehearse).
			WithHint("give the path that etcd_backup method=copy returned")
	}
	if room := rehearsal.Room(a.Rehearse, state); room != "" {
		call.Warn("no rehearsal: %s", room)
		return ansible.Result{Data: rehearsed{Skipped: room, Lines: []string{"No rehearsal: " + room}}}, nil
	}
	binary, err := h.Binary(ctx, "etcd")
	if err != nil {
		return ansible.Result{}, fault.Wrap(fault.Unsupported, err, "no etcd binary on this host for the rehearsal").
			WithHint("skip it with -e etcd_rehearse=no")
	}
	o := rehearsal.Options{Etcd: binary, Copy: a.Rehearse, Name: h.Config.Name, KeepTail: a.KeepLogTail, Expect: force.FromFiles(state)}
	if h.Conf != nil {
		o.Quota, _ = h.Conf.Get("ETCD_QUOTA_BACKEND_BYTES")
	}
	result, err := rehearsal.Run(ctx, o)
	if err == nil {
		// Older segments and snapshots were linked: the copy must be as it was.
		_, err = backup.VerifyRest(ctx, filepath.Dir(filepath.Clean(a.Rehearse)), result.Read)
	}
	return ansible.Result{Data: rehearsed{Rehearsal: &result, Lines: result.Lines()}}, err
}
