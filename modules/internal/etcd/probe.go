package etcd

import (
	"context"

	"etcd-quorum-restore/modules/internal/facts"
)

// Probe asks a local etcd how it is; it never fails, since "does not answer" is a fact too. Quorum is what a linearizable read
// proved; keys are counted at the revision that is returned.
func Probe(ctx context.Context, cfg Config) facts.Live {
	c, err := Dial(ctx, cfg)
	if err != nil {
		return facts.Live{Error: err.Error()}
	}
	defer c.Close()
	return c.Probe(ctx)
}

// Probe is the same on an open connection.
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

// provesQuorum does not wait where the member itself knows no leader: a read could only hang until an election is over.
func (c *Client) provesQuorum(ctx context.Context, leader string) (bool, string) {
	if leader == "" {
		return false, c.Endpoint + ": the member has no leader"
	}
	if _, err := c.LinearizableRead(ctx); err != nil {
		return false, err.Error()
	}
	return true, ""
}
