package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// content is all that one member holds.
type content struct {
	v3, v2   map[string]string
	revision int64
	sum      string // of every v3 key with its value and revisions
	err      error
	fresh    bool // a linearizable read came first: nothing committed is missing for being late
}

// writerCheck looks into each member by itself for every acknowledged write,
// and compares all that they hold.
func (l *Lab) writerCheck(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("check", flag.ContinueOnError)
	names := f.String("hosts", "", "members to look into (a,b); default: all")
	timeout := f.Duration("timeout", time.Minute, "limit")
	lossOnly := f.Bool("loss-only", false, "do not compare the members with each other")
	if err := f.Parse(args); err != nil {
		return err
	}
	hosts := members(l.Hosts)
	var err error
	if *names != "" {
		if hosts, err = pick(l.Hosts, strings.Split(*names, ",")); err != nil {
			return err
		}
	}
	acks, err := readAcks(l.ackedLog())
	if err != nil {
		return fmt.Errorf("no writer's log (%w): `lab writer start %s` makes one", err, l.Name)
	}
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	contents, err := l.contentsOf(ctx, hosts)
	if err != nil {
		return err
	}
	bad := reportLosses(hosts, contents, acks)
	if !*lossOnly {
		bad = reportDifferences(hosts, contents) || bad
	}
	if bad {
		return exitStatus(1)
	}
	return nil
}

// contentsOf reads all members at one revision, where there is one to agree on.
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
		// No revision to wait for: what does not answer soon never will.
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

func reportLosses(hosts []Host, contents []content, acks []Ack) (bad bool) {
	for i, h := range hosts {
		line := fmt.Sprintf("%-10s", h.Short())
		if err := contents[i].err; err != nil {
			fmt.Printf("%s  cannot be read: %v\n", line, err)
			bad = true
			continue
		}
		var lost []string
		for _, s := range []struct {
			store string
			have  map[string]string
		}{{"v3", contents[i].v3}, {"v2", contents[i].v2}} {
			want := wanted(acks, s.store)
			gone := missing(want, s.have)
			line += fmt.Sprintf("  %s: %d of %d acknowledged writes", s.store, len(want)-len(gone), len(want))
			for _, k := range gone {
				lost = append(lost, s.store+" "+k)
			}
		}
		if !contents[i].fresh {
			line += "  (no quorum: its own state)"
		}
		fmt.Println(line)
		for n, k := range lost {
			if n == 20 {
				fmt.Printf("  missing: and %d more\n", len(lost)-n)
				break
			}
			fmt.Println("  missing:", k)
		}
		bad = bad || len(lost) > 0
	}
	return bad
}

// reportDifferences compares members that were read at the same revision with
// the first that could be read.
func reportDifferences(hosts []Host, contents []content) (bad bool) {
	readable := 0
	var first content
	var name string
	for i, c := range contents {
		if c.err != nil {
			continue
		}
		if readable++; readable == 1 {
			first, name = c, hosts[i].Short()
			continue
		}
		bad = differs(hosts[i].Short(), c, name, first) || bad
	}
	if !bad && readable > 1 {
		fmt.Printf("equal data on %d members: %d v3 keys at revision %d, %d v2 keys\n", readable, len(first.v3), first.revision, len(first.v2))
	}
	return bad
}

func differs(name string, c content, firstName string, first content) bool {
	if c.revision != first.revision {
		fmt.Printf("%-10s  read at revision %d, %s at %d: not compared\n", name, c.revision, firstName, first.revision)
		return true
	}
	bad := c.sum != first.sum
	if bad {
		fmt.Printf("%-10s  DIFFERENT v3 DATA at revision %d: %d keys, sum %s; %s: %d keys, sum %s\n",
			name, c.revision, len(c.v3), c.sum, firstName, len(first.v3), first.sum)
	}
	// Without quorum two members may be apart by what was under way.
	lacks, extra := missing(first.v2, c.v2), missing(c.v2, first.v2)
	if c.fresh && first.fresh && len(lacks)+len(extra) > 0 {
		fmt.Printf("%-10s  DIFFERENT v2 DATA: lacks %d keys of %s, has %d others\n", name, len(lacks), firstName, len(extra))
		bad = true
	}
	return bad
}
