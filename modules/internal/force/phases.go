package force

import (
	"context"
	"time"

	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/safefile"
)

// force: fence, record, tail, forced start, proof.
func (f *Forcer) force(ctx context.Context, s situation, out *Outcome) error {
	if err := f.fence(ctx, s.state); err != nil {
		return err
	}
	var err error
	if s.state, err = member.Read(f.Host.DataDir, f.Host.Config.WALDir); err != nil { // again: now surely nothing writes there
		return unreadable(err, f.Host.DataDir)
	}
	if err := f.mayForce(s); err != nil {
		return err
	}
	if err := f.record(s.state, phaseBegun); err != nil {
		return err
	}
	if err := f.start(ctx, s.state, out); err != nil {
		return err
	}
	want := f.expects(s.state)
	if s.begun() && f.Rehearsed != nil {
		want = *f.Rehearsed
	}
	if out.Member, err = f.prove(ctx, want); err != nil {
		return err
	}
	if line := f.discarded(ctx); line != "" && f.KeepTail {
		return fault.New(fault.Corrupt, "etcd threw entries of its log away: %s", line).
			WithHint("the stopped copy still holds them; nothing else was added to this cluster yet")
	}
	return f.record(s.state, phaseProven)
}

// fence also when the caller did not: a reboot from here on must not start this member unforced.
func (f *Forcer) fence(ctx context.Context, state *member.State) error {
	status, err := f.Host.Status(ctx)
	if err != nil {
		return err
	}
	if status.Fence != nil && status.FenceHole == "" && status.Process == nil {
		return nil
	}
	own := &facts.Member{ID: etcd.FormatID(state.ID), ClusterID: etcd.FormatID(state.ClusterID)}
	_, err = f.Host.Fence(ctx, host.NewFence("a forced start is under way here", f.Host.Config.Name, own))
	return err
}

func (f *Forcer) start(ctx context.Context, state *member.State, out *Outcome) error {
	out.GivenUp = state.TailEntries()
	if f.KeepTail {
		kept, err := member.KeepTail(f.Host.DataDir, f.Host.Config.WALDir)
		if err != nil {
			return err
		}
		out.Kept, out.GivenUp = kept, 0
	}
	if err := f.record(state, phaseStart); err != nil {
		return err
	}
	if err := f.Host.Runtime.SetForce(ctx, true); err != nil {
		return fault.Wrap(fault.Internal, err, "ask for the forced start")
	}
	_, err := f.Host.Start(ctx, host.StartOptions{Wait: host.WaitProcess, Forced: true})
	return err
}

// release: the data are a single member's now, so the plain start is safe, and the flag must go from the process too: with it, each
// restart would drop the members that were added since.
func (f *Forcer) release(ctx context.Context, s situation, out *Outcome) error {
	if err := f.dropFlags(ctx); err != nil {
		return err
	}
	now, err := member.Read(f.Host.DataDir, f.Host.Config.WALDir)
	if err != nil {
		return unreadable(err, f.Host.DataDir)
	}
	if len(now.Members) != 1 || now.ID != s.state.ID {
		return fault.New(fault.Internal, "after the forced start the files of member %x name %d members, expected %x alone", now.ID, len(now.Members), s.state.ID)
	}
	if err := f.Host.Unfence(ctx); err != nil {
		return fault.Wrap(fault.Internal, err, "take the fence back")
	}
	if _, err := f.Host.Start(ctx, host.StartOptions{Wait: host.WaitProcess}); err != nil {
		return err
	}
	want := f.expects(s.state)
	want.Revision = max(want.Revision, out.Member.Revision)
	if out.Member, err = f.prove(ctx, want); err != nil {
		return err
	}
	if err := f.unflagged(ctx); err != nil {
		return err
	}
	out.ServesSince = time.Now().UTC().Format(time.RFC3339)
	return safefile.Remove(f.Host.ForcingFile())
}

// dropFlags stops an etcd that runs with the flag, and takes it out of wherever it is.
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
