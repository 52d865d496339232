package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// content is all that one member holds.
type content struct {
	v3, v2   map[string]string
	revision int64
	sum      string // of every v3 key with its value and revisions
	err      error
	fresh    bool // a linearizable read came first: no committed entry is missing because of a delay
}

// contentsOf reads all members at one revision, if they agree on one.
func (l *Lab) contentsOf(ctx context.Context, hosts []Host) ([]content, error) {
	contents := make([]content, len(hosts))
	var newest int64
	for i, h := range hosts {
		c, err := l.client(h)
		if err != nil {
			return nil, err
		}
		defer c.Close()
		contents[i].revision, contents[i].fresh = linearizable(ctx, c)
		newest = max(newest, contents[i].revision)
	}
	for i, h := range hosts {
		contents[i].err = l.readContent(ctx, h, newest, &contents[i])
	}
	return contents, nil
}

// linearizable waits until a member has applied all that was committed. Without
// quorum that cannot be known, and its own state is all there is.
func linearizable(ctx context.Context, c *clientv3.Client) (int64, bool) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := c.Get(ctx, "health")
	if err != nil {
		return 0, false
	}
	return r.Header.Revision, true
}

func (l *Lab) readContent(ctx context.Context, h Host, at int64, to *content) error {
	c, err := l.client(h)
	if err != nil {
		return err
	}
	defer c.Close()
	limit := 20 * time.Second
	if !to.fresh {
		// There is no revision to wait for: a member that does not answer soon
		// never will.
		at, limit = 0, 5*time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := readV3(ctx, c, at, to); err != nil {
		return fmt.Errorf("v3: %w", err)
	}
	v2, err := l.v2()
	if err != nil {
		return err
	}
	to.v2, err = v2.all(ctx, h)
	if err != nil {
		return fmt.Errorf("v2: %w", err)
	}
	return nil
}

// readV3 pages through all keys by serializable reads, which this member
// answers from its own database.
func readV3(ctx context.Context, c *clientv3.Client, at int64, to *content) error {
	const page = 50000 // 3.2 walks the whole index for each page
	to.v3 = map[string]string{}
	h := sha256.New()
	for from := "\x00"; ; {
		var r *clientv3.GetResponse
		// Repeated while the member has yet to apply that revision.
		err := poll(ctx, func() (err error) {
			r, err = c.Get(ctx, from, clientv3.WithFromKey(), clientv3.WithSerializable(),
				clientv3.WithLimit(page), clientv3.WithRev(at))
			return err
		})
		if err != nil {
			return err
		}
		for _, kv := range r.Kvs {
			to.v3[string(kv.Key)] = string(kv.Value)
			fmt.Fprintf(h, "%d:%s%d:%s%d.%d.%d", len(kv.Key), kv.Key, len(kv.Value), kv.Value, kv.CreateRevision, kv.ModRevision, kv.Version)
			from = string(kv.Key) + "\x00"
		}
		if at == 0 {
			at = r.Header.Revision
		}
		to.revision = at
		if !r.More {
			to.sum = hex.EncodeToString(h.Sum(nil))[:16]
			return nil
		}
	}
}

// v2Node is a node of the v2 store as its API prints it.
type v2Node struct {
	Key, Value string
	Dir        bool
	Nodes      []v2Node
}

func (n v2Node) flatten(to map[string]string) {
	if !n.Dir {
		to[n.Key] = n.Value
	}
	for _, child := range n.Nodes {
		child.flatten(to)
	}
}

// all reads the whole v2 store from the member itself (quorum=false is the
// default of a GET).
func (c *v2Client) all(ctx context.Context, h Host) (map[string]string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.clientURL()+"/v2/keys/?recursive=true", nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New("GET /v2/keys/: " + resp.Status)
	}
	var answer struct{ Node v2Node }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, err
	}
	keys := map[string]string{}
	answer.Node.flatten(keys)
	return keys, nil
}
