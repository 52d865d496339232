package etcdtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// PKI is a CA that can issue certificates.
type PKI struct {
	Dir  string
	CA   string // path
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewPKI makes a CA in its own directory.
func NewPKI(t *testing.T) *PKI {
	t.Helper()
	p := &PKI{Dir: t.TempDir()}
	p.CA = filepath.Join(p.Dir, "ca.crt")
	p.key = newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "etcd-signer"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	p.cert = p.sign(t, template, p.key, p.CA)
	return p
}

// Issue makes NAME.crt and NAME.key in dir. Clients need clientAuth: until June 2018 the installer gave it to the peer certificate only, since
// then to the server's as well.
func (p *PKI) Issue(t *testing.T, dir, name string, client bool, ips ...string) (cert, key string) {
	t.Helper()
	return p.IssueUntil(t, dir, name, client, time.Now().Add(12*time.Hour), ips...)
}

// IssueUntil is Issue with an end, which may be in the past.
func (p *PKI) IssueUntil(t *testing.T, dir, name string, client bool, end time.Time, ips ...string) (cert, key string) {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: end,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if client {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	for _, ip := range ips {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(ip))
	}
	own := newKey(t)
	cert, key = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	p.sign(t, template, own, cert)
	der, err := x509.MarshalECPrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, key, "EC PRIVATE KEY", der)
	return cert, key
}

func (p *PKI) sign(t *testing.T, template *x509.Certificate, subject *ecdsa.PrivateKey, path string) *x509.Certificate {
	t.Helper()
	parent := p.cert
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &subject.PublicKey, p.key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, path, "CERTIFICATE", der)
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Directory is the CA's directory as the installer leaves it for `openssl ca`, with nothing issued yet.
func (p *PKI) Directory(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	der, err := x509.MarshalECPrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, filepath.Join(dir, "ca.key"), "EC PRIVATE KEY", der)
	writePEM(t, filepath.Join(dir, "ca.crt"), "CERTIFICATE", p.cert.Raw)
	for name, text := range map[string]string{"serial": "01", "index.txt": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "certs"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}
