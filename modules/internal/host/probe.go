package host

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
)

// probeLimit ends one question to the local etcd; a member without quorum accepts the connection and never answers.
const probeLimit = 2 * time.Second

// PeerAnswers asks the own peer port for /version. It answers as soon as the member has read its data, with or without a quorum.
func (h *Host) PeerAnswers(ctx context.Context) error {
	_, err := h.ask(ctx, h.Config.ListenPeerURLs, h.Config.PeerURLs, "/version")
	return err
}

// Healthy asks the own client port for /health, which etcd answers by a linearizable read of its own: it needs a quorum and a leader.
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
	config, err := h.tlsConfig()
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
	answer, err := (&http.Client{Transport: transport}).Do(req)
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

// localURL is how this host reaches its own etcd: the first listen URL, the loopback address in place of a wildcard.
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

// tlsConfig checks the certificate's chain and dates, not its name: the address dialed is this host's own.
func (h *Host) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if h.TLS.CA == "" {
		return config, nil
	}
	pem, err := os.ReadFile(h.TLS.CA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fault.New(fault.Invalid, "%s holds no certificate", h.TLS.CA)
	}
	config.InsecureSkipVerify = true // VerifyConnection does it, without the name
	config.VerifyConnection = func(s tls.ConnectionState) error { return chain(s, roots) }
	if h.TLS.Cert == "" {
		return config, nil
	}
	pair, err := tls.LoadX509KeyPair(h.TLS.Cert, h.TLS.Key)
	config.Certificates = []tls.Certificate{pair}
	return config, err
}

func chain(s tls.ConnectionState, roots *x509.CertPool) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("etcd shows no certificate")
	}
	between := x509.NewCertPool()
	for _, c := range s.PeerCertificates[1:] {
		between.AddCert(c)
	}
	_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
	return err
}
