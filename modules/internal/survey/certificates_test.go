package survey

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
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func certificate(t *testing.T, notAfter time.Time, usages ...x509.ExtKeyUsage) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "master-0"}, DNSNames: []string{"master-0.example.com"},
		IPAddresses: []net.IP{net.ParseIP("192.0.2.11")}, NotBefore: now.Add(-24 * time.Hour), NotAfter: notAfter, ExtKeyUsage: usages,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "peer.crt")
	text := append([]byte("Certificate:\n    Data: as openssl prints it\n"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCertificateChecks(t *testing.T) {
	both := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	year := now.Add(365 * 24 * time.Hour)
	broken := filepath.Join(t.TempDir(), "broken.crt")
	if err := os.WriteFile(broken, []byte("nothing here"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		file         CertificateFile
		status, line string
	}{
		"good":      {CertificateFile{"peer", certificate(t, year, both...), []string{"192.0.2.11"}}, "ok", "valid until 2027-03-01T12:00:00Z"},
		"no limits": {CertificateFile{"peer", certificate(t, year), []string{"master-0.example.com"}}, "ok", "valid until"},
		"expired":   {CertificateFile{"peer", certificate(t, now.Add(-time.Hour), both...), nil}, "failed", "expired on 2026-03-01T11:00:00Z"},
		"san":       {CertificateFile{"peer", certificate(t, year, both...), []string{"192.0.2.11", "192.0.2.99"}}, "failed", "not for 192.0.2.99"},
		"usage":     {CertificateFile{"peer", certificate(t, year, x509.ExtKeyUsageServerAuth), nil}, "failed", "no extended key usage clientAuth"},
		"server":    {CertificateFile{"server", certificate(t, year, x509.ExtKeyUsageServerAuth), nil}, "ok", "valid until"},
		"missing":   {CertificateFile{"ca", "/nonexistent/ca.crt", nil}, "failed", "no such file"},
		"not pem":   {CertificateFile{"ca", broken, nil}, "failed", "no certificate in PEM form"},
	} {
		t.Run(name, func(t *testing.T) {
			certs, checks := Certificates([]CertificateFile{tc.file, {Purpose: "server"}}, now)
			if len(certs) != 1 || len(checks) != 1 {
				t.Fatalf("%v, %v", certs, checks)
			}
			if checks[0].Status != tc.status || !strings.Contains(checks[0].Line, tc.line) {
				t.Fatalf("%+v", checks[0])
			}
		})
	}
}

func TestHostsOf(t *testing.T) {
	got := strings.Join(HostsOf([]string{"https://192.0.2.11:2380", "https://0.0.0.0:2379", "http://plain:1", "https://a:1", "https://a:2", "::"}), " ")
	if got != "192.0.2.11 a" {
		t.Fatal(got)
	}
}
