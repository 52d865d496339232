package etcd

import (
	"context"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
)

// The calls below need quorum, and are sent exactly once: the client does not repeat a change that may have been made.

// MemberAdd adds a member by its peer URLs and returns it with the list after it. A v3 add has no name: the member brings its own
// when it starts.
func (c *Client) MemberAdd(ctx context.Context, peerURLs []string) (facts.ClusterMember, []facts.ClusterMember, error) {
	ctx, cancel, limit := c.bounded(ctx)
	defer cancel()
	r, err := c.v3.MemberAdd(ctx, peerURLs)
	if err != nil {
		return facts.ClusterMember{}, nil, explainCall(c.Endpoint, "member add", limit, err)
	}
	if r.Member == nil {
		return facts.ClusterMember{}, nil, fault.New(fault.Invalid, "%s: its answer to member add names no member: it is no etcd", c.Endpoint)
	}
	added := facts.ClusterMember{ID: facts.ID(r.Member.ID), Name: r.Member.Name, PeerURLs: r.Member.PeerURLs}
	members, err := convert(c.Endpoint, r.Members)
	return added, members, err
}

// MemberRemove removes a member for good: its data can never join this cluster again.
func (c *Client) MemberRemove(ctx context.Context, id facts.ID) ([]facts.ClusterMember, error) {
	ctx, cancel, limit := c.bounded(ctx)
	defer cancel()
	r, err := c.v3.MemberRemove(ctx, uint64(id))
	if err != nil {
		return nil, explainCall(c.Endpoint, "member remove", limit, err)
	}
	return convert(c.Endpoint, r.Members)
}

// MemberUpdate replaces a member's peer URLs.
func (c *Client) MemberUpdate(ctx context.Context, id facts.ID, peerURLs []string) ([]facts.ClusterMember, error) {
	ctx, cancel, limit := c.bounded(ctx)
	defer cancel()
	r, err := c.v3.MemberUpdate(ctx, uint64(id), peerURLs)
	if err != nil {
		return nil, explainCall(c.Endpoint, "member update", limit, err)
	}
	return convert(c.Endpoint, r.Members)
}
