package opensslca

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"path/filepath"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
)

// Extended is the CA's certificate with another end, signed by its own key. Name, serial number, subject key ID and all other extensions stay, so
// that every certificate of the CA verifies under both: the installer's certificates name the serial number of their CA's certificate.
func (ca *CA) Extended(end time.Time) (*x509.Certificate, error) {
	old := ca.Cert
	t := &x509.Certificate{
		RawSubject: old.RawSubject, SerialNumber: old.SerialNumber, NotBefore: old.NotBefore, NotAfter: end,
		IsCA: true, BasicConstraintsValid: true, SubjectKeyId: old.SubjectKeyId, ExtraExtensions: old.Extensions,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, old.PublicKey, ca.key)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "sign the CA's certificate again")
	}
	return x509.ParseCertificate(der)
}

// File is the path of the CA's certificate.
func (ca *CA) File() string { return filepath.Join(ca.path, "ca.crt") }

// Replaced is the PEM text of a CA file in which the given certificate replaces each older one of the same CA, by name and key. Others stay, in
// their order, without the text that openssl writes between them. found: the CA is in it; same: only as given already.
func Replaced(text []byte, c *x509.Certificate) (replaced []byte, found, same bool, err error) {
	same = true
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return nil, false, false, fault.New(fault.Refused, "holds a %.40s beside certificates", block.Type)
		}
		in, err := x509.ParseCertificate(block.Bytes)
		switch {
		case err != nil:
			return nil, false, false, fault.Wrap(fault.Invalid, err, "a certificate in it")
		case !SameCA(in, c):
			replaced = append(replaced, pem.EncodeToMemory(block)...)
			continue
		case found: // an earlier renewal appended it
			same = false
			continue
		}
		found, same = true, in.Equal(c)
		replaced = append(replaced, Encode(c)...)
	}
	return replaced, found, same, nil
}

// SameCA compares name and key.
func SameCA(a, b *x509.Certificate) bool {
	return string(a.RawSubject) == string(b.RawSubject) && SameKey(a.PublicKey, b.PublicKey)
}
