package etcd

import (
	"context"

	"etcd-quorum-restore/modules/internal/facts"
)

// The calls below need quorum, and are sent exactly once: the client does not repeat a change whose fate is unknown.

// MemberAdd adds a member by its peer URLs and returns it with the list after it. A v3 add has no name: the member brings its own
// when it starts.
func (c *Client) MemberAdd(ctx context.Context, peerURLs []string) (facts.ClusterMember, []facts.ClusterMember, error) {
	ctx, cancel, limit := c.bounded(ctx)
	defer cancel()
	r, err := c.v3.MemberAdd(ctx, peerURLs)
	if err != nil {
		return facts.ClusterMember{}, nil, explainCall(c.Endpoint, "member add", limit, err)
	}
	added := facts.ClusterMember{ID: FormatID(r.Member.ID), Name: r.Member.Name, PeerURLs: r.Member.PeerURLs}
	return added, convert(r.Members), nil
}

// MemberRemove removes a member for good: its data can never join this cluster again.
func (c *Client) MemberRemove(ctx context.Context, id string) ([]facts.ClusterMember, error) {
	number, err := ParseID(id)
	if err != nil {
		return nil, err
	}
	ctx, cancel, limit := c.bounded(ctx)
	defer cancel()
	r, err := c.v3.MemberRemove(ctx, number)
	if err != nil {
		return nil, explainCall(c.Endpoint, "member remove", limit, err)
	}
	return convert(r.Members), nil
}

// MemberUpdate replaces a member's peer URLs.
func (c *Client) MemberUpdate(ctx context.Context, id string, peerURLs []string) ([]facts.ClusterMember, error) {
	number, err := ParseID(id)
	if err != nil {
		return nil, err
	}
	ctx, cancel, limit := c.bounded(ctx)
	defer cancel()
	r, err := c.v3.MemberUpdate(ctx, number, peerURLs)
	if err != nil {
		return nil, explainCall(c.Endpoint, "member update", limit, err)
	}
	return convert(r.Members), nil
}
