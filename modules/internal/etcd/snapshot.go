package etcd

import (
	"context"
	"errors"
	"io"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
)

// stall is how long a snapshot's stream may bring nothing: the member reads its own database while it sends.
const stall = 30 * time.Second

// Snapshot streams the member's database followed by its sha256; it works without quorum. The reader ends with an error when ctx
// ends, or when nothing arrives for 30 s. A stream that is cut off may end without an error: only the sum tells, so check it.
func (c *Client) Snapshot(ctx context.Context) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &stream{endpoint: c.Endpoint, ctx: ctx, cancel: cancel}
	s.watchdog = time.AfterFunc(stall, func() {
		cancel(fault.New(fault.Timeout, "%s: the snapshot brought nothing for %v", c.Endpoint, stall))
	})
	r, err := c.v3.Snapshot(ctx)
	if err != nil {
		s.watchdog.Stop()
		cancel(nil)
		return nil, explainCall(c.Endpoint, "snapshot", stall, err)
	}
	s.body = r
	return s, nil
}

type stream struct {
	endpoint string
	ctx      context.Context
	cancel   context.CancelCauseFunc
	watchdog *time.Timer
	body     io.ReadCloser
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	if n > 0 {
		s.watchdog.Reset(stall)
	}
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	var stalled *fault.Error
	if errors.As(context.Cause(s.ctx), &stalled) {
		return n, stalled
	}
	return n, explainCall(s.endpoint, "the snapshot's stream", stall, err)
}

func (s *stream) Close() error {
	s.watchdog.Stop()
	s.cancel(nil)
	return s.body.Close()
}
