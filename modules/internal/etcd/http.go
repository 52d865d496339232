package etcd

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"etcd-quorum-restore/modules/internal/clienttls"
	"etcd-quorum-restore/modules/internal/fault"
)

// web is an HTTP server that is asked: a client port (v2, /health, /version) or a peer port.
type web struct {
	base    string // as the user wrote it, for messages
	url     string // what net/http dials
	client  *http.Client
	connect time.Duration
	call    time.Duration
	files   clienttls.Files
}

func newWeb(endpoint string, cfg Config) (*web, error) {
	cfg = cfg.withDefaults()
	u, err := ParseEndpoint(endpoint)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy:               nil, // a site's http_proxy must never see etcd's traffic
		DialContext:         (&net.Dialer{Timeout: cfg.Connect}).DialContext,
		TLSHandshakeTimeout: cfg.Connect,
		DisableCompression:  true,

		MaxResponseHeaderBytes: 64 << 10,
	}
	target := u.String()
	switch u.Scheme {
	case "https":
		if transport.TLSClientConfig, err = cfg.TLS.Config(); err != nil {
			return nil, err
		}
	case "unix":
		path := u.Path
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: cfg.Connect}).DialContext(ctx, "unix", path)
		}
		target = "http://localhost"
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &web{base: endpoint, url: target, client: client, connect: cfg.Connect, call: cfg.Call, files: cfg.TLS}, nil
}

func (w *web) close() { w.client.CloseIdleConnections() }

// reply is an answer whose body is still to be read; done must be called.
type reply struct {
	status int
	header http.Header
	body   io.Reader
	done   func()
}

// ask sends one request; limit bounds it together with the reading of the body.
func (w *web) ask(ctx context.Context, limit time.Duration, method, path string, body io.Reader) (*reply, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	var phase atomic.Int32
	trace := &httptrace.ClientTrace{
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				phase.Store(phaseConnected)
			}
		},
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err == nil {
				phase.Store(phaseSecured)
			}
		},
		GotConn: func(httptrace.GotConnInfo) { phase.Store(phaseSecured) },
	}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), method, w.url+path, body)
	if err != nil {
		cancel()
		return nil, fault.Wrap(fault.Invalid, err, "%s", w.base)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := w.client.Do(req)
	if err != nil {
		cancel()
		return nil, w.explain(err, int(phase.Load()), limit)
	}
	return &reply{status: resp.StatusCode, header: resp.Header, body: resp.Body, done: func() { resp.Body.Close(); cancel() }}, nil
}

// small is the size of the largest answer that is read as a whole: a member list, a health word.
const small = 1 << 20

// readSmall is the only place that reads a body as a whole.
func (w *web) readSmall(r *reply, limit time.Duration) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r.body, small+1))
	if err != nil {
		return nil, w.explain(err, phaseSecured, limit)
	}
	if len(raw) > small {
		return nil, fault.New(fault.Unsupported, "%s answers with more than %d bytes: it is no etcd", w.base, small)
	}
	return raw, nil
}

// get reads a small answer. A status other than 200 is an error, except those in also.
func (w *web) get(ctx context.Context, path string, also ...int) (status int, header http.Header, body []byte, err error) {
	r, err := w.ask(ctx, w.call, http.MethodGet, path, nil)
	if err != nil {
		return 0, nil, nil, err
	}
	defer r.done()
	if body, err = w.readSmall(r, w.call); err != nil {
		return 0, nil, nil, err
	}
	for _, accepted := range append(also, http.StatusOK) {
		if r.status == accepted {
			return r.status, r.header, body, nil
		}
	}
	return r.status, r.header, nil, fault.New(fault.Unsupported, "%s%s answers with HTTP status %d", w.base, path, r.status)
}

func (w *web) getJSON(ctx context.Context, path string, out any) (http.Header, error) {
	_, header, body, err := w.get(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body, out); err != nil {
		return nil, fault.New(fault.Unsupported, "%s%s answers with something that is not etcd's JSON", w.base, path)
	}
	return header, nil
}

// serverVersion is the short GET /version that begins every connection.
func (w *web) serverVersion(ctx context.Context) (string, error) {
	limit := w.connect
	r, err := w.ask(ctx, limit, http.MethodGet, "/version", nil)
	if err != nil {
		return "", err
	}
	defer r.done()
	var v struct {
		Server string `json:"etcdserver"`
	}
	raw, err := w.readSmall(r, limit)
	if err != nil {
		return "", err
	}
	if r.status == http.StatusBadRequest && strings.Contains(string(raw), "HTTP request to an HTTPS server") {
		return "", fault.New(fault.Invalid, "%s: speaks TLS there: write https://", w.base)
	}
	if r.status != http.StatusOK || json.Unmarshal(raw, &v) != nil {
		return "", nil // it answers; newer releases may serve /version elsewhere
	}
	return v.Server, nil
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// plain is err without the "Get https://…:" that net/http puts before it: our own message has the URL already.
func plain(err error) error {
	var wrapped *url.Error
	for errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return err
}

func isPlainHTTP(err error) bool {
	return strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}
