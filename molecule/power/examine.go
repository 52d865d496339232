package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// outcome is what happened to one survivor.
type outcome struct {
	Failed     string // why it does not serve; then nothing else is known
	LostOfLog  int    // acknowledged writes that were in its log, and are gone
	NeverInLog int    // acknowledged writes that are gone because this member never had them
	Discarded  int    // entries of the log that etcd says it threw away
	Hangs      bool   // a write never returns
	Unjoined   string // why a second member could not join
	Unequal    string // how the data of a second member that joined differ
}

// survivor is a member that was forced, and how to start another etcd beside it.
type survivor struct {
	ip     string
	pki    string // directory of ca.crt, client.crt, client.key
	second func(ctx context.Context, initialCluster string) *exec.Cmd
}

const (
	serveLimit = time.Minute
	writeLimit = 15 * time.Second // hundreds of times what a write takes: a busy machine does not count as a hang
	equalLimit = 15 * time.Second
)

// examine looks for the acknowledged writes, tries to write, and lets a second member join.
func (s survivor) examine(ctx context.Context, acked, inLog map[string]bool) (out outcome) {
	m, err := s.client(s.ip, "2379")
	if err != nil {
		return outcome{Failed: err.Error()}
	}
	defer m.Close()
	have, err := m.content(ctx, serveLimit, 0)
	if err != nil {
		return outcome{Failed: "it does not serve: " + err.Error()}
	}
	for key := range acked {
		switch {
		case have.keys[key] != "":
		case inLog[key]:
			out.LostOfLog++
		default:
			out.NeverInLog++
		}
	}
	out.Hangs = m.write(ctx) != nil
	second, err := s.join(ctx, m)
	if err != nil {
		out.Unjoined = err.Error()
		return out
	}
	defer second.end()
	out.Unequal = differ(ctx, m, second.client)
	return out
}

// joined is a second member, a process beside the first one.
type joined struct {
	*client
	process *exec.Cmd
}

func (j joined) end() {
	j.Close()
	j.process.Process.Kill()
	j.process.Wait()
}

// join adds a second member, and waits until it serves.
func (s survivor) join(ctx context.Context, first *client) (j joined, err error) {
	add, cancel := context.WithTimeout(ctx, serveLimit)
	defer cancel()
	peer := "https://" + s.ip + ":12380"
	list, err := first.MemberAdd(add, []string{peer})
	for errors.Is(err, rpctypes.ErrUnhealthy) && add.Err() == nil {
		time.Sleep(200 * time.Millisecond) // etcd's rule: not within 5 s after another member connected
		list, err = first.MemberAdd(add, []string{peer})
	}
	if err != nil {
		return j, fmt.Errorf("member add: %w", err)
	}
	var cluster []string
	for _, m := range list.Members {
		name := m.Name
		if m.ID == list.Member.ID {
			name = "second"
		}
		cluster = append(cluster, name+"="+m.PeerURLs[0])
	}
	if j.client, err = s.client(s.ip, "12379"); err != nil {
		return j, err
	}
	j.process = s.second(ctx, strings.Join(cluster, ","))
	if err := j.process.Start(); err != nil {
		return j, err
	}
	if _, err = j.content(ctx, serveLimit, 0); err != nil {
		j.end()
		return j, fmt.Errorf("it does not serve: %w", err)
	}
	return j, nil
}

// differ compares until both are equal, since the second may still be catching up.
func differ(ctx context.Context, first, second *client) string {
	for end := time.Now().Add(equalLimit); ; time.Sleep(200 * time.Millisecond) {
		what := differNow(ctx, first, second)
		if what == "" || time.Now().After(end) {
			return what
		}
	}
}

func differNow(ctx context.Context, first, second *client) string {
	a, err := first.content(ctx, serveLimit, 0)
	if err != nil {
		return "the first member: " + err.Error()
	}
	b, err := second.content(ctx, writeLimit, a.revision)
	if err != nil {
		return fmt.Sprintf("the second member at revision %d: %v", a.revision, err)
	}
	if a.newest != b.newest || !maps.Equal(a.keys, b.keys) {
		return fmt.Sprintf("%d keys at revision %d, and %d keys at revision %d", len(a.keys), a.newest, len(b.keys), b.newest)
	}
	return ""
}

// client speaks to one member.
type client struct {
	*clientv3.Client
	http *http.Client
	url  string
}

func (s survivor) client(ip, port string) (*client, error) {
	ca, err := os.ReadFile(filepath.Join(s.pki, "ca.crt"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	cert, err := tls.LoadX509KeyPair(filepath.Join(s.pki, "client.crt"), filepath.Join(s.pki, "client.key"))
	if err != nil {
		return nil, err
	}
	conf := &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{cert}}
	c := &client{url: "https://" + ip + ":" + port, http: &http.Client{Transport: &http.Transport{TLSClientConfig: conf}}}
	c.Client, err = clientv3.New(clientv3.Config{
		Endpoints: []string{c.url}, TLS: conf, Logger: zap.NewNop(), DialTimeout: 2 * time.Second,
		// gRPC's own pauses grow to two minutes: a member that serves by now would look dead.
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.5, MaxDelay: 500 * time.Millisecond}, MinConnectTimeout: 2 * time.Second,
		})},
	})
	return c, err
}

// write makes one write in each store; a member that hangs on writes answers everything else.
func (c *client) write(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	if _, err := c.Put(ctx, "/power/probe", "v3"); err != nil {
		return err
	}
	body := strings.NewReader(url.Values{"value": {"v2"}}.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, c.url+"/v2/keys/power/probe", body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.http.Do(req)
	if err == nil {
		resp.Body.Close()
	}
	return err
}

// content is everything that a member holds: under "v3 KEY" and "v2 KEY" the value with its revisions.
type content struct {
	keys     map[string]string
	revision int64 // at which the v3 keys were read
	newest   int64 // the member's own
}

// content reads one member by itself, at a revision, or (0) at its newest after it has applied everything that is committed.
func (c *client) content(ctx context.Context, limit time.Duration, at int64) (content, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	out := content{keys: map[string]string{}, revision: at}
	if at == 0 {
		r, err := c.Get(ctx, "x")
		if err != nil {
			return out, err
		}
		out.revision = r.Header.Revision
	}
	r, err := c.Get(ctx, "\x00", clientv3.WithFromKey(), clientv3.WithSerializable(), clientv3.WithRev(out.revision))
	if err != nil {
		return out, err
	}
	out.newest = r.Header.Revision
	for _, kv := range r.Kvs {
		out.keys["v3 "+string(kv.Key)] = fmt.Sprintf("%q %d %d %d", kv.Value, kv.CreateRevision, kv.ModRevision, kv.Version)
	}
	return out, c.v2(ctx, out.keys)
}

type node struct {
	Key, Value                  string
	Dir                         bool
	CreatedIndex, ModifiedIndex uint64
	Nodes                       []node
}

func (c *client) v2(ctx context.Context, into map[string]string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/v2/keys/?recursive=true", nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET /v2/keys/: %s", resp.Status)
	}
	var answer struct{ Node node }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	answer.Node.flatten(into)
	return nil
}

func (n node) flatten(into map[string]string) {
	if !n.Dir {
		into["v2 "+n.Key] = fmt.Sprintf("%q %d %d", n.Value, n.CreatedIndex, n.ModifiedIndex)
	}
	for _, child := range n.Nodes {
		child.flatten(into)
	}
}
