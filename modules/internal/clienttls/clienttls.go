// Package clienttls sets up TLS for clients of etcd from PEM files. The files are read anew for every client: a run may replace certificates.
package clienttls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
)

// Files are the PEM files of a client. All are "" where etcd speaks plain HTTP.
type Files struct {
	CA   string `json:"ca"`
	Cert string `json:"cert"`
	Key  string `json:"key"`
}

const hint = "give ca_cert, client_cert and client_key; on an etcd host the defaults are ca.crt, peer.crt and peer.key of /etc/etcd"

// Config needs all three files, and has the server's name checked.
func (f Files) Config() (*tls.Config, error) {
	if f == (Files{}) {
		return nil, fault.New(fault.Invalid, "an https endpoint needs a CA file, a client certificate and its key").WithHint(hint)
	}
	for _, each := range []struct{ name, path string }{{"CA", f.CA}, {"client certificate", f.Cert}, {"client key", f.Key}} {
		if each.path == "" {
			return nil, fault.New(fault.Invalid, "no %s file is given", each.name).WithHint(hint)
		}
	}
	roots, err := f.roots()
	if err != nil {
		return nil, err
	}
	pair, err := f.pair()
	if err != nil {
		return nil, err
	}
	return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// LocalConfig is for a host's own etcd, which is dialed by an address of the host: the certificate's chain and dates are checked, not its name.
// Files that are not named are left out.
func (f Files) LocalConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.CA == "" {
		return config, nil
	}
	roots, err := f.roots()
	if err != nil {
		return nil, err
	}
	config.InsecureSkipVerify = true // VerifyConnection does it, without the name
	config.VerifyConnection = func(s tls.ConnectionState) error { return chain(s, roots) }
	if f.Cert == "" {
		return config, nil
	}
	pair, err := f.pair()
	config.Certificates = []tls.Certificate{pair}
	return config, err
}

func (f Files) roots() (*x509.CertPool, error) {
	pem, err := readfile.Read(f.CA, readfile.Text)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the CA file cannot be read").WithHint(hint)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fault.New(fault.Invalid, "%s holds no PEM certificate", f.CA)
	}
	return pool, nil
}

func (f Files) pair() (tls.Certificate, error) {
	cert, key, err := readfile.Pair(f.Cert, f.Key, readfile.Text)
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.X509KeyPair(cert, key)
	}
	if err != nil {
		return pair, fault.Wrap(fault.Invalid, err, "the client certificate %s with key %s cannot be used", f.Cert, f.Key).WithHint(hint)
	}
	return pair, nil
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
