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
	if _, err := c.LinearizableRead(ctx); err != nil {
		live.Error = err.Error()
	} else {
		live.Quorum = true
	}
	if keys, err := c.CountKeys(ctx, live.Revision); err == nil {
		live.Keys = keys
	} else if live.Error == "" {
		live.Error = err.Error()
	}
	return live
}
