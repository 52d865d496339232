// etcd_fence keeps a host's etcd from running, or takes that back.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/member"
)

//go:embed etcd_fence.yml
var documentation []byte

type args struct {
	State       string `json:"state"`
	Why         string `json:"why"`
	Survivor    string `json:"survivor"`
	KeepData    bool   `json:"keep_data"`
	KeepBins    bool   `json:"keep_binaries"` // of a static pod only
	SeenTerm    *int64 `json:"seen_term"`
	SeenIndex   *int64 `json:"seen_index"`
	EtcdConf    string `json:"etcd_conf"`
	ManifestDir string `json:"manifest_dir"`
	DataDir     string `json:"data_dir"`
	Timeout     int    `json:"timeout"`
}

type result struct {
	Runtime  string         `json:"runtime"`
	State    string         `json:"state"`
	Fenced   *facts.Fence   `json:"fenced"`
	Moved    bool           `json:"moved"`
	Seconds  float64        `json:"seconds"`
	Evidence *host.Evidence `json:"evidence,omitempty"`
}

func main() { ansible.Main(documentation, ansible.Rules{}, run) }

func run(call *ansible.Call, a args) (ansible.Result, error) {
	if a.Timeout < 1 {
		return ansible.Result{}, fault.New(fault.Invalid, "timeout is %d; expected 1 or more seconds", a.Timeout)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(a.Timeout)*time.Second)
	defer cancel()
	h, err := host.Load(ctx, host.Options{EtcdConf: a.EtcdConf, ManifestDir: a.ManifestDir, DataDir: a.DataDir})
	if err != nil {
		return ansible.Result{}, err
	}
	before, err := h.Status(ctx)
	if err != nil {
		return ansible.Result{}, err
	}
	begin := time.Now()
	act := fence
	if a.State == "absent" {
		act = lift
	}
	out, err := act(ctx, call, a, h, before)
	if data, ok := out.Data.(result); ok {
		data.Runtime, data.Seconds = h.Runtime.Name(), time.Since(begin).Seconds()
		out.Data = data
	}
	return out, err
}

// fence runs all its steps even where the record is there already: an earlier run may have been killed after any of them.
func fence(ctx context.Context, call *ansible.Call, a args, h *host.Host, before host.Status) (ansible.Result, error) {
	record, err := recordFor(a, h, before.Fence)
	if err != nil {
		return ansible.Result{}, err
	}
	fresh := before.Fence == nil || *before.Fence != record
	changed := fresh || before.State != facts.Fenced
	if call.CheckMode {
		return ansible.Result{Changed: changed, Msg: fenceMessage(changed, true, record), Data: result{State: before.State, Fenced: before.Fence}}, nil
	}
	if changed {
		call.MarkChanged() // nothing is put back, so even a failure of the first step may have left something
	}
	if a.KeepBins {
		if err := h.KeepBinaries(ctx); err != nil {
			call.Warn("%v; the rehearsal takes them out of the image", err) // no reason not to fence
		}
	}
	evidence, err := h.Fence(ctx, record)
	data := result{State: facts.Fenced, Fenced: &record, Evidence: &evidence}
	if err != nil {
		data.State, data.Fenced = before.State, nil
		return ansible.Result{Data: data}, notFenced(err)
	}
	data.Moved = moved(a, h)
	return ansible.Result{Changed: changed, Msg: fenceMessage(changed, false, record), Data: data}, nil
}

// moved tells whether the log ends elsewhere than it did when somebody decided to fence this host: then its etcd has taken part in a cluster
// that went on meanwhile, or in a new one. Now that it is stopped, that can be told for certain.
func moved(a args, h *host.Host) bool {
	if a.SeenTerm == nil && a.SeenIndex == nil {
		return false
	}
	var term, index int64 // 0 without data, and where they cannot be read, as in etcd_host_info
	if s, err := member.Read(h.DataDir, h.Config.WALDir); err == nil {
		term, index = int64(s.LastTerm), int64(s.LastIndex)
	}
	return a.SeenTerm != nil && *a.SeenTerm != term || a.SeenIndex != nil && *a.SeenIndex != index
}

// notFenced says what stands after a failure, which ends a run in the middle of its fences.
func notFenced(err error) error {
	next := "other hosts that are fenced by now stay fenced, check_quorum.yml lists them; mend the cause, then run the same command again"
	if hint := fault.HintOf(err); hint != "" {
		next = hint + "; " + next
	}
	return fault.Wrap(fault.Internal, err, "this host could not be fenced").WithHint("%s", next)
}

// recordFor keeps the record of an earlier run, except for what this run says differently: the first date and the member that was
// found then are worth more than today's.
func recordFor(a args, h *host.Host, old *facts.Fence) (facts.Fence, error) {
	member, err := h.Member()
	if err != nil {
		member = nil // a log that cannot be read must not keep its host from being fenced
	}
	record := host.NewFence(a.Why, a.Survivor, member)
	if old == nil || old.When == "" {
		return record, nil
	}
	kept := *old
	if a.Survivor != "" && a.Survivor != old.Survivor {
		kept.Survivor, kept.Why = a.Survivor, a.Why
	}
	return kept, nil
}

func fenceMessage(changed, would bool, record facts.Fence) string {
	switch {
	case !changed:
		return "etcd is fenced on this host already, since " + record.When
	case would:
		return "etcd would be stopped and fenced on this host; its data would stay where it is"
	}
	return "etcd is fenced on this host: stopped, proven gone, and it cannot start; its data is where it was"
}

func lift(ctx context.Context, call *ansible.Call, a args, h *host.Host, before host.Status) (ansible.Result, error) {
	data := result{State: before.State}
	if before.Fence == nil && !h.Runtime.HasBar() {
		return ansible.Result{Msg: "etcd is not fenced on this host", Data: data}, nil
	}
	if err := mayLift(a, h); err != nil {
		data.Fenced = before.Fence
		return ansible.Result{Data: data}, err
	}
	if call.CheckMode {
		data.Fenced = before.Fence
		return ansible.Result{Changed: true, Msg: "etcd could be started again on this host", Data: data}, nil
	}
	call.MarkChanged()
	if err := errors.Join(h.Unfence(ctx), h.DropBinaries()); err != nil {
		return ansible.Result{Data: data}, err
	}
	after, err := h.Status(ctx)
	data.State = after.State
	return ansible.Result{Changed: true, Msg: "etcd can be started again on this host; it was not started", Data: data}, err
}

// mayLift refuses where an old member could come back with its data: two of them are a majority of the old cluster, and serve.
func mayLift(a args, h *host.Host) error {
	if forcing, err := h.IsForcing(); err != nil || forcing {
		return fault.New(fault.Refused, "a forced start has begun on this host and is not proven yet (%s); only etcd_force_new_cluster takes this fence away", h.ForcingFile()).
			WithHint("run restore_quorum.yml again: it finishes what was begun")
	}
	data, err := h.HasMember()
	if err != nil {
		return err
	}
	if !data || a.KeepData {
		return nil
	}
	return fault.New(fault.Refused, "%s holds the data of %s; started with it, etcd could form the old cluster again with another old member", h.DataDir, owner(h)).
		WithHint("move it aside by etcd_data_dir state=set_aside, then run this again; keep_data=yes is only for a member that is to start with this very data")
}

func owner(h *host.Host) string {
	m, err := h.Member()
	if err != nil || m == nil {
		return "a member whose log cannot be read"
	}
	return fmt.Sprintf("member %s of cluster %s", m.ID, m.ClusterID)
}
