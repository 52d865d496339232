package etcd

import (
	"context"
	"errors"
	"io"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
)

// Snapshot streams the member's database, followed by its sha256; it works without quorum. The reader ends with an error when ctx ends, or when
// nothing arrives for Config.Stall. A stream that is cut off may end without an error: only the sum tells, so the caller has to check it.
func (c *Client) Snapshot(ctx context.Context) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &stream{endpoint: c.Endpoint, ctx: ctx, cancel: cancel, stall: c.stall}
	s.watchdog = time.AfterFunc(c.stall, func() {
		cancel(fault.New(fault.Timeout, "%s: the snapshot brought nothing for %v", c.Endpoint, c.stall))
	})
	r, err := c.v3.Snapshot(ctx)
	if err != nil {
		s.watchdog.Stop()
		cancel(nil)
		return nil, s.explain(err)
	}
	s.body = r
	return s, nil
}

type stream struct {
	endpoint string
	ctx      context.Context
	cancel   context.CancelCauseFunc
	stall    time.Duration
	watchdog *time.Timer
	body     io.ReadCloser
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	if n > 0 {
		s.watchdog.Reset(s.stall)
	}
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	return n, s.explain(err)
}

func (s *stream) explain(err error) error {
	var stalled *fault.Error
	if errors.As(context.Cause(s.ctx), &stalled) {
		return stalled
	}
	if s.ctx.Err() != nil {
		return fault.New(fault.Timeout, "%s: the snapshot was not complete when the time limit was reached", s.endpoint)
	}
	return explainCall(s.endpoint, "the snapshot's stream", s.stall, err)
}

func (s *stream) Close() error {
	s.watchdog.Stop()
	s.cancel(nil)
	return s.body.Close()
}
