// Package opensslca issues certificates in a CA's directory as `openssl ca` keeps it, so that openshift-ansible's own playbooks go on working
// there. The certificates' form is that of its role etcd [openshift-ansible release-3.11, roles/etcd/templates/openssl_append.j2].
package opensslca

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/root"
	"etcd-quorum-restore/modules/internal/safefile"
)

// lockFile is the installer's own lock [openshift-ansible release-3.11, roles/lib_utils/library/delegated_serial_command.py].
const lockFile = "/tmp/delegated_serial_command.lock"

// backdated is how far before now a certificate begins: a host whose clock is behind accepts it at once.
const backdated = time.Hour

// CA is an open directory of a CA, locked where something is to be issued.
type CA struct {
	Cert *x509.Certificate // the first one of ca.crt, which signs
	path string
	dir  *safefile.Dir
	lock *os.File
	key  crypto.Signer
}

// Subject is what a certificate is issued for. Names are host names and IP addresses; the first is the common name.
type Subject struct {
	Names  []string
	Key    any  // *rsa.PublicKey or *ecdsa.PublicKey
	Client bool // it shows who asks, and serves nobody
}

// Open reads the CA, and does not check its dates. With locked it first takes the installer's lock, waiting until ctx ends; Close frees it.
func Open(ctx context.Context, path string, locked bool) (*CA, error) {
	ca := &CA{path: path}
	err := ca.open(ctx, locked)
	if err != nil {
		ca.Close()
		return nil, err
	}
	return ca, nil
}

func (ca *CA) open(ctx context.Context, locked bool) (err error) {
	if ca.dir, err = safefile.OpenDir(ca.path); err != nil {
		return fault.Wrap(fault.Invalid, err, "no CA's directory").WithHint("the CA is on the host whose etcd_host_info says ca_key: true, mostly the first of [etcd]")
	}
	if locked {
		if ca.lock, err = Lock(ctx); err != nil {
			return err
		}
	}
	return ca.load()
}

// MaySign refuses a CA outside of its dates: openssl would sign with it, and nobody would accept the certificate.
func (ca *CA) MaySign(now time.Time) error {
	if now.Before(ca.Cert.NotBefore) || now.After(ca.Cert.NotAfter) {
		return fault.New(fault.Refused, "%s is valid from %s to %s, and now it is %s: nobody would accept what it signs", ca.File(),
			ca.Cert.NotBefore.UTC().Format(time.RFC3339), ca.Cert.NotAfter.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339)).
			WithHint("where it has expired, extend it first: etcd_ca state=extended; where it is not valid yet, set the clock right")
	}
	return nil
}

// Close frees the lock.
func (ca *CA) Close() {
	if ca.lock != nil {
		ca.lock.Close()
	}
	if ca.dir != nil {
		ca.dir.Close()
	}
}

// Lock takes the installer's lock, waiting until ctx ends; closing the file frees it. The file is in a directory for all, so a link is never
// followed; only the lock on it counts, not its owner.
func Lock(ctx context.Context) (*os.File, error) {
	path := root.Path(lockFile)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if errors.Is(err, fs.ErrPermission) { // a kernel with protected_regular: another user made the file
		f, err = os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the installer's lock").WithHint("see who made %s, and take it away", path)
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errors.Join(err, f.Close())
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fault.New(fault.Timeout, "another process issues certificates here: it holds the lock on %s; nothing was changed", path).
				WithHint("see who it is: fuser -v %s", path)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (ca *CA) load() error {
	text, err := ca.read("ca.crt")
	if err != nil {
		return err
	}
	if ca.Cert, err = FirstCertificate([]byte(text)); err != nil {
		return fault.Wrap(fault.Invalid, err, "%s", filepath.Join(ca.path, "ca.crt"))
	}
	if text, err = ca.read("ca.key"); err != nil {
		return err
	}
	if ca.key, err = ParseKey([]byte(text)); err != nil {
		return fault.Wrap(fault.Invalid, err, "%s", filepath.Join(ca.path, "ca.key"))
	}
	if !SameKey(ca.key.Public(), ca.Cert.PublicKey) || !ca.Cert.IsCA {
		return fault.New(fault.Refused, "ca.key does not belong to the first certificate of %s, or that is no CA's", filepath.Join(ca.path, "ca.crt")).
			WithHint("openssl takes the first certificate: in a bundle the CA that signs comes first")
	}
	return nil
}

func (ca *CA) read(name string) (string, error) {
	f, err := ca.dir.Open(name)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the CA's directory lacks a file, or it cannot be read").
			WithHint("the CA is on the host whose etcd_host_info says ca_key: true; where it is lost, look for ca.key in the backups of /etc/etcd")
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, readfile.Long+1))
	if err == nil && len(raw) > readfile.Long {
		err = readfile.ErrTooLong
	}
	return string(raw), err
}

// Find is a certificate that was issued here for this subject, and that ends no earlier than until; nil where there is none. A run after an
// interrupted one gets the same certificate again.
func (ca *CA) Find(s Subject, until time.Time) (*x509.Certificate, error) {
	index, err := ca.index()
	if err != nil {
		return nil, err
	}
	certs, err := ca.dir.Dir("certs")
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the CA's directory").WithHint("make it: mkdir -m 0700 %s", filepath.Join(ca.path, "certs"))
	}
	defer certs.Close()
	for _, e := range slices.Backward(index) {
		if e.Status != "V" || e.Subject != "/CN="+s.Names[0] {
			continue
		}
		raw, err := readfile.Read(filepath.Join(certs.At(), e.Serial+".pem"), readfile.Text)
		if errors.Is(err, fs.ErrNotExist) { // killed before it was written, or cleaned up
			continue
		}
		if err != nil {
			return nil, err
		}
		c, err := FirstCertificate(raw)
		if err == nil && SameKey(c.PublicKey, s.Key) && c.CheckSignatureFrom(ca.Cert) == nil && !c.NotAfter.Before(until) && slices.Equal(Names(c), Names(s.template())) {
			return c, nil
		}
	}
	return nil, nil
}

func (ca *CA) index() ([]entry, error) {
	text, err := ca.read("index.txt")
	if err != nil {
		return nil, err
	}
	index, err := parseIndex(text)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s", ca.path)
	}
	return index, nil
}

// End is the end of a certificate of so many days: no later than the CA's own, since nobody accepts it beyond.
func (ca *CA) End(now time.Time, days int) time.Time {
	end := now.Add(time.Duration(days) * 24 * time.Hour).Truncate(time.Second)
	if end.After(ca.Cert.NotAfter) {
		return ca.Cert.NotAfter
	}
	return end
}

// Issue signs, and records it as openssl does: the next serial number first, then the index, then the certificate. A kill leaves at most a number
// that is never used; an index ahead of the number would block openssl.
func (ca *CA) Issue(s Subject, now, end time.Time) (*x509.Certificate, error) {
	text, err := ca.read("serial")
	if err != nil {
		return nil, err
	}
	serial, err := parseSerial(text)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "%s", ca.path)
	}
	index, err := ca.index()
	if err != nil {
		return nil, err
	}
	if number := formatSerial(serial); slices.ContainsFunc(index, func(e entry) bool { return e.Serial == number }) {
		return nil, fault.New(fault.Refused, "%s: serial number %s, the next one, has already been issued", ca.path, number).
			WithHint("write a number above all of index.txt into %s, such as by: openssl rand -hex 7", filepath.Join(ca.path, "serial"))
	}
	t := s.template()
	t.SerialNumber, t.NotBefore, t.NotAfter = serial, now.Add(-backdated), end
	if t.NotBefore.Before(ca.Cert.NotBefore) {
		t.NotBefore = ca.Cert.NotBefore
	}
	if t.SubjectKeyId, err = keyID(s.Key); err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, t, ca.Cert, s.Key, ca.key)
	if err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return c, ca.note(c)
}

func (ca *CA) note(c *x509.Certificate) error {
	next := new(big.Int).Add(c.SerialNumber, big.NewInt(1))
	if err := ca.dir.Write("serial", []byte(formatSerial(next)+"\n"), 0o644); err != nil {
		return err
	}
	index, err := ca.read("index.txt")
	if err != nil {
		return err
	}
	if err := ca.dir.Write("index.txt", []byte(appended(index, c)), 0o644); err != nil {
		return err
	}
	certs, err := ca.dir.OpenDir("certs")
	if err != nil {
		return err
	}
	defer certs.Close()
	return certs.Write(formatSerial(c.SerialNumber)+".pem", Encode(c), 0o644)
}

// template has the installer's usages: etcd's own gateway uses the server's certificate as a client.
func (s Subject) template() *x509.Certificate {
	t := &x509.Certificate{
		Subject: pkix.Name{CommonName: s.Names[0]}, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if s.Client {
		t.ExtKeyUsage = t.ExtKeyUsage[1:]
	}
	for _, name := range s.Names {
		if ip := net.ParseIP(name); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, name)
		}
	}
	return t
}

// Names are the host names, then the addresses, of a certificate.
func Names(c *x509.Certificate) []string {
	names := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// keyID is the SHA-1 of the key's bits, like openssl's.
func keyID(key any) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, err
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Bits      asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return nil, err
	}
	sum := sha1.Sum(info.Bits.Bytes)
	return sum[:], nil
}

// FirstCertificate is the first one of a PEM file.
func FirstCertificate(text []byte) (*x509.Certificate, error) {
	block, err := first(text, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(block)
}

// Certificates are all of a PEM file, in its order.
func Certificates(text []byte) (all []*x509.Certificate, err error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// ParseRequest reads a request, and checks that its maker has the private key.
func ParseRequest(der []byte) (*x509.CertificateRequest, error) {
	r, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, err
	}
	if err := r.CheckSignature(); err != nil {
		return nil, err
	}
	switch key := r.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() >= 2048 {
			return r, nil
		}
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() || key.Curve == elliptic.P384() {
			return r, nil
		}
	}
	return nil, errors.New("expected a key that etcd 3.2 can use: RSA of 2048 bits or more, or ECDSA on P-256 or P-384")
}

// ParseKey reads a private key without a password. Its errors never quote the key.
func ParseKey(text []byte) (crypto.Signer, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if signer, ok := key.(crypto.Signer); ok {
				return signer, nil
			}
		}
		if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return key, nil
		}
		if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
			return key, nil
		}
	}
	return nil, errors.New("no private key in PEM form without a password")
}

func first(text []byte, kind string) ([]byte, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == kind {
			return block.Bytes, nil
		}
	}
	return nil, fmt.Errorf("no %s in PEM form", kind)
}

// SameKey compares public keys.
func SameKey(a, b any) bool {
	key, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(b)
}

// Encode is a certificate in PEM form, without the text that openssl writes before it and that nobody reads.
func Encode(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// DaysLeft is rounded down, so it is negative from the end on.
func DaysLeft(c *x509.Certificate, now time.Time) int {
	hours := c.NotAfter.Sub(now).Hours()
	if hours < 0 {
		hours -= 24 // rounded down, as etcd_host_info does
	}
	return int(hours / 24)
}
