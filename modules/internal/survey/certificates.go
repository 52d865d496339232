package survey

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/opensslca"
	"etcd-quorum-restore/modules/internal/readfile"
)

// CertificateFile names a certificate of etcd.conf and what it must be good for.
type CertificateFile struct {
	Purpose string // ca, server, peer
	Path    string
	Hosts   []string // names and addresses that it must be issued for
}

// Certificates reads the public parts of the files and checks them at the given time. Empty paths are left out.
func Certificates(files []CertificateFile, now time.Time) ([]facts.Certificate, []facts.Check) {
	var certificates []facts.Certificate
	var checks []facts.Check
	for _, f := range files {
		if f.Path == "" {
			continue
		}
		found, first := readCertificates(f, now)
		certificates = append(certificates, found...)
		checks = append(checks, judgeCertificate(f, found[0], first, now))
	}
	return certificates, checks
}

// readCertificates returns at least one entry, which has the reason where there is no certificate. The second result is the first certificate.
func readCertificates(f CertificateFile, now time.Time) ([]facts.Certificate, *x509.Certificate) {
	raw, err := readfile.Read(f.Path, readfile.Text)
	if err != nil {
		return []facts.Certificate{{Path: f.Path, Purpose: f.Purpose, Error: err.Error()}}, nil
	}
	return certificatesIn(raw, f, now)
}

// certificatesIn: etcd trusts every certificate of a CA file. In another file the first is the host's own, and the others are its chain.
func certificatesIn(raw []byte, f CertificateFile, now time.Time) (found []facts.Certificate, first *x509.Certificate) {
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, parsed := describeCertificate(block.Bytes, f, now)
		c.Position = len(found) + 1
		found = append(found, c)
		if c.Position == 1 {
			first = parsed
		}
		if f.Purpose != "ca" {
			break
		}
	}
	if len(found) == 0 {
		found = []facts.Certificate{{Path: f.Path, Purpose: f.Purpose, Error: "no certificate in PEM form"}}
	}
	return found, first
}

func describeCertificate(der []byte, f CertificateFile, now time.Time) (facts.Certificate, *x509.Certificate) {
	c := facts.Certificate{Path: f.Path, Purpose: f.Purpose}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		c.Error = "not a certificate: " + err.Error()
		return c, nil
	}
	c.Subject, c.Issuer, c.Serial = parsed.Subject.String(), parsed.Issuer.String(), serialOf(parsed)
	c.Usages, c.SANs, c.MissingHosts = usagesOf(parsed), opensslca.Names(parsed), []string{}
	if f.Purpose != "ca" {
		c.MissingHosts = missingNames(parsed, f.Hosts)
	}
	c.NotBefore = parsed.NotBefore.UTC().Format(time.RFC3339)
	c.NotAfter = parsed.NotAfter.UTC().Format(time.RFC3339)
	c.ExpiresDays = int(math.Floor(parsed.NotAfter.Sub(now).Hours() / 24))
	return c, parsed
}

// serialOf has an even number of digits, as openssl writes it.
func serialOf(c *x509.Certificate) string {
	text := fmt.Sprintf("%X", c.SerialNumber)
	if len(text)%2 != 0 {
		return "0" + text
	}
	return text
}

func usagesOf(c *x509.Certificate) []string {
	usages := []string{}
	for _, usage := range c.ExtKeyUsage {
		usages = append(usages, usage.String())
	}
	for _, id := range c.UnknownExtKeyUsage {
		usages = append(usages, id.String())
	}
	return usages
}

func judgeCertificate(f CertificateFile, c facts.Certificate, parsed *x509.Certificate, now time.Time) facts.Check {
	check := facts.Check{Name: "certificate_" + f.Purpose, Status: "failed"}
	if parsed == nil {
		check.Line = fmt.Sprintf("%s: %s", f.Path, c.Error)
		check.Advice = "bring the file back from a backup: ansible HOST -m etcd_config_backup -a state=restored"
		return check
	}
	if now.After(parsed.NotAfter) {
		check.Line = fmt.Sprintf("%s expired on %s", f.Path, c.NotAfter)
		check.Advice = c.Renewal() + "; set no clock back"
		return check
	}
	if now.Before(parsed.NotBefore) {
		check.Line = fmt.Sprintf("%s is not valid before %s; this host's clock says %s", f.Path, c.NotBefore, now.UTC().Format(time.RFC3339))
		check.Advice = "set the clock right"
		return check
	}
	if len(c.MissingHosts) > 0 {
		check.Line = fmt.Sprintf("%s is issued for %s, not for %s", f.Path, strings.Join(c.SANs, ", "), strings.Join(c.MissingHosts, ", "))
		check.Advice = "correct etcd_ip and etcd_hostname in the inventory, then " + c.Renewal()
		return check
	}
	if lacking := lackingUsage(f.Purpose, parsed); lacking != "" {
		check.Line = fmt.Sprintf("%s has no extended key usage %s", f.Path, lacking)
		check.Advice = "a member uses its peer certificate on both sides: " + c.Reissue()
		return check
	}
	check.Status = "ok"
	check.Line = fmt.Sprintf("%s is valid until %s", f.Path, c.NotAfter)
	return check
}

func missingNames(c *x509.Certificate, hosts []string) []string {
	missing := []string{}
	for _, host := range hosts {
		if c.VerifyHostname(host) != nil && !slices.Contains(missing, host) {
			missing = append(missing, host)
		}
	}
	return missing
}

// lackingUsage: the server's certificate needs serverAuth, the peer's both. Since June 2018 the installer gives both to either; before, it gave
// the server's only serverAuth. Such certificates, and CA directories that still issue them, are still in use [openshift-ansible release-3.11 and
// 3.9, roles/etcd/templates/openssl_append.j2].
func lackingUsage(purpose string, c *x509.Certificate) string {
	need := map[string]map[x509.ExtKeyUsage]string{
		"server": {x509.ExtKeyUsageServerAuth: "serverAuth"},
		"peer":   {x509.ExtKeyUsageServerAuth: "serverAuth", x509.ExtKeyUsageClientAuth: "clientAuth"},
	}
	if len(c.ExtKeyUsage) == 0 && len(c.UnknownExtKeyUsage) == 0 {
		return "" // not restricted
	}
	for usage, name := range need[purpose] {
		if !slices.Contains(c.ExtKeyUsage, usage) && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny) {
			return name
		}
	}
	return ""
}
