package etcd

import (
	"crypto/tls"
	"crypto/x509"
	"os"

	"etcd-quorum-restore/modules/internal/fault"
)

const tlsHint = "give ca_cert, client_cert and client_key; on an etcd host the defaults are ca.crt, peer.crt and peer.key of /etc/etcd"

// load reads the files anew for every client: certificates may be replaced while a flow runs.
func (f TLSFiles) load() (*tls.Config, error) {
	if f == (TLSFiles{}) {
		return nil, fault.New(fault.Invalid, "an https endpoint needs a CA file, a client certificate and its key").WithHint(tlsHint)
	}
	for name, path := range map[string]string{"CA": f.CA, "client certificate": f.Cert, "client key": f.Key} {
		if path == "" {
			return nil, fault.New(fault.Invalid, "no %s file is given", name).WithHint(tlsHint)
		}
	}
	pem, err := os.ReadFile(f.CA)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the CA file cannot be read").WithHint(tlsHint)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fault.New(fault.Invalid, "%s holds no PEM certificate", f.CA)
	}
	pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the client certificate %s with key %s cannot be used", f.Cert, f.Key).WithHint(tlsHint)
	}
	return &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}
