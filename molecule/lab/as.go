package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// masterDir is where a master has its files for etcd.
const masterDir = "etc/origin/master/master.etcd-"

// writersTLS is the lab's own, or a master's.
func (l *Lab) writersTLS(o writerOptions) (*tls.Config, error) {
	if o.As == "" {
		return l.tlsConfig()
	}
	hosts, err := pick(l.masters(), []string{o.As})
	if err != nil {
		return nil, err
	}
	// The mount stays, as the host does.
	root, err := podman(context.Background(), "mount", l.container(hosts[0]))
	if err != nil {
		return nil, err
	}
	return asMaster(filepath.Join(root, masterDir)), nil
}

// asMaster reads the files at each new connection: the API does so with certificate and key, and is restarted when its CA file changes.
func asMaster(files string) *tls.Config {
	return &tls.Config{
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(files+"client.crt", files+"client.key")
			return &pair, err
		},
		InsecureSkipVerify: true, // VerifyConnection does it, by the file as it is now
		VerifyConnection: func(s tls.ConnectionState) error {
			text, err := os.ReadFile(files + "ca.crt")
			if err != nil {
				return err
			}
			pool := x509.NewCertPool()
			pool.AppendCertsFromPEM(text)
			if len(s.PeerCertificates) == 0 {
				return errors.New("no certificate")
			}
			_, err = s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: pool})
			return err
		},
	}
}

// adoptCA makes the CA that the hosts have now the lab's own, with a client certificate of it: the tool's checks are refused by etcd otherwise.
func (l *Lab) adoptCA(ctx context.Context) error {
	hosts := where(l.Hosts, func(h Host) bool { return h.CA })
	root, err := podman(ctx, "mount", l.container(hosts[0]))
	if err != nil {
		return err
	}
	defer podman(ctx, "unmount", l.container(hosts[0]))
	cert, err := os.ReadFile(filepath.Join(root, "etc/etcd/ca/ca.crt"))
	if err != nil {
		return err
	}
	key, err := os.ReadFile(filepath.Join(root, "etc/etcd/ca/ca.key"))
	if err != nil {
		return err
	}
	a, err := readAuthority(cert, key)
	if err != nil {
		return err
	}
	client, err := a.issue(certRequest{CommonName: "lab-client", Usages: clientUsage, NotAfter: time.Now().Add(fiveYears)})
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{"ca.crt": cert, "ca.key": key, "client.crt": client.Cert, "client.key": client.Key} {
		if err := os.WriteFile(l.path("pki/"+name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}
