package etcd

import (
	"context"
	"errors"
	"sort"
	"strconv"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
)

// State is what a member says of itself, without asking the others.
type State struct {
	facts.Live
	Version string
	DBBytes int64
	Learner bool
}

// FormatID writes an ID as etcdctl does; 0 is "", since etcd uses it for "none".
func FormatID(id uint64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatUint(id, 16)
}

// ParseID reads an ID as etcdctl prints it.
func ParseID(text string) (uint64, error) {
	id, err := strconv.ParseUint(text, 16, 64)
	if err != nil || id == 0 {
		return 0, fault.New(fault.Invalid, "%q is no member ID: expected up to 16 hexadecimal digits, as `etcdctl member list` prints them", text)
	}
	return id, nil
}

// State asks the member itself; it works without quorum.
func (c *Client) State(ctx context.Context) (State, error) {
	ctx, cancel, limit := c.bounded(ctx)
	defer cancel()
	r, err := c.v3.Status(ctx, c.Endpoint)
	if err != nil {
		return State{}, explainCall(c.Endpoint, "status", limit, err)
	}
	return State{
		Live: facts.Live{
			Serves:    true,
			MemberID:  FormatID(r.Header.MemberId),
			ClusterID: FormatID(r.Header.ClusterId),
			Leader:    FormatID(r.Leader),
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
	return convert(r.Members), nil
}

func convert(members []*etcdserverpb.Member) []facts.ClusterMember {
	out := make([]facts.ClusterMember, 0, len(members))
	for _, m := range members {
		out = append(out, facts.ClusterMember{ID: FormatID(m.ID), Name: m.Name, PeerURLs: m.PeerURLs, ClientURLs: m.ClientURLs})
	}
	SortMembers(out)
	return out
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

// LinearizableRead is the proof of a quorum: it returns only after a majority has confirmed the leader.
func (c *Client) LinearizableRead(ctx context.Context) (revision int64, err error) {
	ctx, cancel, limit := c.bounded(ctx)
	defer cancel()
	r, err := c.v3.Get(ctx, probeKey, clientv3.WithCountOnly())
	if err != nil {
		return 0, explainCall(c.Endpoint, "a linearizable read", limit, err)
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

// probeKey is the one key that this project ever writes; it is removed again, and has no lease that could outlive a crash.
const probeKey = "/etcd-quorum-restore/probe"

// ProbeWrite proves that writes return. A cluster that is out of space refuses at once, and that too is an answer: only a hang
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
	MemberID string `json:"member_id"`
	Alarm    string `json:"alarm"`
}

// Alarms lists raised alarms. It needs quorum, since etcd answers it through the log.
func (c *Client) Alarms(ctx context.Context) ([]Alarm, error) {
	ctx, cancel, limit := c.bounded(ctx)
	defer cancel()
	r, err := c.v3.AlarmList(ctx)
	if err != nil {
		return nil, explainCall(c.Endpoint, "alarm list", limit, err)
	}
	out := []Alarm{}
	for _, a := range r.Alarms {
		out = append(out, Alarm{MemberID: FormatID(a.MemberID), Alarm: a.Alarm.String()})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].MemberID+out[i].Alarm < out[j].MemberID+out[j].Alarm })
	return out, nil
}
