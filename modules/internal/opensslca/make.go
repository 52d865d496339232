package opensslca

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
)

// authorityBits is the installer's [openshift-ansible release-3.11, roles/etcd/tasks/certificates/deploy_ca.yml].
const authorityBits = 4096

// New makes a CA with a key of its own, in the installer's form. The key is returned in PEM form, for a file of the CA's host.
func New(now time.Time, days int) (*x509.Certificate, []byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, authorityBits)
	if err != nil {
		return nil, nil, err
	}
	serial, err := RandomSerial()
	if err != nil {
		return nil, nil, err
	}
	t := &x509.Certificate{
		Subject: pkix.Name{CommonName: fmt.Sprintf("etcd-signer@%d", now.Unix())}, SerialNumber: serial,
		NotBefore: now.Add(-backdated).Truncate(time.Second), NotAfter: now.Add(time.Duration(days) * 24 * time.Hour).Truncate(time.Second),
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign,
	}
	if t.SubjectKeyId, err = keyID(key.Public()); err != nil {
		return nil, nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	return c, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), err
}

// RandomSerial has 62 bits, the highest of them set: above every number that a CA's file `serial` has counted up to.
func RandomSerial() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 61))
	if err != nil {
		return nil, err
	}
	return n.SetBit(n, 61, 1), nil
}

// trialLife is how long the certificate of a trial is valid.
const trialLife = 10 * time.Minute

// Trial is a client's certificate with which this run asks who accepts the CA. It stays in memory, and is in no index. It has no name, for a peer port
// compares names with the caller's address.
func (ca *CA) Trial(now time.Time) (tls.Certificate, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return tls.Certificate{}, err
	}
	der, err := ca.trial(key.Public(), now)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// TrySign has the CA sign a certificate, which is kept nowhere.
func (ca *CA) TrySign(now time.Time) error {
	der, err := ca.trial(ca.key.Public(), now)
	if err != nil {
		return err
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	if err := c.CheckSignatureFrom(ca.Cert); err != nil {
		return fault.Wrap(fault.Corrupt, err, "%s does not verify what it signs", ca.File())
	}
	return nil
}

func (ca *CA) trial(public any, now time.Time) ([]byte, error) {
	serial, err := RandomSerial()
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		Subject: pkix.Name{CommonName: "etcd-quorum-restore trial"}, SerialNumber: serial, BasicConstraintsValid: true,
		NotBefore: now.Add(-backdated), NotAfter: now.Add(trialLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	return x509.CreateCertificate(rand.Reader, t, ca.Cert, public, ca.key)
}

// Identity names a CA by its name and key, which stay when it is extended.
func Identity(c *x509.Certificate) string {
	sum := sha256.Sum256(append(append([]byte{}, c.RawSubject...), c.RawSubjectPublicKeyInfo...))
	return hex.EncodeToString(sum[:16])
}

// Joined is a CA file in which the given CA stands before those of beside, without which it is not found. One that is there already is replaced.
func Joined(text []byte, c *x509.Certificate, beside []*x509.Certificate) (joined []byte, found, same bool, err error) {
	joined, found, same, err = Replaced(text, c)
	if err != nil || found {
		return joined, found, same, err
	}
	for _, old := range beside {
		if _, has, _, _ := Replaced(text, old); has {
			return append(Encode(c), joined...), true, false, nil
		}
	}
	return joined, false, false, nil
}

// Without is a CA file without the old CAs. found: the given one is in it, without which nothing is taken out.
func Without(text []byte, c *x509.Certificate, old []*x509.Certificate) (left []byte, found, same bool, err error) {
	all, found, same, err := Replaced(text, c)
	if err != nil || !found {
		return text, found, same, err
	}
	for block, rest := pem.Decode(all); block != nil; block, rest = pem.Decode(rest) {
		in, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, false, false, err
		}
		drop := false
		for _, each := range old {
			drop = drop || SameCA(in, each) && !SameCA(in, c)
		}
		if drop {
			same = false
			continue
		}
		left = append(left, pem.EncodeToMemory(block)...)
	}
	return left, found, same, nil
}
