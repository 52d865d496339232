package etcd

import (
	"context"
	"errors"
	"sort"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
)

// State is what a member reports about itself, without asking the others.
type State struct {
	facts.Live
	Version string
	DBBytes int64
	Learner bool
}

// State asks the member itself; it works without quorum.
func (c *Client) State(ctx context.Context) (State, error) {
	ctx, cancel, limit := c.bounded(ctx)
	defer cancel()
	r, err := c.v3.Status(ctx, c.Endpoint)
	if err != nil {
		return State{}, explainCall(c.Endpoint, "status", limit, err)
	}
	if r.Header == nil {
		return State{}, noHeader(c.Endpoint, "status")
	}
	return State{
		Live: facts.Live{
			Serves:    true,
			MemberID:  facts.ID(r.Header.MemberId),
			ClusterID: facts.ID(r.Header.ClusterId),
			Leader:    facts.ID(r.Leader),
			Term:      r.RaftTerm,
			RaftIndex: r.RaftIndex,
			Revision:  r.Header.Revision,
		},
		Version: r.Version,
		DBBytes: r.DbSize,
		Learner: r.IsLearner,
	}, nil
}

// Status is State in the vocabulary of facts.
func (c *Client) Status(ctx context.Context) (facts.Live, error) {
	s, err := c.State(ctx)
	return s.Live, err
}

// MemberList is the membership as this member knows it; it works without quorum on a member that ran since before the loss.
func (c *Client) MemberList(ctx context.Context) ([]facts.ClusterMember, error) {
	ctx, cancel, limit := c.bounded(ctx)
	defer cancel()
	r, err := c.v3.MemberList(ctx, clientv3.WithSerializable()) // from 3.5 on the default would need quorum
	if err != nil {
		return nil, explainCall(c.Endpoint, "member list", limit, err)
	}
	return convert(c.Endpoint, r.Members)
}

// mostMembers is more than any cluster has: etcd recommends at most seven.
const mostMembers = 1000

func tooMany(endpoint string) error {
	return fault.New(fault.Invalid, "%s lists more than %d members: it is no etcd", endpoint, mostMembers)
}

// noHeader is the error for an answer without a header: every answer of etcd has one.
func noHeader(endpoint, what string) error {
	return fault.New(fault.Invalid, "%s: its answer to %s has no header: it is no etcd", endpoint, what)
}

func convert(endpoint string, members []*etcdserverpb.Member) ([]facts.ClusterMember, error) {
	if len(members) > mostMembers {
		return nil, tooMany(endpoint)
	}
	out := make([]facts.ClusterMember, 0, len(members))
	for _, m := range members {
		out = append(out, facts.ClusterMember{ID: facts.ID(m.ID), Name: m.Name, PeerURLs: m.PeerURLs, ClientURLs: m.ClientURLs})
	}
	SortMembers(out)
	return out, nil
}

// SortMembers orders by name, as people read a list; unstarted members, which have none, come last.
func SortMembers(members []facts.ClusterMember) {
	sort.Slice(members, func(i, j int) bool {
		a, b := members[i], members[j]
		if (a.Name == "") != (b.Name == "") {
			return a.Name != ""
		}
		if a.Name != b.Name {
			return a.Name < b.Name
		}
		return a.ID < b.ID
	})
}

// LinearizableRead proves a quorum: it returns only after a majority has confirmed the leader.
func (c *Client) LinearizableRead(ctx context.Context) (revision int64, err error) {
	ctx, cancel, limit := c.bounded(ctx)
	defer cancel()
	r, err := c.v3.Get(ctx, probeKey, clientv3.WithCountOnly())
	if err != nil {
		return 0, explainCall(c.Endpoint, "a linearizable read", limit, err)
	}
	if r.Header == nil {
		return 0, noHeader(c.Endpoint, "a linearizable read")
	}
	return r.Header.Revision, nil
}

// CountKeys counts the v3 keys at a revision (0: the member's own latest) on this member alone.
func (c *Client) CountKeys(ctx context.Context, revision int64) (int64, error) {
	ctx, cancel, limit := c.bounded(ctx)
	defer cancel()
	r, err := c.v3.Get(ctx, "", clientv3.WithPrefix(), clientv3.WithRev(revision), clientv3.WithSerializable(), clientv3.WithCountOnly())
	if err != nil {
		return 0, explainCall(c.Endpoint, "counting the keys", limit, err)
	}
	return r.Count, nil
}

// probeKey is the only key that this project ever writes. It is deleted again, and has no lease that could outlive a crash.
const probeKey = "/etcd-quorum-restore/probe"

// ProbeWrite proves that writes return. A cluster that is out of space refuses at once, and that counts as an answer too: only a write that hangs
// shows a member whose database is ahead of its log.
func (c *Client) ProbeWrite(ctx context.Context) error {
	ctx, cancel, limit := c.bounded(ctx)
	defer cancel()
	_, err := c.v3.Put(ctx, probeKey, "probe")
	if errors.Is(rpctypes.Error(err), rpctypes.ErrNoSpace) {
		return nil
	}
	if err != nil {
		return explainCall(c.Endpoint, "a write", limit, err)
	}
	_, err = c.v3.Delete(ctx, probeKey)
	return explainCall(c.Endpoint, "removing the probe's key", limit, err)
}

// Alarm is a raised alarm.
type Alarm struct {
	MemberID facts.ID `json:"member_id"`
	Alarm    string   `json:"alarm"`
}

// Alarms lists raised alarms. It needs quorum: etcd answers it through the log.
func (c *Client) Alarms(ctx context.Context) ([]Alarm, error) {
	ctx, cancel, limit := c.bounded(ctx)
	defer cancel()
	r, err := c.v3.AlarmList(ctx)
	if err != nil {
		return nil, explainCall(c.Endpoint, "alarm list", limit, err)
	}
	out := []Alarm{}
	for _, a := range r.Alarms {
		out = append(out, Alarm{MemberID: facts.ID(a.MemberID), Alarm: a.Alarm.String()})
	}
	sort.Slice(out, func(i, j int) bool {
		return out[i].MemberID < out[j].MemberID || out[i].MemberID == out[j].MemberID && out[i].Alarm < out[j].Alarm
	})
	return out, nil
}
