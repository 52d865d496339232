package health

import (
	"context"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/guard"
)

// APIs.
const (
	V2   = "v2"
	V3   = "v3"
	Auto = "auto" // v3, since all supported releases have it
)

// Look asks every member once and judges the answers. A cluster that does not answer is a result, not an error.
func Look(ctx context.Context, cfg etcd.Config, api string) Picture {
	if api != V2 {
		api = V3
	}
	p := Picture{API: api, Members: []facts.ClusterMember{}, Alarms: []etcd.Alarm{}}
	p.Endpoints = askAll(ctx, cfg, api, cfg.Endpoints)
	p.findMembers(ctx, cfg)
	p.Endpoints = append(p.Endpoints, askAll(ctx, cfg, api, notAsked(ctx, p.Members, p.Endpoints))...)
	p.Alarms, p.alarmsError = alarms(ctx, cfg, p.Endpoints)
	p.Verdict = judge(p)
	return p
}

// findMembers takes the list of a healthy member, else of any that serves, else of a peer port: the latter also answers on a member that was
// restarted without quorum.
func (p *Picture) findMembers(ctx context.Context, cfg etcd.Config) {
	best := slices.IndexFunc(p.Endpoints, func(e Endpoint) bool { return e.Health && e.members != nil })
	if best < 0 {
		best = slices.IndexFunc(p.Endpoints, func(e Endpoint) bool { return e.members != nil })
	}
	if best >= 0 {
		e := p.Endpoints[best]
		p.Members, p.MembersFrom, p.ClusterID = e.members, e.Endpoint, e.ClusterID
		return
	}
	for _, peer := range cfg.PeerURLs {
		if answer, err := etcd.AskPeer(ctx, peer, cfg); err == nil {
			p.Members, p.MembersFrom, p.ClusterID = answer.Members, peer, answer.ClusterID
			return
		}
	}
}

// notAsked lists one client URL for each member that no endpoint has answered for yet.
func notAsked(ctx context.Context, members []facts.ClusterMember, asked []Endpoint) []string {
	var out []string
	for _, m := range members {
		known := len(m.ClientURLs) == 0 || slices.ContainsFunc(asked, func(e Endpoint) bool {
			return e.MemberID == m.ID || slices.ContainsFunc(m.ClientURLs, func(u string) bool { return sameHost(ctx, e.Endpoint, u) })
		})
		if !known {
			out = append(out, m.ClientURLs[0])
		}
	}
	return out
}

// sameHost compares by address: master-config.yaml names hosts, the member list has addresses, and a dead host must not be listed twice.
func sameHost(ctx context.Context, a, b string) bool {
	if facts.SameURL(a, b) {
		return true
	}
	ua, erra := url.Parse(a)
	ub, errb := url.Parse(b)
	if erra != nil || errb != nil || ua.Port() != ub.Port() {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, ua.Hostname())
	return err == nil && slices.Contains(addresses, ub.Hostname())
}

func askAll(ctx context.Context, cfg etcd.Config, api string, endpoints []string) []Endpoint {
	out := make([]Endpoint, len(endpoints))
	var all guard.Group
	for i, endpoint := range endpoints {
		all.Go(func() {
			if api == V2 {
				out[i] = askV2(ctx, cfg, endpoint)
			} else {
				out[i] = askV3(ctx, cfg, endpoint)
			}
		})
	}
	all.Wait()
	return out
}

func askV3(ctx context.Context, cfg etcd.Config, endpoint string) Endpoint {
	e := Endpoint{Endpoint: endpoint}
	begin := time.Now()
	c, err := etcd.DialOne(ctx, endpoint, cfg)
	if err != nil {
		return e.failed(err, begin)
	}
	defer c.Close()
	state, err := c.State(ctx)
	if err != nil {
		return e.failed(err, begin)
	}
	e.fill(state)
	if e.members, err = c.MemberList(ctx); err != nil {
		return e.failed(err, begin)
	}
	begin = time.Now()
	if _, err := c.LinearizableRead(ctx); err != nil {
		return e.failed(err, begin)
	}
	e.Health, e.Took = true, seconds(begin)
	return e
}

func (e *Endpoint) fill(s etcd.State) {
	e.Serves, e.MemberID, e.ClusterID, e.Leader = true, s.MemberID, s.ClusterID, s.Leader
	e.IsLeader = s.Leader != 0 && s.Leader == s.MemberID
	e.Term, e.Index, e.Revision, e.Version, e.DBSize = s.Term, s.RaftIndex, s.Revision, s.Version, s.DBBytes
}

func askV2(ctx context.Context, cfg etcd.Config, endpoint string) Endpoint {
	e := Endpoint{Endpoint: endpoint}
	begin := time.Now()
	v2, err := etcd.DialV2(ctx, endpoint, cfg)
	if err != nil {
		return e.failed(err, begin)
	}
	defer v2.Close()
	if e.members, err = v2.Members(ctx); err != nil {
		return e.failed(err, begin)
	}
	e.Serves, e.ClusterID = true, v2.ClusterID
	if self, err := v2.Self(ctx); err == nil { // a server on that port that does not say who it is still serves
		e.MemberID, e.Leader, e.IsLeader = self.ID, self.Leader, self.Leader != 0 && self.Leader == self.ID
	}
	begin = time.Now()
	if e.Health, err = healthyWithin(ctx, v2, cfg.Limit()); err != nil {
		return e.failed(err, begin)
	}
	e.Took = seconds(begin)
	if !e.Health {
		e.Error = "got unhealthy result from " + endpoint
	}
	return e
}

// healthyWithin asks again while an election may be under way: /health says no at once, where a linearizable read would wait.
func healthyWithin(ctx context.Context, v2 *etcd.V2, limit time.Duration) (bool, error) {
	for begin := time.Now(); ; {
		healthy, err := v2.Healthy(ctx)
		if err != nil || healthy || time.Since(begin) > limit {
			return healthy, err
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (e Endpoint) failed(err error, begin time.Time) Endpoint {
	e.Error, e.Took, e.kind = err.Error(), seconds(begin), fault.KindOf(err)
	return e
}

func seconds(begin time.Time) float64 { return time.Since(begin).Round(time.Microsecond).Seconds() }

// alarms are asked of a healthy member only: the question itself needs quorum.
func alarms(ctx context.Context, cfg etcd.Config, endpoints []Endpoint) (list []etcd.Alarm, err error) {
	for _, e := range endpoints {
		if !e.Health {
			continue
		}
		if list, err = alarmsAt(ctx, cfg, e.Endpoint); err == nil {
			return list, nil
		}
	}
	return []etcd.Alarm{}, err
}

func alarmsAt(ctx context.Context, cfg etcd.Config, endpoint string) ([]etcd.Alarm, error) {
	c, err := etcd.DialOne(ctx, endpoint, cfg)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.Alarms(ctx)
}

// Condition is what Await waits for.
type Condition string

// Conditions.
const (
	Nothing Condition = "none"
	Quorum  Condition = "quorum"
	Joined  Condition = "joined"
)

func (c Condition) holds(p Picture) bool {
	return c == Nothing || c == Quorum && p.Quorum || c == Joined && p.Joined
}

// lastWhole drops a look that ran out of time: it would report members as dead that were never asked.
func lastWhole(ctx context.Context, p Picture, before *Picture) Picture {
	if ctx.Err() != nil && before != nil {
		return *before
	}
	return p
}

// Await looks until the condition has held for a while, or ctx ends; it always returns the last picture. Members that are known to be down, by
// ID, are not counted.
func Await(ctx context.Context, cfg etcd.Config, api string, want Condition, hold time.Duration, down ...string) (Picture, error) {
	var since time.Time
	var before *Picture
	for {
		p := lastWhole(ctx, Look(ctx, cfg, api).without(down), before)
		before = &p
		switch {
		case !want.holds(p):
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		}
		if want.holds(p) && (want == Nothing || time.Since(since) >= hold) {
			return p, nil
		}
		select {
		case <-ctx.Done():
			return p, fault.New(fault.Timeout, "the cluster is not as awaited (%s): %s", want, strings.Join(append([]string{p.summary()}, p.Problems...), "; ")).
				WithHint("see `lines` and `problems` of this result; what to do: ansible-playbook playbooks/check_quorum.yml")
		case <-time.After(200 * time.Millisecond):
		}
	}
}
