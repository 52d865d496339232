package survey

import (
	"os"
	"testing"
	"time"
)

// For any certificate file: a certificate with its dates, or why there is none.
func FuzzCertificate(f *testing.F) {
	text, err := os.ReadFile(certificate(f, now.Add(time.Hour)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(append(text, text...))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Add([]byte("-----BEGIN EC PRIVATE KEY-----\n-----END EC PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		found, first := certificatesIn(text, CertificateFile{Purpose: "ca"}, now)
		if len(found) == 0 || (first == nil) != (found[0].Error != "") {
			t.Fatalf("%q: %+v", text, found)
		}
		for _, c := range found {
			if c.Error == "" && (c.NotBefore == "" || c.NotAfter == "" || c.Position == 0) {
				t.Errorf("%q: %+v", text, c)
			}
		}
	})
}
