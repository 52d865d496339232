package force

import (
	"context"

	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/member"
)

// Forcer makes the member of one host a cluster of its own. It can be killed anywhere and run again.
type Forcer struct {
	Host      *host.Host
	Method    string // ByLog, ByFlag or Auto
	KeepTail  bool
	Rehearsed *Expected // the result of a rehearsal on a copy of the same bytes, or nil
	OnChange  func()    // called before the first change
}

// Outcome is what happened.
type Outcome struct {
	Method         string      `json:"method"` // log or flag
	Member         Proof       `json:"member"`
	RevisionBefore int64       `json:"revision_before"` // of the database file; the log may hold later revisions
	Kept           member.Kept `json:"kept"`
	GivenUp        uint64      `json:"given_up"` // entries beyond the commit index that a plain forced start throws away
	ServesSince    string      `json:"serves_since"`
	Changed        bool        `json:"-"`
	alone          bool        // it was alone before this run
}

// Run goes through the phases.
func (f *Forcer) Run(ctx context.Context) (Outcome, error) {
	var out Outcome
	s, next, err := f.decide(ctx)
	if err != nil {
		return out, err
	}
	out.Method = s.method
	if s.state.Database != nil {
		out.RevisionBefore = s.state.Database.Revision
	}
	switch next {
	case proveOnly:
		out.Member, err = f.prove(ctx, FromFiles(s.state))
		out.alone = err == nil
		return out, err
	case forceIt:
		f.change(&out)
		if err := f.force(ctx, s, &out); err != nil {
			return out, err
		}
	}
	f.change(&out)
	return out, f.release(ctx, s, &out)
}

// decide looks, and returns the next step, or why there is none. It changes nothing.
func (f *Forcer) decide(ctx context.Context) (situation, step, error) {
	s, err := f.look(ctx)
	if err != nil {
		return s, "", err
	}
	if err := f.nobodyElse(ctx, s.state); err != nil {
		return s, "", err
	}
	next, err := s.next()
	if err != nil || next != forceIt {
		return s, next, err
	}
	if s.status.Process == nil { // a running member, forced already, is judged when it is stopped
		if err := f.mayForce(s); err != nil {
			return s, "", err
		}
	}
	return s, next, f.Host.MayStart(ctx, s.status, host.StartOptions{Forced: true})
}

func (f *Forcer) change(out *Outcome) {
	out.Changed = true
	f.OnChange()
}
