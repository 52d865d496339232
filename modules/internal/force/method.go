package force

import (
	"context"
	"errors"
	"strings"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/member"
)

// Methods of a forced start.
const (
	ByLog  = "log"  // the removal of the others is written to the stopped member's log; one plain start
	ByFlag = "flag" // etcd starts once with --force-new-cluster, and once more without
	Auto   = "auto" // by the log where that is shown to do what the flag does, else by the flag
)

// MethodFor chooses by the version of etcd. It is shown for 3.2 that a start by the log gives what the flag gives (molecule/walcheck).
func MethodFor(method, version string) string {
	switch {
	case method != Auto && method != "":
		return method
	case strings.HasPrefix(version, "3.2."):
		return ByLog
	}
	return ByFlag
}

// method is that of the start that was begun, if one was. Where a record of an older version asked for the start, it was by the flag.
func (f *Forcer) method(ctx context.Context, s situation) string {
	switch {
	case s.record != nil && s.record.Method != "":
		return s.record.Method
	case s.record != nil && s.record.Phase == phaseStart:
		return ByFlag
	case f.Method == Auto || f.Method == "":
		return MethodFor(Auto, f.Host.Version(ctx))
	}
	return f.Method
}

// forceByLog writes the record, then makes one write to the log: from then on every start is that of the single member. No flag is set anywhere.
func (f *Forcer) forceByLog(ctx context.Context, s situation, out *Outcome) error {
	if err := f.record(s, phaseBegun); err != nil {
		return err
	}
	if err := f.nobodyElse(ctx, s.state); err != nil { // once more: the next write cannot be undone
		return err
	}
	written, err := member.ForceNewCluster(ctx, f.Host.DataDir, f.Host.Config.WALDir, f.KeepTail)
	if err != nil {
		return err
	}
	if f.KeepTail {
		out.Kept = written.Tail()
	} else {
		out.GivenUp = s.state.TailEntries()
	}
	return f.record(s, phaseProven)
}

// startAlone starts the single member without a flag, to stay, and proves it. One that ends, or lacks what it must hold, is stopped and fenced
// again, so that nobody writes to it.
func (f *Forcer) startAlone(ctx context.Context, s situation, out *Outcome) (err error) {
	if err := f.Host.DropProbe(); err != nil {
		return err
	}
	if err := f.Host.Unfence(ctx); err != nil {
		return fault.Wrap(fault.Internal, err, "take the fence back")
	}
	if _, err = f.Host.Start(ctx, host.StartOptions{Wait: host.WaitProcess}); err == nil {
		err = f.proveAlone(ctx, s, out)
	}
	if kind := fault.KindOf(err); err == nil || kind == fault.Timeout || kind == fault.Unreachable {
		return err // a large database may still be loading: the next run waits again
	}
	return f.stopAgain(ctx, s, err)
}

func (f *Forcer) proveAlone(ctx context.Context, s situation, out *Outcome) (err error) {
	earlier := out.Member
	if out.Member, err = f.prove(ctx, f.wants(s)); err != nil {
		return err
	}
	if err := out.Member.goesOnFrom(earlier); err != nil {
		return err
	}
	if s.method == ByLog { // by the flag, keptAll has checked the start before this one
		return f.keptAll(ctx)
	}
	return nil
}

func (f *Forcer) stopAgain(ctx context.Context, s situation, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), host.DefaultLimit)
	defer cancel()
	var err error
	if s.status.Fence != nil {
		_, err = f.Host.Fence(ctx, *s.status.Fence)
	} else {
		err = f.fence(ctx, s.state)
	}
	if err != nil {
		return errors.Join(cause, fault.Wrap(fault.Internal, err, "stop it again"))
	}
	again := fault.Wrap(fault.KindOf(cause), cause, "the member was started, and is stopped and fenced again")
	if again.Hint == "" {
		again = again.WithHint("the stopped copy holds the data as they were; what etcd logged: ansible HOST -m etcd_log_info")
	}
	return again
}
