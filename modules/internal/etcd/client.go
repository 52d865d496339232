package etcd

import (
	"context"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/guard"
)

// Client speaks to one endpoint. Every method ends within the configured limit, or earlier with its context.
type Client struct {
	Endpoint string
	Version  string // of the server, if known
	v3       *clientv3.Client
	web      *web
	limit    time.Duration
	stall    time.Duration
}

// Dial connects to whichever endpoint answers first; the error says what each of them did.
func Dial(ctx context.Context, cfg Config) (*Client, error) {
	return fastest(ctx, cfg, func(context.Context, *Client) error { return nil })
}

// DialQuorum connects to the endpoint that is the first to prove a quorum: changes sent to a member that is cut off would hang.
func DialQuorum(ctx context.Context, cfg Config) (*Client, error) {
	return fastest(ctx, cfg, func(ctx context.Context, c *Client) error {
		_, err := c.LinearizableRead(ctx)
		return err
	})
}

type attempt struct {
	index  int
	client *Client
	err    error
}

// fastest tries all endpoints at the same time, so that one that hangs delays nothing.
func fastest(ctx context.Context, cfg Config, test func(context.Context, *Client) error) (*Client, error) {
	if len(cfg.Endpoints) == 0 {
		return nil, fault.New(fault.Invalid, "no endpoint of etcd is known").WithHint("give endpoints, e.g. endpoints=https://192.0.2.11:2379")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan attempt, len(cfg.Endpoints))
	for i, endpoint := range cfg.Endpoints {
		go func() { // one result each, whatever happens
			got := attempt{index: i}
			got.err = guard.Call(func() (err error) {
				got.client, err = try(ctx, endpoint, cfg, test)
				return err
			})
			results <- got
		}()
	}
	failures := make([]error, len(cfg.Endpoints))
	for pending := len(cfg.Endpoints); pending > 0; pending-- {
		got := <-results
		if got.err == nil {
			go closeRest(results, pending-1)
			return got.client, nil
		}
		failures[got.index] = got.err
	}
	return nil, combine(failures)
}

func try(ctx context.Context, endpoint string, cfg Config, test func(context.Context, *Client) error) (*Client, error) {
	c, err := DialOne(ctx, endpoint, cfg)
	if err != nil {
		return nil, err
	}
	if err := test(ctx, c); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func closeRest(results <-chan attempt, n int) {
	for range n {
		if late := <-results; late.client != nil {
			late.client.Close()
		}
	}
}

// combine keeps the first failure's kind and hint, and joins all messages.
func combine(failures []error) error {
	if len(failures) == 1 {
		return failures[0]
	}
	var texts []string
	for _, err := range failures {
		texts = append(texts, err.Error())
	}
	return fault.New(fault.KindOf(failures[0]), "no endpoint answers as it should: %s", strings.Join(texts, "; ")).WithHint("%s", fault.HintOf(failures[0]))
}

// DialOne connects to one endpoint.
func DialOne(ctx context.Context, endpoint string, cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	w, err := newWeb(endpoint, cfg)
	if err != nil {
		return nil, err
	}
	version, err := w.serverVersion(ctx)
	if err != nil {
		w.close()
		return nil, err
	}
	v3, err := newV3(endpoint, cfg)
	if err != nil {
		w.close()
		return nil, err
	}
	return &Client{Endpoint: endpoint, Version: version, v3: v3, web: w, limit: cfg.Call, stall: cfg.Stall}, nil
}

// largestMessage bounds the memory for one answer. A snapshot comes in pieces, and keys in pages.
const largestMessage = 32 << 20

func newV3(endpoint string, cfg Config) (*clientv3.Client, error) {
	u, err := ParseEndpoint(endpoint)
	if err != nil {
		return nil, err
	}
	settings := clientv3.Config{
		Endpoints:          []string{u.String()},
		Logger:             zap.NewNop(),
		MaxCallRecvMsgSize: largestMessage,
		DialOptions:        []grpc.DialOption{grpc.WithNoProxy()}, // otherwise gRPC follows HTTPS_PROXY
	}
	switch u.Scheme {
	case "https":
		if settings.TLS, err = cfg.TLS.Config(); err != nil {
			return nil, err
		}
	case "unix":
		settings.Endpoints = []string{"unix://" + u.Path}
	}
	v3, err := clientv3.New(settings)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "%s", endpoint)
	}
	return v3, nil
}

// Close ends the connection.
func (c *Client) Close() {
	c.web.close()
	c.v3.Close() // its only error is that of the context it was given
}

// bounded gives ctx a deadline, also where the caller's has none: without quorum a call would never end.
func (c *Client) bounded(ctx context.Context) (context.Context, context.CancelFunc, time.Duration) {
	limit := c.limit
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline))
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	return ctx, cancel, limit
}
