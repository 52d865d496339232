package opensslca

import (
	"crypto/x509"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
)

// entry is a line of index.txt: status, end, revocation, serial, file and subject, separated by tabs.
type entry struct{ Status, Serial, Subject string }

var serialForm = regexp.MustCompile(`^([0-9A-Fa-f]{2})+$`)

// parseIndex refuses what openssl refuses: openssl issues nothing after a line that it cannot read.
func parseIndex(text string) ([]entry, error) {
	var all []entry
	seen := map[string]bool{}
	for n, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if text == "" || strings.HasPrefix(line, "#") { // openssl drops comments
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) != 6 || !serialForm.MatchString(fields[3]) {
			return nil, fault.New(fault.Invalid, "line %d of index.txt is not what openssl writes: six fields between tabs, the fourth a serial number", n+1)
		}
		e := entry{Status: fields[0], Serial: canonical(fields[3]), Subject: fields[5]}
		if seen[e.Serial] {
			return nil, fault.New(fault.Invalid, "line %d of index.txt has the serial number %s a second time; openssl issues nothing then", n+1, e.Serial)
		}
		seen[e.Serial] = true
		all = append(all, e)
	}
	return all, nil
}

// canonical has upper-case digits, and no leading zeros but one that makes their number even.
func canonical(serial string) string {
	n, _ := new(big.Int).SetString(serial, 16)
	return formatSerial(n)
}

func parseSerial(text string) (*big.Int, error) {
	text = strings.TrimSpace(text) // the installer writes 01 without a newline, openssl with one
	if !serialForm.MatchString(text) {
		return nil, fault.New(fault.Invalid, "serial holds %.40q; expected the next number, hexadecimal, of an even number of digits", text)
	}
	n, _ := new(big.Int).SetString(text, 16)
	if n.Sign() == 0 || n.BitLen() > 159 { // RFC 5280, 4.1.2.2
		return nil, fault.New(fault.Invalid, "serial holds %.40q; expected a number from 1 on, of at most 20 bytes", text)
	}
	return n, nil
}

// Serial is the certificate's number as openssl writes it.
func Serial(c *x509.Certificate) string { return formatSerial(c.SerialNumber) }

func formatSerial(n *big.Int) string {
	text := fmt.Sprintf("%X", n)
	if len(text)%2 != 0 {
		return "0" + text
	}
	return text
}

// appended is the index with one more line. A last line without a newline gets one first: otherwise openssl drops it.
func appended(index string, c *x509.Certificate) string {
	if index != "" && !strings.HasSuffix(index, "\n") {
		index += "\n"
	}
	return index + line(c)
}

func line(c *x509.Certificate) string {
	return strings.Join([]string{"V", asn1Time(c.NotAfter), "", formatSerial(c.SerialNumber), "unknown", "/CN=" + c.Subject.CommonName}, "\t") + "\n"
}

// asn1Time has a year of four digits from 2050 on, as in the certificate itself.
func asn1Time(t time.Time) string {
	if t = t.UTC(); t.Year() >= 2050 {
		return t.Format("20060102150405Z")
	}
	return t.Format("060102150405Z")
}
