package etcd

import (
	"context"

	"etcd-quorum-restore/modules/internal/facts"
)

// Probe asks a member for its state. It never fails: "does not answer" is a fact too. Quorum is what a linearizable read proved; keys are counted
// at the revision that is returned.
func (c *Client) Probe(ctx context.Context) facts.Live {
	live, err := c.Status(ctx)
	if err != nil {
		return facts.Live{Error: err.Error()}
	}
	live.Quorum, live.Error = c.provesQuorum(ctx, live.Leader)
	if keys, err := c.CountKeys(ctx, live.Revision); err == nil {
		live.Keys = keys
	} else if live.Error == "" {
		live.Error = err.Error()
	}
	return live
}

// provesQuorum does not wait where the member itself knows no leader: a read would hang until an election is over.
func (c *Client) provesQuorum(ctx context.Context, leader facts.ID) (bool, string) {
	if leader == 0 {
		return false, c.Endpoint + ": the member has no leader"
	}
	if _, err := c.LinearizableRead(ctx); err != nil {
		return false, err.Error()
	}
	return true, ""
}
