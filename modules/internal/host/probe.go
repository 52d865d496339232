package host

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
)

// probeLimit is for one question to the local etcd; a member without quorum accepts the connection and never answers.
const probeLimit = 2 * time.Second

// PeerAnswers asks this host's peer port for /version. It answers as soon as the member has read its data, with or without a quorum.
func (h *Host) PeerAnswers(ctx context.Context) error {
	_, err := h.ask(ctx, h.Config.ListenPeerURLs, h.Config.PeerURLs, "/version")
	return err
}

// Healthy asks this host's client port for /health, which etcd answers after a linearizable read of its own: it needs a quorum and a leader.
func (h *Host) Healthy(ctx context.Context) error {
	body, err := h.ask(ctx, h.Config.ListenClientURLs, h.Config.ClientURLs, "/health")
	if err != nil {
		return err
	}
	return healthOf(body)
}

// healthOf reads {"health": "true"}. An alarm (NOSPACE) makes etcd 3.3 and later say "false" while it serves reads.
func healthOf(body []byte) error {
	var answer struct {
		Health any    `json:"health"`
		Reason string `json:"reason"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fault.New(fault.Internal, "/health answers %q", body)
	}
	if answer.Health == "true" || answer.Health == true || strings.HasPrefix(answer.Reason, "ALARM") {
		return nil
	}
	return fault.New(fault.Unreachable, "/health answers %s", strings.TrimSpace(string(body)))
}

func (h *Host) ask(ctx context.Context, listen, advertised []string, path string) ([]byte, error) {
	target, err := localURL(listen, advertised)
	if err != nil {
		return nil, err
	}
	config, err := h.TLS.LocalConfig()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target+path, nil)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}
	answer, err := transport.RoundTrip(req) // follows no redirect: only this host's own etcd is asked
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err == nil && answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusServiceUnavailable {
		err = fault.New(fault.Internal, "%s%s answers %s", target, path, answer.Status)
	}
	return body, err
}

// localURL is where this host reaches its own etcd: the first listen URL, with the loopback address in place of a wildcard.
func localURL(listen, advertised []string) (string, error) {
	for _, each := range append(append([]string{}, listen...), advertised...) {
		u, err := url.Parse(each)
		if err != nil || u.Host == "" {
			continue
		}
		if addr, err := netip.ParseAddr(u.Hostname()); err == nil && addr.IsUnspecified() {
			u.Host = net.JoinHostPort("127.0.0.1", u.Port())
		}
		return u.Scheme + "://" + u.Host, nil
	}
	return "", fault.New(fault.Invalid, "etcd.conf names no URL to listen on")
}
