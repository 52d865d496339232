package rotation

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/opensslca"
)

// trialLimit is how long one port may take to answer.
const trialLimit = 5 * time.Second

// Refused says for each port, of etcd's peers and clients, why it does not answer somebody with a certificate of the new CA.
func (r *Rotation) Refused(ctx context.Context, ports []string) (all []string, err error) {
	ca, err := opensslca.Open(ctx, r.Dir, false)
	if err != nil {
		return nil, err
	}
	defer ca.Close()
	pair, err := ca.Trial(time.Now())
	if err != nil {
		return nil, err
	}
	for _, port := range ports {
		if err := ask(ctx, port, r.client(pair)); err != nil {
			all = append(all, fmt.Sprintf("%s does not answer a certificate of the new CA (%v)", port, plain(err)))
		}
	}
	return all, nil
}

// StillAccepted are the ports that answer a certificate of the old CA. checked is false where its key is not here any more.
func (r *Rotation) StillAccepted(ctx context.Context, ports []string) (all []string, checked bool, err error) {
	dirs, err := filepath.Glob(r.at + ".before-*")
	if err != nil {
		return nil, false, err
	}
	for _, dir := range dirs {
		ca, err := opensslca.Open(ctx, dir, false)
		if err != nil {
			continue // without its key
		}
		pair, err := ca.Trial(time.Now())
		is := opensslca.Identity(ca.Cert)
		ca.Close()
		if err != nil || !r.hasOld([]string{is}) {
			continue
		}
		checked = true
		for _, port := range ports {
			if ask(ctx, port, r.client(pair)) == nil {
				all = append(all, port+" still answers a certificate of the old CA")
			}
		}
	}
	return all, checked, nil
}

// client trusts both CAs: until its certificate is renewed a member shows one of the old CA.
func (r *Rotation) client(pair tls.Certificate) *http.Client {
	roots := x509.NewCertPool()
	for _, c := range append([]*x509.Certificate{r.Cert}, r.Old...) {
		roots.AddCert(c)
	}
	return &http.Client{Timeout: trialLimit, Transport: &http.Transport{
		Proxy:             nil, // a site's http_proxy must never see etcd's traffic
		DialContext:       (&net.Dialer{Timeout: trialLimit}).DialContext,
		TLSClientConfig:   &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true,
	}}
}

// ask wants an answer, whatever it is: a server of TLS 1.3 refuses after the handshake.
func ask(ctx context.Context, port string, client *http.Client) error {
	if !strings.HasPrefix(port, "https://") {
		return nil // no certificate is shown there
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, port+"/version", nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// plain is err without the "Get https://…:" of net/http.
func plain(err error) error {
	var wrapped *url.Error
	for errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return err
}
