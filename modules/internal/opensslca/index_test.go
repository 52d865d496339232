package opensslca

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"
)

// written is what openssl 1.0.2 and 3.0 write when they issue.
const written = "V\t311127061107Z\t\t01\tunknown\t/CN=etcd-0.example.com\n"

func TestLineIsOpenssls(t *testing.T) {
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "etcd-0.example.com"}, NotAfter: time.Date(2031, 11, 27, 6, 11, 7, 0, time.UTC)}
	if got := line(c); got != written {
		t.Errorf("%q, want %q", got, written)
	}
	c.SerialNumber, c.NotAfter = big.NewInt(0x100), time.Date(2050, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	if got := line(c); got != "V\t20500102020405Z\t\t0100\tunknown\t/CN=etcd-0.example.com\n" {
		t.Errorf("%q", got)
	}
}

// openssl drops a last line without a newline, and the installer has written such files.
func TestLastLineIsMended(t *testing.T) {
	c := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "b"}, NotAfter: time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, index := range []string{written, strings.TrimSuffix(written, "\n")} {
		if got := appended(index, c); got != written+line(c) {
			t.Errorf("%q", got)
		}
	}
	if got := appended("", c); got != line(c) {
		t.Errorf("%q", got)
	}
}

func TestSerial(t *testing.T) {
	for text, want := range map[string]string{"01": "02", "09\n": "0A", "7F\n": "80", "ff\n": "0100", "0100": "0101"} {
		n, err := parseSerial(text)
		if err != nil || formatSerial(new(big.Int).Add(n, big.NewInt(1))) != want {
			t.Errorf("%q: %v, %v", text, n, err)
		}
	}
	for _, text := range []string{"", "\n", "1", "0G", "01 02", "-1", "00", strings.Repeat("FF", 21)} {
		if n, err := parseSerial(text); err == nil {
			t.Errorf("%q gives %v", text, n)
		}
	}
}

func TestIndexThatOpensslRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"a blank line":     written + "\n" + written,
		"spaces for tabs":  strings.ReplaceAll(written, "\t", " "),
		"five fields":      "V\t311127061107Z\t01\tunknown\t/CN=a\n",
		"odd serial":       strings.Replace(written, "\t01\t", "\t1\t", 1),
		"one number twice": written + written,
	} {
		if all, err := parseIndex(text); err == nil {
			t.Errorf("%s: %v", name, all)
		}
	}
	all, err := parseIndex("# by hand\n" + written + "R\t311127061107Z\t261127061107Z\t0A\tunknown\t/CN=b")
	if err != nil || len(all) != 2 || all[0] != (entry{"V", "01", "/CN=etcd-0.example.com"}) || all[1].Status != "R" {
		t.Errorf("%v, %v", all, err)
	}
}

// For any index: an error, or as many numbers as entries; and one more line is one more entry.
func FuzzIndex(f *testing.F) {
	f.Add(written)
	f.Add(strings.TrimSuffix(written, "\n"))
	f.Add("#\n\n")
	c := &x509.Certificate{SerialNumber: new(big.Int).Lsh(big.NewInt(1), 158), Subject: pkix.Name{CommonName: "z"}}
	f.Fuzz(func(t *testing.T, text string) {
		all, err := parseIndex(text)
		if err != nil {
			return
		}
		for _, e := range all {
			if e.Serial == formatSerial(c.SerialNumber) {
				return
			}
		}
		after, err := parseIndex(appended(text, c))
		if err != nil || len(after) != len(all)+1 {
			t.Errorf("%q: %v, then %v, %v", text, all, after, err)
		}
	})
}
