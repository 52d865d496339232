package force

import (
	"context"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/member"
)

// situation is the state of a host before a step.
type situation struct {
	state  *member.State
	record *facts.Forcing // nil: no forced start has begun here
	status host.Status
	method string            // ByLog or ByFlag
	flags  []facts.ForceFlag // places that ask for a forced start, the running process among them
}

func (f *Forcer) look(ctx context.Context) (s situation, err error) {
	if s.record, err = readRecord(f.Host.ForcingFile()); err != nil {
		return s, fault.Wrap(fault.Internal, err, "read %s", f.Host.ForcingFile())
	}
	if s.state, err = member.Read(ctx, f.Host.DataDir, f.Host.Config.WALDir); err != nil {
		return s, unreadable(err, f.Host.DataDir)
	}
	if s.status, err = f.Host.Status(ctx); err != nil {
		return s, err
	}
	s.method = f.method(ctx, s)
	s.flags, err = f.Host.ForceFlags(ctx)
	return s, err
}

// step is what a run does next.
type step string

const (
	proveOnly step = "prove"   // it runs alone, without the flag: nothing to do
	forceIt   step = "force"   // fence, tail, forced start, proof
	releaseIt step = "release" // the forced start is proven: what is left is to start it without the flag
)

// next chooses the step, for Run and for Preview alike.
func (s situation) next() (step, error) {
	alone, runs := len(s.state.Members) == 1, s.status.Process != nil
	switch {
	case s.record != nil && s.record.MemberID != 0 && s.record.MemberID != s.state.ID:
		return "", fault.New(fault.Refused, "a forced start of member %s has begun here, and the data belongs to member %s", s.record.MemberID, s.state.ID).
			WithHint("put that member's data back (etcd_data_dir state=restored), or take forcing.json away if this is the right one")
	case s.record != nil && s.record.Phase == facts.ForcingProven:
		return releaseIt, nil
	case s.record != nil || !runs:
		return forceIt, nil
	case alone && len(s.flags) == 0:
		return proveOnly, nil
	case alone:
		return forceIt, nil // forced, by hand or by an older tool: prove it, and start it again without the flag
	case len(s.flags) > 0:
		return "", fault.New(fault.Refused, "etcd runs here with the force flag, and %d members: another forced start would drop those added since", len(s.state.Members)).
			WithHint("take the flag out and restart it: etcd_service state=restarted")
	}
	return "", fault.New(fault.Refused, "etcd runs here as one of %d members, without the flag", len(s.state.Members)).
		WithHint("stop and fence it first, when the others are fenced: etcd_fence state=present; all of it in one command: ansible-playbook playbooks/single_node.yml")
}

// begun is true while the data may still be what a rehearsal was made on.
func (s situation) begun() bool { return s.record == nil || s.record.Phase == facts.ForcingBegun }
