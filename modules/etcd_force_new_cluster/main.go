// etcd_force_new_cluster makes one member a cluster of its own: chapter sections 39.1.3 and 39.2 as one step that can be interrupted
// and run again; see etcd_force_new_cluster.yml.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/force"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/onhost"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/rehearsal"
)

//go:embed etcd_force_new_cluster.yml
var documentation []byte

type args struct {
	host.Options
	Method      string            `json:"method"`
	KeepLogTail bool              `json:"keep_log_tail"`
	Rehearse    string            `json:"rehearse"`
	Expect      *rehearsal.Result `json:"expect"`
}

var rules = ansible.Rules{MutuallyExclusive: [][]string{{"rehearse", "expect"}}}

func main() { onhost.Main(documentation, rules, run) }

func run(ctx context.Context, call *ansible.Call, a args, h *host.Host) (ansible.Result, error) {
	if a.Rehearse != "" {
		return rehearse(ctx, call, h, a)
	}
	f := force.Forcer{Host: h, Method: a.Method, KeepTail: a.KeepLogTail, OnChange: call.MarkChanged}
	if a.Expect != nil {
		if err := checkExpected(a.Expect); err != nil {
			return ansible.Result{}, err
		}
		method, err := rehearsedMethod(a)
		if err != nil {
			return ansible.Result{}, err
		}
		want := a.Expect.Expectation()
		f.Method, f.Rehearsed = method, &want
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

// checkExpected refuses an expectation that lacks a field or has a wrong one: it would be compared with nothing.
func checkExpected(r *rehearsal.Result) error {
	wrong := ""
	switch {
	case r.MemberID == 0:
		wrong = "member_id names no member"
	case r.ClusterID == 0:
		wrong = "cluster_id names no cluster"
	case r.Revision < 1:
		wrong = fmt.Sprint("revision is ", r.Revision)
	case r.Keys < 0:
		wrong = fmt.Sprint("keys is ", r.Keys)
	case r.V2Keys < 0:
		wrong = fmt.Sprint("v2_keys is ", r.V2Keys)
	case !slices.Contains([]string{"", force.ByLog, force.ByFlag}, r.Method):
		wrong = "method is " + strconv.Quote(r.Method)
	default:
		return nil
	}
	return fault.New(fault.Invalid, "argument expect: %s; expected what a rehearsal returned", wrong).
		WithHint("register the call with rehearse, and pass its `rehearsal` on unchanged")
}

// rehearsedMethod is the method of the rehearsal: the run does what was rehearsed.
func rehearsedMethod(a args) (string, error) {
	switch {
	case a.Method == force.Auto && a.Expect.Method != "":
		return a.Expect.Method, nil
	case a.Expect.Method != "" && a.Expect.Method != a.Method:
		return "", fault.New(fault.Invalid, "expect was rehearsed by method=%s, and method is %s", a.Expect.Method, a.Method).
			WithHint("rehearse again with the same method, or leave method out")
	}
	return a.Method, nil
}

type answer struct {
	force.Outcome
	InitialCluster string   `json:"initial_cluster"` // for etcd.conf: this member alone
	Lines          []string `json:"lines"`
}

func initialCluster(p force.Proof) string {
	return facts.JoinInitialCluster(facts.ListedAs(p.Name, p.PeerURLs))
}

// preview says what a run would do, and changes nothing.
func preview(ctx context.Context, f force.Forcer) (ansible.Result, error) {
	would, err := f.Preview(ctx)
	return ansible.Result{Changed: would.Changed, Data: would}, err
}

type rehearsed struct {
	Rehearsal *rehearsal.Result `json:"rehearsal"`
	Skipped   string            `json:"skipped_reason,omitempty"`
	Lines     []string          `json:"lines"`
}

// rehearse does the forced start in isolation, on a private copy of the backup copy, and nothing else. Nothing of it stays.
func rehearse(ctx context.Context, call *ansible.Call, h *host.Host, a args) (ansible.Result, error) {
	if call.CheckMode {
		return ansible.Result{Data: rehearsed{Skipped: "check mode", Lines: []string{"No rehearsal in check mode."}}}, nil
	}
	if !readfile.IsDir(filepath.Join(a.Rehearse, "member")) {
		return ansible.Result{}, fault.New(fault.Invalid, "rehearse: %s is no copy of a data directory; there is no member in it", a.Rehearse).
			WithHint("give the path that etcd_backup method=copy returned; on a snapshot nothing can be rehearsed")
	}
	state, err := member.Read(ctx, a.Rehearse, "")
	if err != nil {
		return ansible.Result{}, fault.Wrap(fault.Invalid, err, "rehearse: read the stopped copy %s", a.Rehearse).
			WithHint("give the path that etcd_backup method=copy returned")
	}
	if room := rehearsal.Room(ctx, a.Rehearse); room != "" {
		call.Warn("no rehearsal: %s", room)
		return ansible.Result{Data: rehearsed{Skipped: room, Lines: []string{"No rehearsal: " + room}}}, nil
	}
	binary, err := h.Binary(ctx, "etcd")
	if err != nil {
		return ansible.Result{}, fault.Wrap(fault.Unsupported, err, "no etcd binary on this host for the rehearsal").
			WithHint("skip it with -e etcd_rehearse=no")
	}
	as, err := h.Account(ctx)
	if err != nil {
		return ansible.Result{}, err
	}
	o := rehearsal.Options{Etcd: binary, As: as, Copy: a.Rehearse, Name: h.Config.Name, Method: a.Method, KeepTail: a.KeepLogTail, Expect: force.FromFiles(state)}
	o.Quota = h.Conf.Get("ETCD_QUOTA_BACKEND_BYTES")
	result, err := rehearsal.Run(ctx, o)
	if err == nil {
		// The rehearsal did not read all of the backup; the rest is read now: all of it must be as it was.
		_, err = backup.VerifyRest(ctx, filepath.Dir(filepath.Clean(a.Rehearse)), result.Read)
	}
	return ansible.Result{Data: rehearsed{Rehearsal: &result, Lines: result.Lines()}}, err
}
