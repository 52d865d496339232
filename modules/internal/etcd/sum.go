package etcd

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"etcd-quorum-restore/modules/internal/fault"
)

// Sizes of a page of keys. 3.2 walks its whole index for each page, so small pages are quadratic (45 s for 512 000 keys at 1000, 3 s
// at 50 000); large ones with values would not fit into memory.
const (
	firstPage   = 500
	largestPage = 50000
	pageBytes   = 8 << 20
)

// SumKeys hashes all v3 keys at a revision, on this member alone: key, revisions, version, lease, and the value if asked for. Equal
// sums mean equal data; nothing of a value is kept.
func (c *Client) SumKeys(ctx context.Context, revision int64, values bool) (sum string, keys int64, err error) {
	h := sha256.New()
	from, limit := "\x00", int64(firstPage)
	for {
		page, err := c.page(ctx, from, revision, limit, values)
		if tooLarge(err) && limit > 1 { // values that are much larger than the ones before
			limit = max(1, limit/8)
			continue
		}
		if err != nil {
			return "", 0, err
		}
		size := int64(0)
		for _, kv := range page.Kvs {
			size += int64(len(kv.Key) + len(kv.Value) + 64)
			addKey(h, kv)
		}
		keys += int64(len(page.Kvs))
		if !page.More || len(page.Kvs) == 0 {
			return hex.EncodeToString(h.Sum(nil)), keys, nil
		}
		if bytes.Compare(page.Kvs[0].Key, []byte(from)) < 0 {
			return "", 0, fault.New(fault.Invalid, "%s answers with keys out of order: it is no etcd", c.Endpoint)
		}
		from = string(page.Kvs[len(page.Kvs)-1].Key) + "\x00"
		limit = min(max(pageBytes*int64(len(page.Kvs))/size, 1), largestPage)
	}
}

func addKey(h hash.Hash, kv *mvccpb.KeyValue) {
	numbers := []int64{int64(len(kv.Key)), int64(len(kv.Value)), kv.CreateRevision, kv.ModRevision, kv.Version, kv.Lease}
	head := make([]byte, 0, 8*len(numbers))
	for _, n := range numbers {
		head = binary.BigEndian.AppendUint64(head, uint64(n))
	}
	h.Write(head) // a hash never fails to write
	h.Write(kv.Key)
	h.Write(kv.Value)
}

// page asks again while the member has not applied the revision yet: it may lag behind the leader for a moment.
func (c *Client) page(ctx context.Context, from string, revision, limit int64, values bool) (*clientv3.GetResponse, error) {
	allowed := 6 * c.limit // a page is much more work than a status
	ctx, cancel := context.WithTimeout(ctx, allowed)
	defer cancel()
	options := []clientv3.OpOption{clientv3.WithFromKey(), clientv3.WithRev(revision), clientv3.WithSerializable(), clientv3.WithLimit(limit)}
	if !values {
		options = append(options, clientv3.WithKeysOnly())
	}
	for {
		r, err := c.v3.Get(ctx, from, options...)
		if err == nil {
			return r, nil
		}
		if !errors.Is(rpctypes.Error(err), rpctypes.ErrFutureRev) {
			return nil, explainCall(c.Endpoint, "reading the keys", allowed, err)
		}
		select {
		case <-ctx.Done():
			return nil, explainCall(c.Endpoint, "reading the keys", allowed, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
