package membership

import (
	"context"
	"errors"
	"slices"
	"time"

	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/etcd/health"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
)

// Request is what Apply does.
type Request struct {
	Want
	V2      bool // change by the v2 API
	Check   bool // say what would be done, change nothing
	Changed func()
}

// Outcome is the list before and after.
type Outcome struct {
	Steps     []Step // taken, or in check mode still to be taken
	Before    []facts.ClusterMember
	After     []facts.ClusterMember
	ClusterID facts.ID
	Source    string // the URL that gave the list
	Quorum    bool
	DBBytes   int64 // the largest database of the members that answered: a joining member has to receive it
}

// Apply looks, decides and changes until no step is left. After a call that broke off, the next look shows whether the change was made, so no
// change is ever sent twice. After a call that succeeded, its answer serves as the look: from one member to two the cluster has no quorum at that
// moment, and asking it again would only delay the caller's start of the second. etcd refuses changes for 5 s after a join ("unhealthy cluster");
// Apply waits for that.
func Apply(ctx context.Context, cfg etcd.Config, r Request) (Outcome, error) {
	p, err := look(ctx, cfg)
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Before: p.Members, After: p.Members, ClusterID: p.ClusterID, Source: p.MembersFrom, Quorum: p.Quorum, DBBytes: largest(p)}
	for doubts := 0; ; {
		steps, err := decideOn(p, r.Want)
		if errors.Is(err, errDoubt) && doubts < 2 { // short losses, such as elections, are ignored
			doubts++
			if p, err = again(ctx, cfg, err); err != nil {
				return out, err
			}
			continue
		}
		if err != nil || len(steps) == 0 {
			return out, err
		}
		if r.Check {
			return preview(out, p, r)
		}
		list, err := change(ctx, cfg, p, r, steps[0])
		switch {
		case err == nil:
			r.Changed()
			out.Steps, out.After, p.Members = append(out.Steps, steps[0]), list, list
			continue
		case !worthRetrying(err):
			return out, err
		}
		if p, err = again(ctx, cfg, err); err != nil {
			return out, err
		}
		out.After, out.Quorum = p.Members, p.Quorum
	}
}

// decideOn refuses while two clusters answer: the change could go to the wrong one.
func decideOn(p health.Picture, want Want) ([]Step, error) {
	if split := p.Split(); split != "" {
		return nil, fault.Wrap(fault.Refused, errDoubt, "%s", split).
			WithHint("stop the members that came back with old data: ansible-playbook playbooks/fence.yml -e etcd_host=NAME")
	}
	return Decide(Now{p.Members, healthyIDs(p)}, want)
}

// again looks after a change that was refused, or that may or may not have been made.
func again(ctx context.Context, cfg etcd.Config, last error) (health.Picture, error) {
	select {
	case <-ctx.Done():
		return health.Picture{}, fault.Wrap(fault.Timeout, last, "the cluster did not accept the change in time")
	case <-time.After(300 * time.Millisecond):
	}
	return look(ctx, cfg)
}

// look accepts a member list without quorum: where the wanted entry is there already, nothing has to be changed.
func look(ctx context.Context, cfg etcd.Config) (health.Picture, error) {
	p := health.Look(ctx, cfg, health.V3)
	if len(p.Members) > 0 {
		return p, nil
	}
	for _, e := range p.Endpoints {
		if e.Error != "" {
			return p, fault.New(fault.Unreachable, "no member answers: %s", e.Error).
				WithHint("give endpoints of members that run: endpoints=https://…:2379")
		}
	}
	return p, fault.New(fault.Unreachable, "no member answers")
}

func largest(p health.Picture) (bytes int64) {
	for _, e := range p.Endpoints {
		bytes = max(bytes, e.DBSize)
	}
	return bytes
}

func healthyIDs(p health.Picture) map[facts.ID]bool {
	out := map[facts.ID]bool{}
	for _, e := range p.Endpoints {
		if e.Health {
			out[e.MemberID] = true
		}
	}
	return out
}

// preview goes through all steps without a call.
func preview(out Outcome, p health.Picture, r Request) (Outcome, error) {
	now := Now{p.Members, healthyIDs(p)}
	for {
		steps, err := Decide(now, r.Want)
		if err != nil || len(steps) == 0 {
			out.After = now.Members
			return out, err
		}
		now.Members = After(now.Members, steps, r.Want)
		out.Steps = append(out.Steps, steps...)
	}
}

// change sends one step to a member that has quorum, and never to the one that it removes: that member ends while it answers. It returns the list
// after the step.
func change(ctx context.Context, cfg etcd.Config, p health.Picture, r Request, s Step) ([]facts.ClusterMember, error) {
	var endpoints []string
	for _, e := range p.Endpoints {
		if e.Health && (s.Kind != Remove || e.MemberID != s.ID) {
			endpoints = append(endpoints, e.Endpoint)
		}
	}
	if len(endpoints) == 0 {
		return nil, fault.New(fault.Timeout, "no member has quorum, so its list cannot be changed: %s", p.Lines[len(p.Lines)-1]).
			WithHint("ansible etcd -m etcd_cluster_info; where quorum is permanently lost: ansible-playbook playbooks/restore_quorum.yml")
	}
	c, err := etcd.DialQuorum(ctx, cfg.At(endpoints...))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if r.V2 {
		if err := sendV2(ctx, c.V2(), s); err != nil {
			return nil, err
		}
		return c.MemberList(ctx)
	}
	list, err := send(ctx, c, s)
	if err == nil && len(list) == 0 { // releases before 3.2 do not return the list
		return c.MemberList(ctx)
	}
	return list, err
}

func send(ctx context.Context, c *etcd.Client, s Step) ([]facts.ClusterMember, error) {
	switch s.Kind {
	case Add:
		_, list, err := c.MemberAdd(ctx, s.PeerURLs)
		return list, err
	case Remove:
		return c.MemberRemove(ctx, s.ID)
	}
	return c.MemberUpdate(ctx, s.ID, s.PeerURLs)
}

func sendV2(ctx context.Context, v2 *etcd.V2, s Step) error {
	switch s.Kind {
	case Add:
		return v2.MemberAdd(ctx, s.PeerURLs)
	case Remove:
		return v2.MemberRemove(ctx, s.ID)
	}
	return v2.MemberUpdate(ctx, s.ID, s.PeerURLs)
}

func worthRetrying(err error) bool {
	return slices.Contains([]fault.Kind{fault.Timeout, fault.Unreachable}, fault.KindOf(err)) && !errors.Is(err, context.Canceled)
}

// Find is the entry of a list that the request is about.
func Find(members []facts.ClusterMember, w Want) (facts.ClusterMember, bool) {
	for _, m := range members {
		if w.ID != 0 && m.ID == w.ID || w.ID == 0 && (facts.ShareURL(m.PeerURLs, w.PeerURLs) || len(w.PeerURLs) == 0 && m.Name == w.Name) {
			return m, true
		}
	}
	return facts.ClusterMember{}, false
}
