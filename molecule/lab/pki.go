package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Authority signs the lab's certificates, as the CA on the first etcd host does.
type Authority struct {
	cert    *x509.Certificate
	key     crypto.Signer
	CertPEM []byte
	KeyPEM  []byte
}

// Pair is a certificate and its key, both PEM.
type Pair struct{ Cert, Key []byte }

// certRequest is what differs between certificates.
type certRequest struct {
	CommonName string
	DNS        []string
	IPs        []string
	Usages     []x509.ExtKeyUsage
	NotAfter   time.Time
}

// Until June 2018 the installer issued server.crt for servers only, later for
// both, as peer.crt. The lab takes the older kind, which allows less: whatever
// shows the wrong certificate fails here.
var (
	serverUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	peerUsage   = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	clientUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
)

const fiveYears = 5 * 365 * 24 * time.Hour

func newAuthority(name string) (*Authority, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	t := unsigned(certRequest{CommonName: name, NotAfter: time.Now().Add(fiveYears)})
	t.IsCA, t.BasicConstraintsValid = true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	return readAuthority(encodeCert(der), keyPEM)
}

func readAuthority(certPEM, keyPEM []byte) (*Authority, error) {
	certBlock, _ := pem.Decode(certPEM)
	keyBlock, _ := pem.Decode(keyPEM)
	if certBlock == nil || keyBlock == nil {
		return nil, fmt.Errorf("the lab's authority is not PEM")
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, err
	}
	return &Authority{cert: cert, key: key.(crypto.Signer), CertPEM: certPEM, KeyPEM: keyPEM}, nil
}

// ending is the authority's certificate with another end, in PEM.
func (a *Authority) ending(end time.Time) ([]byte, error) {
	t := *a.cert
	t.NotBefore, t.NotAfter, t.ExtraExtensions = end.Add(-fiveYears), end, t.Extensions
	der, err := x509.CreateCertificate(rand.Reader, &t, &t, a.cert.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	return encodeCert(der), nil
}

// issue makes a key and a certificate for it.
func (a *Authority) issue(r certRequest) (Pair, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return Pair{}, err
	}
	t := unsigned(r)
	t.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, key.Public(), a.key)
	if err != nil {
		return Pair{}, err
	}
	keyPEM, err := encodeKey(key)
	return Pair{Cert: encodeCert(der), Key: keyPEM}, err
}

func unsigned(r certRequest) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	t := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: r.CommonName},
		DNSNames:     r.DNS,
		ExtKeyUsage:  r.Usages,
		// A year back: an expired one is made by NotAfter alone.
		NotBefore: time.Now().Add(-365 * 24 * time.Hour),
		NotAfter:  r.NotAfter,
	}
	for _, ip := range r.IPs {
		t.IPAddresses = append(t.IPAddresses, net.ParseIP(ip))
	}
	return t
}

func encodeCert(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func encodeKey(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}
