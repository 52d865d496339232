package survey

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
)

// CertificateFile names a certificate of etcd.conf and what it must be good for.
type CertificateFile struct {
	Purpose string // ca, server, peer
	Path    string
	Hosts   []string // names and addresses that it must be issued for
}

// Certificates reads the public parts of the files and judges them at the given time. Paths that are empty are left out.
func Certificates(files []CertificateFile, now time.Time) ([]facts.Certificate, []facts.Check) {
	var certificates []facts.Certificate
	var checks []facts.Check
	for _, f := range files {
		if f.Path == "" {
			continue
		}
		c, parsed := readCertificate(f, now)
		certificates = append(certificates, c)
		checks = append(checks, judgeCertificate(f, c, parsed, now))
	}
	return certificates, checks
}

func readCertificate(f CertificateFile, now time.Time) (facts.Certificate, *x509.Certificate) {
	c := facts.Certificate{Path: f.Path, Purpose: f.Purpose}
	raw, err := os.ReadFile(f.Path)
	if err != nil {
		c.Error = err.Error()
		return c, nil
	}
	block, _ := pem.Decode(raw)
	for block != nil && block.Type != "CERTIFICATE" {
		block, raw = pem.Decode(raw)
	}
	if block == nil {
		c.Error = "no certificate in PEM form"
		return c, nil
	}
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		c.Error = "not a certificate: " + err.Error()
		return c, nil
	}
	c.Subject = parsed.Subject.String()
	c.SANs = namesOf(parsed)
	c.NotBefore = parsed.NotBefore.UTC().Format(time.RFC3339)
	c.NotAfter = parsed.NotAfter.UTC().Format(time.RFC3339)
	c.ExpiresDays = int(parsed.NotAfter.Sub(now).Hours() / 24)
	return c, parsed
}

func namesOf(c *x509.Certificate) []string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

func judgeCertificate(f CertificateFile, c facts.Certificate, parsed *x509.Certificate, now time.Time) facts.Check {
	check := facts.Check{Name: "certificate_" + f.Purpose, Status: "failed"}
	if parsed == nil {
		check.Line = fmt.Sprintf("%s: %s", f.Path, c.Error)
		check.Advice = "bring the file back from a backup: etcd_config_backup state=restored"
		return check
	}
	if now.After(parsed.NotAfter) {
		check.Line = fmt.Sprintf("%s expired on %s", f.Path, c.NotAfter)
		check.Advice = "renew it with openshift-ansible's redeploy-etcd-certificates.yml, or for this recovery set no clock back: ask for new certificates first"
		return check
	}
	if now.Before(parsed.NotBefore) {
		check.Line = fmt.Sprintf("%s is not valid before %s; this host's clock says %s", f.Path, c.NotBefore, now.UTC().Format(time.RFC3339))
		check.Advice = "set the clock right"
		return check
	}
	if missing := missingNames(parsed, f.Hosts); len(missing) > 0 {
		check.Line = fmt.Sprintf("%s is issued for %s, not for %s", f.Path, strings.Join(c.SANs, ", "), strings.Join(missing, ", "))
		check.Advice = "make a certificate with these names on the CA's host (openshift-ansible, redeploy-etcd-certificates.yml)"
		return check
	}
	if lacking := lackingUsage(f.Purpose, parsed); lacking != "" {
		check.Line = fmt.Sprintf("%s has no extended key usage %s", f.Path, lacking)
		check.Advice = "make a new certificate on the CA's host: a member uses its peer certificate on both sides"
		return check
	}
	check.Status = "ok"
	check.Line = fmt.Sprintf("%s is valid until %s", f.Path, c.NotAfter)
	return check
}

func missingNames(c *x509.Certificate, hosts []string) []string {
	var missing []string
	for _, host := range hosts {
		if c.VerifyHostname(host) != nil && !slices.Contains(missing, host) {
			missing = append(missing, host)
		}
	}
	return missing
}

// lackingUsage: the installer gives the server's certificate serverAuth only, and the peer's both [openshift-ansible
// release-3.11, roles/etcd/templates/openssl_append.j2].
func lackingUsage(purpose string, c *x509.Certificate) string {
	need := map[string]map[x509.ExtKeyUsage]string{
		"server": {x509.ExtKeyUsageServerAuth: "serverAuth"},
		"peer":   {x509.ExtKeyUsageServerAuth: "serverAuth", x509.ExtKeyUsageClientAuth: "clientAuth"},
	}
	if len(c.ExtKeyUsage) == 0 && len(c.UnknownExtKeyUsage) == 0 {
		return "" // no restriction at all
	}
	for usage, name := range need[purpose] {
		if !slices.Contains(c.ExtKeyUsage, usage) && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny) {
			return name
		}
	}
	return ""
}

// HostsOf gives the host parts of URLs, without those that no certificate names (0.0.0.0, ::).
func HostsOf(urls []string) []string {
	var hosts []string
	for _, raw := range urls {
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "https" {
			continue
		}
		if host := u.Hostname(); host != "" && host != "0.0.0.0" && host != "::" && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}
