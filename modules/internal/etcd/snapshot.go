package etcd

import (
	"context"
	"errors"
	"io"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

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

// Page is how many keys a comparison asks for at once: 3.2 walks the whole index for every page, so small pages are quadratic.
const Page = 50000

// EachKey calls f for every key's metadata at a revision, on this member alone. Values are not sent.
func (c *Client) EachKey(ctx context.Context, revision int64, f func(key []byte, created, modified, version, lease int64)) error {
	from := "\x00"
	for {
		kvs, more, err := c.page(ctx, from, revision)
		if err != nil {
			return err
		}
		for _, kv := range kvs {
			f(kv.Key, kv.CreateRevision, kv.ModRevision, kv.Version, kv.Lease)
		}
		if !more || len(kvs) == 0 {
			return nil
		}
		from = string(kvs[len(kvs)-1].Key) + "\x00"
	}
}

func (c *Client) page(ctx context.Context, from string, revision int64) ([]*mvccpb.KeyValue, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 6*c.limit)
	defer cancel()
	r, err := c.v3.Get(ctx, from, clientv3.WithFromKey(), clientv3.WithRev(revision), clientv3.WithSerializable(), clientv3.WithKeysOnly(), clientv3.WithLimit(Page))
	if err != nil {
		return nil, false, explainCall(c.Endpoint, "reading the keys", 6*c.limit, err)
	}
	return r.Kvs, r.More, nil
}
