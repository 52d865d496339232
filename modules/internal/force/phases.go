package force

import (
	"context"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/safefile"
)

// force fences, then forces by the log or by the flag.
func (f *Forcer) force(ctx context.Context, s situation, out *Outcome) error {
	if err := f.fence(ctx, s.state); err != nil {
		return err
	}
	var err error
	if s.state, err = member.Read(ctx, f.Host.DataDir, f.Host.Config.WALDir); err != nil { // again: certainly nothing writes there now
		return unreadable(err, f.Host.DataDir)
	}
	if err := f.mayForce(s); err != nil {
		return err
	}
	if s.method == ByLog {
		return f.forceByLog(ctx, s, out)
	}
	return f.forceByFlag(ctx, s, out)
}

func (f *Forcer) forceByFlag(ctx context.Context, s situation, out *Outcome) (err error) {
	if err := f.record(s, phaseBegun); err != nil {
		return err
	}
	if err := f.start(ctx, s, out); err != nil {
		return err
	}
	if out.Member, err = f.prove(ctx, f.wants(s)); err != nil {
		return err
	}
	if err := f.keptAll(ctx); err != nil {
		return err
	}
	return f.record(s, phaseProven)
}

// wants is what a start on these files must show: the result of a rehearsal on the same bytes, or else what the files say.
func (f *Forcer) wants(s situation) Expected {
	if s.begun() && f.Rehearsed != nil {
		return *f.Rehearsed
	}
	return f.expects(s.state)
}

// keptAll checks, where the log's tail was to be kept, that etcd discarded nothing of it.
func (f *Forcer) keptAll(ctx context.Context) error {
	if !f.KeepTail {
		return nil
	}
	line := f.discarded(ctx)
	if line == "" {
		return nil
	}
	return fault.New(fault.Corrupt, "etcd threw entries of its log away: %s", line).
		WithHint("the stopped copy still holds them; nothing else was added to this cluster yet")
}

// fence fences this host even if the caller did not: from here on a reboot must not start this member unforced.
func (f *Forcer) fence(ctx context.Context, state *member.State) error {
	status, err := f.Host.Status(ctx)
	if err != nil {
		return err
	}
	if status.Fence != nil && status.FenceHole == "" && status.Process == nil {
		return nil
	}
	own := &facts.Member{ID: state.ID, ClusterID: state.ClusterID}
	_, err = f.Host.Fence(ctx, host.Stamp(facts.Fence{Why: "a forced start is under way here", Kind: facts.FenceRecovery, Survivor: f.Host.Config.Name}, own))
	return err
}

// start makes the start with the flag.
func (f *Forcer) start(ctx context.Context, s situation, out *Outcome) error {
	out.GivenUp = s.state.TailEntries()
	if f.KeepTail {
		kept, err := member.KeepTail(ctx, f.Host.DataDir, f.Host.Config.WALDir)
		if err != nil {
			return err
		}
		out.Kept, out.GivenUp = kept, 0
	}
	if err := f.record(s, phaseStart); err != nil {
		return err
	}
	if err := f.Host.DropForceLine(); err != nil {
		return fault.Wrap(fault.Internal, err, "take %s out of %s, where it would overrule this start", host.ForceKey, f.Host.EtcdConf)
	}
	if err := f.Host.Runtime.SetForce(ctx, true); err != nil {
		return fault.Wrap(fault.Internal, err, "ask for the forced start")
	}
	_, err := f.Host.Start(ctx, host.StartOptions{Wait: host.WaitProcess, Forced: true})
	return err
}

// release makes the plain start, which is safe now: the data is a single member's. The flag must go from the process too: with it, each restart
// would drop the members that were added since.
func (f *Forcer) release(ctx context.Context, s situation, out *Outcome) error {
	if err := f.dropFlags(ctx); err != nil {
		return err
	}
	now, err := member.Read(ctx, f.Host.DataDir, f.Host.Config.WALDir)
	if err != nil {
		return unreadable(err, f.Host.DataDir)
	}
	if len(now.Members) != 1 || now.ID != s.state.ID {
		return fault.New(fault.Internal, "after the forced start the files of member %s name %d members, expected %s alone", now.ID, len(now.Members), s.state.ID)
	}
	if err := f.startAlone(ctx, s, out); err != nil {
		return err
	}
	if err := f.unflagged(ctx); err != nil {
		return err
	}
	if err := f.listOwnURLs(ctx, &out.Member); err != nil {
		return err
	}
	out.ServesSince = time.Now().UTC().Format(time.RFC3339)
	return safefile.Remove(f.Host.ForcingFile())
}

// dropFlags stops an etcd that runs with the flag, and removes the flag wherever it is.
func (f *Forcer) dropFlags(ctx context.Context) error {
	flags, err := f.Host.ForceFlags(ctx)
	if err != nil || len(flags) == 0 {
		return err
	}
	if _, err := f.Host.Stop(ctx); err != nil {
		return err
	}
	if err := f.Host.Runtime.SetForce(ctx, false); err != nil {
		return fault.Wrap(fault.Internal, err, "take the force flag back")
	}
	if _, err := f.Host.RemoveForceFlags(ctx, flags); err != nil {
		return fault.Wrap(fault.Internal, err, "take the force flag out of files")
	}
	return nil
}
