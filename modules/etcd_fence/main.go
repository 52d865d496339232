// etcd_fence keeps a host's etcd from running, or takes that back.
package main

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"math"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/onhost"
)

//go:embed etcd_fence.yml
var documentation []byte

type args struct {
	host.Options
	State      string `json:"state"`
	Why        string `json:"why"`
	Kind       string `json:"kind"`
	Survivor   string `json:"survivor"`
	Run        string `json:"run"`
	KeepData   bool   `json:"keep_data"`
	StartAgain bool   `json:"start_again"`
	KeepBins   bool   `json:"keep_binaries"` // of a static pod only
	SeenTerm   *int64 `json:"seen_term"`
	SeenIndex  *int64 `json:"seen_index"`
}

type result struct {
	Runtime  string         `json:"runtime"`
	State    string         `json:"state"`
	Fenced   *facts.Fence   `json:"fenced"`
	Moved    bool           `json:"moved"`
	Seconds  float64        `json:"seconds"`
	Evidence *host.Evidence `json:"evidence,omitempty"`
}

var rules = ansible.Rules{Ranges: map[string]ansible.Range{"seen_term": {Max: math.MaxInt64}, "seen_index": {Max: math.MaxInt64}}}

func main() { onhost.Main(documentation, rules, run) }

func run(ctx context.Context, call *ansible.Call, a args, h *host.Host) (ansible.Result, error) {
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
	record, err := recordFor(ctx, a, h, before)
	if err != nil {
		return ansible.Result{}, err
	}
	fresh := before.Fence == nil || *before.Fence != record
	changed := fresh || before.State != facts.Fenced
	if call.CheckMode {
		return ansible.Result{Changed: changed, Msg: fenceMessage(changed, true, record), Data: result{State: before.State, Fenced: before.Fence}}, nil
	}
	if changed {
		call.MarkChanged() // nothing is undone after a failure, so even the first step may have left a change
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
	data.Moved, err = moved(ctx, a, h)
	return ansible.Result{Changed: changed, Msg: fenceMessage(changed, false, record), Data: data}, err
}

// moved tells whether the log ends elsewhere than it did when somebody decided to fence this host: then its etcd has taken part in a cluster
// that went on meanwhile, or in a new one. Now that it is stopped, that can be told for certain.
func moved(ctx context.Context, a args, h *host.Host) (bool, error) {
	if a.SeenTerm == nil && a.SeenIndex == nil {
		return false, nil
	}
	var term, index int64 // 0 without data, and where they cannot be read, as in etcd_host_info
	s, err := member.Read(ctx, h.DataDir, h.Config.WALDir)
	if fault.KindOf(err) == fault.Timeout {
		return false, fault.Wrap(fault.Timeout, err, "etcd is fenced, and whether its log has advanced is not known")
	}
	if err == nil {
		term, index = int64(s.LastTerm), int64(s.LastIndex)
	}
	return a.SeenTerm != nil && *a.SeenTerm != term || a.SeenIndex != nil && *a.SeenIndex != index, nil
}

// notFenced says what holds after a failure, which ends a run between its fences.
func notFenced(err error) error {
	next := "hosts that are already fenced stay fenced, check_quorum.yml lists them; fix the cause, then run the same command again"
	if hint := fault.HintOf(err); hint != "" {
		next = hint + "; " + next
	}
	return fault.Wrap(fault.Internal, err, "this host could not be fenced").WithHint("%s", next)
}

// recordFor keeps the record of an earlier run, with its date and the member that was found then; only what this run knows better is replaced.
func recordFor(ctx context.Context, a args, h *host.Host, before host.Status) (facts.Fence, error) {
	member, err := h.Member()
	if err != nil {
		member = nil // a log that cannot be read must not keep its host from being fenced
	}
	asked := facts.Fence{Why: a.Why, Kind: a.Kind, Survivor: a.Survivor, Run: a.Run}
	old := before.Fence
	if old == nil || old.When == "" {
		asked.Ran, err = ran(ctx, h, before)
		return host.Stamp(asked, member), err
	}
	kept := *old
	if saysMore(asked, *old) {
		kept.Why, kept.Kind, kept.Survivor, kept.Run = asked.Why, asked.Kind, asked.Survivor, asked.Run
		kept.Earlier = earlier(asked, *old)
	}
	return kept, nil
}

// ran is true where etcd runs or is to run on this host, also where an interrupted run that lifts the fence still has to start it.
func ran(ctx context.Context, h *host.Host, before host.Status) (bool, error) {
	half, err := h.PutBackRecord()
	if err != nil || half != nil {
		return half != nil, err
	}
	return h.IsToRun(ctx, before)
}

// earlier keeps the survivor of an older fence, which went on without this host: a record for another survivor, or of another kind, would forget
// it. Within one run the survivor may change: nothing was forced until then.
func earlier(asked, old facts.Fence) string {
	same := old.Kind == facts.FenceRecovery && (old.Survivor == asked.Survivor || old.Run != "" && old.Run == asked.Run)
	if same || asked.Kind != facts.FenceRecovery {
		return old.Earlier
	}
	return strings.Trim(old.Earlier+","+cmp.Or(old.Survivor, facts.UnknownSurvivor), ",")
}

// saysMore is true where this run knows more than the record does: a run that does not know the survivor must not erase the name.
func saysMore(asked, old facts.Fence) bool {
	same := asked.Kind == old.Kind && asked.Survivor == old.Survivor && asked.Run == old.Run
	known := asked.Survivor != "" && (asked.Survivor != facts.UnknownSurvivor || old.Survivor == "")
	return known && !same
}

func fenceMessage(changed, would bool, record facts.Fence) string {
	switch {
	case !changed:
		return "etcd is fenced on this host already, since " + record.When
	case would:
		return "etcd would be stopped and fenced on this host; its data would stay where it is"
	}
	return "etcd is fenced on this host: verified stopped and blocked from starting; its data is where it was"
}

func lift(ctx context.Context, call *ansible.Call, a args, h *host.Host, before host.Status) (ansible.Result, error) {
	data := result{State: before.State}
	half, err := h.PutBackRecord()
	if err != nil {
		return ansible.Result{Data: data}, err
	}
	if a.StartAgain && (half != nil || before.Fence != nil && before.Fence.Ran) {
		return liftAndStart(ctx, call, a, h, before)
	}
	if before.Fence == nil && !h.Runtime.IsBlocked() {
		return ansible.Result{Msg: "etcd is not fenced on this host", Data: data}, nil
	}
	if err := h.MayUnfence(a.KeepData); err != nil {
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

// liftAndStart lifts the fence and starts etcd. After a kill between the two, the next run starts it.
func liftAndStart(ctx context.Context, call *ansible.Call, a args, h *host.Host, before host.Status) (ansible.Result, error) {
	data := result{State: before.State, Fenced: before.Fence}
	if err := h.MayUnfence(a.KeepData); err != nil {
		return ansible.Result{Data: data}, err
	}
	if call.CheckMode {
		return ansible.Result{Changed: true, Msg: "etcd would be started again on this host, with its data", Data: data}, nil
	}
	call.MarkChanged()
	if before.Fence != nil {
		if err := h.UnfenceToStart(ctx); err != nil {
			return ansible.Result{Data: data}, err
		}
	}
	data.Fenced = nil
	if err := errors.Join(h.Runtime.Unblock(ctx), h.DropBinaries()); err != nil {
		return ansible.Result{Data: data}, err
	}
	if _, err := h.Start(ctx, host.StartOptions{Wait: host.WaitProcess}); err != nil {
		return ansible.Result{Data: data}, err
	}
	after, err := h.Status(ctx)
	data.State = after.State
	return ansible.Result{Changed: true, Msg: "etcd runs again on this host, with its data", Data: data}, err
}
