package main

import (
	"crypto/x509"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/etcdconf"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/hosturl"
	"etcd-quorum-restore/modules/internal/opensslca"
	"etcd-quorum-restore/modules/internal/readfile"
)

// pair is a certificate and its key, as etcd.conf names them.
type pair struct {
	Purpose, Cert, Key, CA string
	Hosts                  []string          // of the URLs that the certificate serves
	Current                *x509.Certificate // nil on a new host that has none
}

// Files of a renewal that is not finished. etcd reads none of them.
func (p pair) newKey() string     { return p.Key + ".renewal" }
func (p pair) newRequest() string { return strings.TrimSuffix(p.Cert, ".crt") + ".csr.renewal" }

func pairsOf(conf etcdconf.Conf, isNew bool) ([]pair, error) {
	if conf.File == nil {
		return nil, fault.New(fault.Invalid, "there is no %s", conf.Path).WithHint("run it on hosts of etcd; etcd_config_backup state=restored brings a lost file back")
	}
	pairs := []pair{
		{Purpose: "server", Cert: conf.Get("ETCD_CERT_FILE"), Key: conf.Get("ETCD_KEY_FILE"), CA: conf.Get("ETCD_TRUSTED_CA_FILE"),
			Hosts: hosturl.TLSHosts(append(conf.List("ETCD_LISTEN_CLIENT_URLS"), conf.List("ETCD_ADVERTISE_CLIENT_URLS")...))},
		{Purpose: "peer", Cert: conf.Get("ETCD_PEER_CERT_FILE"), Key: conf.Get("ETCD_PEER_KEY_FILE"), CA: conf.Get("ETCD_PEER_TRUSTED_CA_FILE"),
			Hosts: hosturl.TLSHosts(append(conf.List("ETCD_LISTEN_PEER_URLS"), conf.List("ETCD_INITIAL_ADVERTISE_PEER_URLS")...))},
	}
	for i, p := range pairs {
		if p.CA == "" { // each of the two ports may have one of its own
			pairs[i].CA = pairs[1-i].CA
		}
	}
	for i, p := range pairs {
		if p.Cert == "" || p.Key == "" || pairs[i].CA == "" {
			return nil, fault.New(fault.Unsupported, "%s names no certificate, key or CA for %s connections", conf.Path, p.Purpose).
				WithHint("where etcd speaks plain HTTP there is nothing to renew")
		}
		if !filepath.IsAbs(p.Cert) || !filepath.IsAbs(p.Key) {
			return nil, fault.New(fault.Unsupported, "%s: expected absolute paths of certificate and key, found %s and %s", conf.Path, p.Cert, p.Key)
		}
	}
	if pairs[0].Cert == pairs[1].Cert || pairs[0].Key == pairs[1].Key {
		return nil, fault.New(fault.Unsupported, "%s uses one certificate or key for clients and for peers; expected one for each, as the installer has it", conf.Path)
	}
	for i := range pairs {
		var err error
		if isNew && (!readfile.Exists(pairs[i].Cert) || !readfile.Exists(pairs[i].Key)) {
			continue // none yet
		}
		if pairs[i].Current, err = readCertificate(pairs[i].Cert); err != nil {
			return nil, err
		}
	}
	return pairs, nil
}

func readCertificate(path string) (*x509.Certificate, error) {
	text, err := edit.Read(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s", path).WithHint("bring it back from a backup: etcd_config_backup state=restored")
	}
	c, err := opensslca.FirstCertificate(text)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s", path)
	}
	return c, nil
}

// authorities are all certificates of the CA file.
func (p pair) authorities() (*x509.CertPool, *x509.Certificate, error) {
	text, err := edit.Read(p.CA)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "%s", p.CA)
	}
	c, err := opensslca.FirstCertificate(text)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "%s", p.CA)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool, c, nil
}

// fits is true for a certificate that this host could use: of its CA, for its URLs, with the key that is here. What a new host has may be left of
// another life.
func (p pair) fits(now time.Time) bool {
	roots, _, err := p.authorities()
	if err != nil {
		return false
	}
	for _, usage := range p.usages() {
		if _, err := p.Current.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{usage}}); err != nil && (usage == x509.ExtKeyUsageServerAuth || p.Purpose == "peer") {
			return false
		}
	}
	key, err := readKey(p.Key)
	if err != nil || !opensslca.SameKey(key.Public(), p.Current.PublicKey) {
		return false
	}
	return p.namesHost()
}

// namesHost is true where the certificate is issued for each name and address by which etcd.conf says that this host is dialed.
func (p pair) namesHost() bool {
	return !slices.ContainsFunc(p.Hosts, func(host string) bool { return p.Current.VerifyHostname(host) != nil })
}

// usages are those of the installer.
func (p pair) usages() []x509.ExtKeyUsage {
	if isClient(p.Purpose) {
		return []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	return []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
}

// due is true for one that is missing, for a certificate that ends soon, that is not issued for this host's URLs, or that another CA has signed than
// the one that is wanted, and for each one with all. No certificate is issued beyond the CA's end, so one that already ends there would gain nothing.
func (p pair) due(a args, ca *x509.Certificate, now time.Time) bool {
	if a.All || p.Current == nil {
		return true
	}
	if a.New && !p.fits(now) || !isClient(p.Purpose) && !p.namesHost() {
		return true
	}
	if a.issuer != nil && p.Current.CheckSignatureFrom(a.issuer) != nil {
		return true
	}
	return opensslca.DaysLeft(p.Current, now) < a.BelowDays && p.Current.NotAfter.Before(ca.NotAfter)
}

var hostForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`)

// hostNames takes names, addresses and https URLs, and drops duplicates. Names come before addresses: the first is the certificate's common name.
func hostNames(given []string) ([]string, error) {
	var names, addresses []string
	for _, each := range given {
		hosts := []string{strings.TrimSpace(each)}
		if strings.Contains(each, "://") {
			hosts = hosturl.TLSHosts([]string{each})
		}
		for _, host := range hosts {
			ip := net.ParseIP(host)
			switch {
			case host == "":
			case ip != nil && !ip.IsUnspecified():
				addresses = append(addresses, ip.String())
			case ip == nil && len(host) < 254 && hostForm.MatchString(host):
				names = append(names, strings.ToLower(host))
			default:
				return nil, fault.New(fault.Invalid, "argument names: expected host names, addresses and https URLs, found %.200q", each)
			}
		}
	}
	var all []string
	for _, name := range append(names, addresses...) {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all, nil
}

// covers refuses names that lack one of the host's URLs or of the present certificate: masters may dial a name that no URL has.
func (p pair) covers(names []string, isNew bool) error {
	if isClient(p.Purpose) {
		return nil // nobody dials it
	}
	var missing []string
	hosts := append([]string{}, p.Hosts...)
	if p.Current != nil && !isNew {
		hosts = append(hosts, opensslca.Names(p.Current)...)
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			host = ip.String()
		}
		if !slices.Contains(names, strings.ToLower(host)) && !slices.Contains(missing, host) {
			missing = append(missing, host)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fault.New(fault.Refused, "the certificate of %s would be for %s, and not for %s, which its URLs in etcd.conf or the present certificate name; nothing was changed",
		p.Cert, strings.Join(names, ", "), strings.Join(missing, ", ")).
		WithHint("where the host really has them, say so in the inventory: etcd_hostname=NAME, etcd_ip=ADDRESS, or etcd_certificate_names=[NAME, ADDRESS]")
}

func describe(c *x509.Certificate) string {
	if c == nil {
		return ""
	}
	return fmt.Sprintf("serial %s, until %s, for %s\n", opensslca.Serial(c), c.NotAfter.UTC().Format(time.RFC3339),
		strings.Join(opensslca.Names(c), ", "))
}
