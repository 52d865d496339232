package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

func (h Host) clientURL() string { return "https://" + h.IP + ":2379" }

func (l *Lab) tlsConfig() (*tls.Config, error) {
	ca, err := os.ReadFile(l.path("pki/ca.crt"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	cert, err := tls.LoadX509KeyPair(l.path("pki/client.crt"), l.path("pki/client.key"))
	return &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{cert}}, err
}

// client speaks to one member only: with a list, a healthy member would answer
// for a broken one.
func (l *Lab) client(h Host) (*clientv3.Client, error) {
	conf, err := l.tlsConfig()
	if err != nil {
		return nil, err
	}
	return l.clientWith(h, conf)
}

func (l *Lab) clientWith(h Host, conf *tls.Config) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{
		Endpoints: []string{h.clientURL()}, TLS: conf, DialTimeout: 2 * time.Second, Logger: zap.NewNop(),
		// gRPC's own pauses grow to two minutes: a member that is back would
		// look dead for as long.
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.5, MaxDelay: 500 * time.Millisecond},
			MinConnectTimeout: 2 * time.Second,
		})},
	})
}

// health is a linearizable read through one member.
func (l *Lab) health(ctx context.Context, h Host) string {
	if !h.Etcd && !h.Spare && !h.Bare {
		return ""
	}
	c, err := l.client(h)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	r, err := c.Get(ctx, "health")
	if err != nil {
		return "no answer to a linearizable read"
	}
	return fmt.Sprintf("healthy, member %x, term %d, revision %d", r.Header.MemberId, r.Header.RaftTerm, r.Header.Revision)
}

// waitHealthy waits until every member, or each of hosts, has started and serves linearizable
// reads.
func (l *Lab) waitHealthy(ctx context.Context, limit time.Duration, hosts ...Host) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	all := members(l.Hosts)
	if len(hosts) == 0 {
		hosts = all
	}
	return each(hosts, func(h Host) error {
		c, err := l.client(h)
		if err != nil {
			return err
		}
		defer c.Close()
		return poll(ctx, func() error { return memberHealthy(ctx, c, len(all)) })
	})
}

func memberHealthy(ctx context.Context, c *clientv3.Client, want int) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if _, err := c.Get(ctx, "health"); err != nil {
		return err
	}
	list, err := c.MemberList(ctx)
	if err != nil {
		return err
	}
	for _, m := range list.Members {
		if m.Name == "" {
			return fmt.Errorf("member %x has not started", m.ID)
		}
	}
	if len(list.Members) != want {
		return fmt.Errorf("%d members, want %d", len(list.Members), want)
	}
	return nil
}

// flannelKey is what flannel reads, in the v2 store.
const flannelKey = "/openshift.com/network/config"

func (l *Lab) writeFlannelConfig(ctx context.Context) error {
	v2, err := l.v2()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	value := `{"Network": "10.128.0.0/14", "SubnetLen": 23, "Backend": {"Type": "vxlan"}}`
	return v2.put(ctx, members(l.Hosts)[0], flannelKey, value)
}

// v2Client speaks etcd's v2 API.
type v2Client struct{ http *http.Client }

func (l *Lab) v2() (*v2Client, error) {
	conf, err := l.tlsConfig()
	return v2With(conf), err
}

func v2With(conf *tls.Config) *v2Client {
	return &v2Client{&http.Client{Transport: &http.Transport{TLSClientConfig: conf, MaxIdleConnsPerHost: 64}}}
}

func (c *v2Client) put(ctx context.Context, h Host, key, value string) error {
	body := strings.NewReader(url.Values{"value": {value}}.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, h.clientURL()+"/v2/keys"+key, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated {
		return errors.New("v2 PUT: " + resp.Status)
	}
	return nil
}
