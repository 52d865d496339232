package survey

import (
	"bytes"
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
	"slices"
	"strings"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func certificate(t testing.TB, notAfter time.Time, usages ...x509.ExtKeyUsage) string {
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
		"good":                {CertificateFile{"peer", certificate(t, year, both...), []string{"192.0.2.11"}}, "ok", "valid until 2027-03-01T12:00:00Z"},
		"no limits":           {CertificateFile{"peer", certificate(t, year), []string{"master-0.example.com"}}, "ok", "valid until"},
		"expired":             {CertificateFile{"peer", certificate(t, now.Add(-time.Hour), both...), nil}, "failed", "expired on 2026-03-01T11:00:00Z"},
		"san":                 {CertificateFile{"peer", certificate(t, year, both...), []string{"192.0.2.11", "192.0.2.99"}}, "failed", "not for 192.0.2.99"},
		"usage":               {CertificateFile{"peer", certificate(t, year, x509.ExtKeyUsageServerAuth), nil}, "failed", "no extended key usage clientAuth"},
		"server":              {CertificateFile{"server", certificate(t, year, x509.ExtKeyUsageServerAuth), nil}, "ok", "valid until"},
		"server of 3.11":      {CertificateFile{"server", certificate(t, year, both...), nil}, "ok", "valid until"},
		"server is no client": {CertificateFile{"server", certificate(t, year, x509.ExtKeyUsageClientAuth), nil}, "failed", "no extended key usage serverAuth"},
		"missing":             {CertificateFile{"ca", "/nonexistent/ca.crt", nil}, "failed", "no such file"},
		"not pem":             {CertificateFile{"ca", broken, nil}, "failed", "no certificate in PEM form"},
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

// What is shown of a certificate, for both kinds of server.crt: since June 2018 the installer issues it with clientAuth.
func TestWhatIsShown(t *testing.T) {
	year := now.Add(365 * 24 * time.Hour)
	for want, usages := range map[string][]x509.ExtKeyUsage{
		"serverAuth":            {x509.ExtKeyUsageServerAuth},
		"serverAuth clientAuth": {x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		"":                      nil,
	} {
		path := certificate(t, year, usages...)
		got, _ := Certificates([]CertificateFile{{"server", path, []string{"192.0.2.11", "192.0.2.99"}}}, now)
		shown := []facts.Certificate{{
			Path: path, Position: 1, Purpose: "server", Subject: "CN=master-0", Issuer: "CN=master-0", Serial: "01", Usages: strings.Fields(want),
			SANs: []string{"master-0.example.com", "192.0.2.11"}, MissingHosts: []string{"192.0.2.99"},
			NotBefore: "2026-02-28T12:00:00Z", NotAfter: "2027-03-01T12:00:00Z", ExpiresDays: 365,
		}}
		if diff := cmp.Diff(shown, got, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	}
}

// A bundle is shown in full; its first certificate is the one that must be valid, since it signs.
func TestBundle(t *testing.T) {
	var texts [][]byte
	for _, end := range []time.Time{now.Add(48 * time.Hour), now.Add(-time.Hour)} {
		text, err := os.ReadFile(certificate(t, end))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	path := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(path, bytes.Join(texts, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	days := func(purpose string) (days []int, status string) {
		found, checks := Certificates([]CertificateFile{{purpose, path, nil}}, now)
		for i, c := range found {
			days = append(days, c.ExpiresDays)
			if c.Position != i+1 {
				t.Errorf("%+v", c)
			}
		}
		return days, checks[0].Status
	}
	if got, status := days("ca"); !slices.Equal(got, []int{2, -1}) || status != "ok" {
		t.Errorf("%v, %s", got, status)
	}
	if got, _ := days("peer"); !slices.Equal(got, []int{2}) {
		t.Errorf("of a chain: %v", got)
	}
}

// The advice is the playbook that renews; for wrong names it is release-3.11's playbook, and for the CA its own.
func TestCertificateAdvice(t *testing.T) {
	past := certificate(t, now.Add(-time.Hour))
	for purpose, want := range map[string]string{
		"ca":     "playbooks/openshift-etcd/redeploy-ca.yml",
		"server": "playbooks/openshift-etcd/redeploy-certificates.yml",
		"peer":   "playbooks/openshift-etcd/redeploy-certificates.yml",
	} {
		_, checks := Certificates([]CertificateFile{{purpose, past, nil}}, now)
		if len(checks) != 1 || !strings.Contains(checks[0].Advice, "ansible-playbook playbooks/renew_certificates.yml") {
			t.Errorf("%s: %+v", purpose, checks)
		}
		if advice := (facts.Certificate{Purpose: purpose}).Reissue(); !strings.Contains(advice, want) {
			t.Errorf("%s: %s", purpose, advice)
		}
	}
}
