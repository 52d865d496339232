package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/killtest"
	"etcd-quorum-restore/modules/internal/moduletest"
	"etcd-quorum-restore/modules/internal/opensslca"
)

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, rules) }

const day = 24 * time.Hour

// site is one host with all parts: the CA, a member, a master and a flannel node.
type site struct {
	*hosttest.Host
	t  *testing.T
	ca *x509.Certificate
}

func newSite(t *testing.T, days int) *site {
	t.Helper()
	s := &site{hosttest.New(t), t, nil}
	s.Write("tmp/.keep", "")
	s.Write("etc/etcd/etcd.conf", "ETCD_TRUSTED_CA_FILE="+s.path("etc/etcd/ca.crt")+"\nETCD_PEER_TRUSTED_CA_FILE="+s.path("etc/etcd/ca.crt")+"\n")
	s.Write("etc/origin/master/master-config.yaml", "etcdClientInfo: {ca: master.etcd-ca.crt}\n")
	s.Write("etc/sysconfig/flanneld", "FLANNEL_OPTIONS=\"--iface eth0 --etcd-cafile="+s.path("etc/origin/node/flannel.etcd-ca.crt")+"\"\n")
	key := s.newKey()
	s.ca = s.sign("etcd-signer@1511", 77, days, nil, key)
	text := "Certificate:\n    as openssl prints it\n" + string(opensslca.Encode(s.ca))
	for _, file := range append(trusting, "etc/etcd/ca/ca.crt") {
		s.Write(file, text)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	s.must(err)
	s.Write("etc/etcd/ca/ca.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	return s
}

var trusting = []string{"etc/etcd/ca.crt", "etc/origin/master/master.etcd-ca.crt", "etc/origin/node/flannel.etcd-ca.crt"}

func (s *site) path(name string) string { return filepath.Join(s.Root, name) }

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) newKey() *ecdsa.PrivateKey {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	s.must(err)
	return key
}

// sign makes a CA in the installer's form, or a certificate of s.ca.
func (s *site) sign(name string, serial int64, days int, leafKey, caKey *ecdsa.PrivateKey) *x509.Certificate {
	s.t.Helper()
	id := sha1.Sum([]byte(name))
	c := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true, SubjectKeyId: id[:],
		NotBefore: time.Now().Add(-1800 * day), NotAfter: time.Now().Add(time.Duration(days)*day + time.Hour),
	}
	parent, public := s.ca, any(nil)
	if leafKey == nil {
		c.IsCA, c.MaxPathLenZero, c.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature|x509.KeyUsageKeyEncipherment
		parent, public = c, &caKey.PublicKey
	} else {
		public = &leafKey.PublicKey
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, public, caKey)
	s.must(err)
	made, err := x509.ParseCertificate(der)
	s.must(err)
	return made
}

func (s *site) args(state string, pairs ...any) map[string]any {
	args := map[string]any{"state": state, "etcd_conf": s.Conf, "ca_dir": s.path("etc/etcd/ca"), "timeout": 20,
		"master_config": s.path("etc/origin/master/master-config.yaml"), "flannel_file": s.path("etc/sysconfig/flanneld")}
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i].(string)] = pairs[i+1]
	}
	return args
}

func (s *site) run(state string, pairs ...any) moduletest.Answer {
	s.t.Helper()
	return moduletest.Run(s.t, s.args(state, pairs...))
}

func (s *site) first(file string) *x509.Certificate {
	s.t.Helper()
	c, err := opensslca.FirstCertificate([]byte(s.Read(file)))
	s.must(err)
	return c
}

// sound checks that the CA ends years from now, that all trust it, and that only its dates have changed.
func (s *site) sound() {
	s.t.Helper()
	c := s.first("etc/etcd/ca/ca.crt")
	if left := time.Until(c.NotAfter); left < 1800*day || !c.NotBefore.Equal(s.ca.NotBefore) {
		s.t.Errorf("valid from %s to %s", c.NotBefore, c.NotAfter)
	}
	if c.SerialNumber.Cmp(s.ca.SerialNumber) != 0 || string(c.RawSubject) != string(s.ca.RawSubject) || !opensslca.SameKey(c.PublicKey, s.ca.PublicKey) ||
		c.CheckSignatureFrom(c) != nil {
		s.t.Errorf("another CA: %s, serial %s", c.Subject, c.SerialNumber)
	}
	if len(c.Extensions) != len(s.ca.Extensions) {
		s.t.Fatalf("extensions: %v, before: %v", c.Extensions, s.ca.Extensions)
	}
	for i, e := range c.Extensions {
		if was := s.ca.Extensions[i]; !e.Id.Equal(was.Id) || e.Critical != was.Critical || string(e.Value) != string(was.Value) {
			s.t.Errorf("extension %v was %v", e, was)
		}
	}
	for _, file := range trusting {
		if !s.first(file).Equal(c) {
			s.t.Errorf("%s does not trust it", file)
		}
	}
}

func TestExtended(t *testing.T) {
	for name, days := range map[string]int{"expired": -3, "ends soon": 20} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, days)
			if info := s.run("info").OK(t, false); info.JSON["due"] != true || fmt.Sprint(info.JSON["expires_days"]) != fmt.Sprint(days) {
				t.Error(info.Stdout)
			}
			s.run("extended", "_ansible_check_mode", true, "_ansible_diff", true).OK(t, true)
			if !s.first("etc/etcd/ca/ca.crt").Equal(s.ca) {
				t.Fatal("check mode has changed it")
			}
			a := s.run("extended", "_ansible_diff", true).OK(t, true)
			if strings.Contains(a.Stdout, "PRIVATE KEY") || !strings.Contains(a.Stdout, `"after":"serial 4D, until `) {
				t.Error(a.Stdout)
			}
			if again := s.run("extended").OK(t, false); again.JSON["certificate"] != a.JSON["certificate"] {
				t.Error(again.Stdout)
			}
			s.run("trusted", "certificate", a.JSON["certificate"], "_ansible_check_mode", true).OK(t, true)
			if !s.first(trusting[0]).Equal(s.ca) {
				t.Fatal("check mode has changed it")
			}
			b := s.run("trusted", "certificate", a.JSON["certificate"]).OK(t, true)
			restart(t, b, "etcd", "master", "flannel")
			restart(t, s.run("trusted", "certificate", a.JSON["certificate"]).OK(t, false), "etcd", "master", "flannel")
			restart(t, s.run("loaded", "readers", []string{"etcd"}).OK(t, true), "master", "flannel")
			restart(t, s.run("trusted", "certificate", a.JSON["certificate"]).OK(t, false), "master", "flannel")
			s.run("loaded", "readers", []string{"etcd", "master", "flannel"}).OK(t, true)
			restart(t, s.run("trusted", "certificate", a.JSON["certificate"]).OK(t, false))
			s.sound()
			s.openssl()
		})
	}
}

func restart(t *testing.T, a moduletest.Answer, want ...string) {
	t.Helper()
	got := []string{}
	for _, name := range a.JSON["restart"].([]any) {
		got = append(got, name.(string))
	}
	if !slices.Equal(got, want) {
		t.Errorf("restart %v, want %v", got, want)
	}
}

// openssl checks that openssl accepts the CA, and the certificates that the old CA has issued.
func (s *site) openssl() {
	s.t.Helper()
	raw, err := os.ReadFile(s.path("etc/etcd/ca/ca.key"))
	s.must(err)
	signer, err := opensslca.ParseKey(raw)
	s.must(err)
	leaf := s.sign("etcd-0.example.com", 2, 900, s.newKey(), signer.(*ecdsa.PrivateKey))
	s.Write("leaf.crt", string(opensslca.Encode(leaf)))
	roots := x509.NewCertPool()
	roots.AddCert(s.first(trusting[0]))
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		s.t.Error(err)
	}
	program, err := exec.LookPath("openssl")
	if err != nil {
		return // crypto/x509's verdict has to do
	}
	if out, err := exec.Command(program, "verify", "-CAfile", s.path(trusting[0]), s.path("leaf.crt")).CombinedOutput(); err != nil {
		s.t.Errorf("%v\n%s", err, out)
	}
}

func TestNotDue(t *testing.T) {
	s := newSite(t, 700)
	a := s.run("extended").OK(t, false)
	restart(t, s.run("trusted", "certificate", a.JSON["certificate"]).OK(t, false))
	s.run("extended", "below_days", 800, "days", 300).Failed(t, "refused")
	s.run("extended", "below_days", 800).OK(t, true)
}

// Bundles keep their other certificates, and their order.
func TestBundle(t *testing.T) {
	s := newSite(t, 20)
	other := s.sign("openshift-signer@1", 5, 900, nil, s.newKey())
	s.Write(trusting[0], string(opensslca.Encode(other))+string(opensslca.Encode(s.ca)))
	s.Write(trusting[1], string(opensslca.Encode(other)))
	a := s.run("extended").OK(t, true)
	b := s.run("trusted", "certificate", a.JSON["certificate"]).OK(t, true)
	restart(t, b, "etcd", "flannel")
	if !strings.Contains(b.Stdout, "does not trust") || !s.first(trusting[1]).Equal(other) {
		t.Error(b.Stdout)
	}
	if text := s.Read(trusting[0]); text != string(opensslca.Encode(other))+string(opensslca.Encode(s.first("etc/etcd/ca/ca.crt"))) {
		t.Error(text)
	}
	if kept := s.first(trusting[2] + ".until-" + s.ca.NotAfter.UTC().Format("20060102")); !kept.Equal(s.ca) {
		t.Error(kept.NotAfter)
	}
}

// The API's own certificate is another job, and is named.
func TestExpiredClient(t *testing.T) {
	s := newSite(t, 20)
	s.Write("etc/origin/master/master.etcd-client.crt", string(opensslca.Encode(s.sign("old", 9, -2, nil, s.newKey()))))
	if a := s.run("trusted", "certificate", s.run("extended").JSON["certificate"]).OK(t, true); !strings.Contains(a.Stdout, "the API's own certificate for etcd, expired on") {
		t.Error(a.Stdout)
	}
}

func TestBadInput(t *testing.T) {
	s := newSite(t, 20)
	before := s.Read(trusting[0])
	for name, c := range map[string]struct{ given, says string }{
		"nothing":    {"", "argument certificate"},
		"no base64":  {"%%", "argument certificate"},
		"no DER":     {"AAAA", "argument certificate"},
		"a leaf":     {"", "argument certificate"},
		"a PEM text": {string(opensslca.Encode(s.ca)), "argument certificate"},
	} {
		if a := s.run("trusted", "certificate", c.given).Failed(t, "invalid"); !strings.Contains(a.Msg(), c.says) {
			t.Errorf("%s: %s", name, a.Msg())
		}
	}
	s.run("loaded").Failed(t, "invalid")
	s.run("loaded", "readers", []string{"calico"}).Failed(t, "invalid")
	s.run("extended", "ca_dir", s.path("etc/none")).Failed(t, "invalid")
	good := s.run("info").JSON["certificate"]
	s.Write("etc/etcd/ca/ca.key", "no key")
	if a := s.run("extended").Failed(t, "invalid"); !strings.Contains(a.Msg(), "ca.key") {
		t.Error(a.Msg())
	}
	s.Write(trusting[1], before+"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
	if a := s.run("trusted", "certificate", good).Failed(t, "refused"); !strings.Contains(a.Msg(), s.path(trusting[1])) {
		t.Error(a.Msg())
	}
	if s.Read(trusting[0]) != before {
		t.Error("it touched something")
	}
}

// After any kill, the same calls finish.
func TestKilledAnywhere(t *testing.T) {
	for _, state := range []string{"extended", "trusted", "loaded"} {
		for n, killed := 0, true; killed; n++ {
			s := newSite(t, 20)
			given := []any{}
			if state != "extended" {
				given = []any{"certificate", s.run("extended").JSON["certificate"]}
			}
			if state == "loaded" {
				s.run("trusted", given...).OK(t, true)
				given = []any{"readers", []string{"etcd", "master", "flannel"}}
			}
			var changes []string
			changes, killed = killtest.Run(t, moduletest.Command(t, s.args(state, given...)), s.Root, n)
			if n == 0 && !killed {
				t.Fatalf("%s changes nothing: %v", state, changes)
			}
			a := s.run("trusted", "certificate", s.run("extended").JSON["certificate"])
			if state != "loaded" {
				restart(t, a, "etcd", "master", "flannel")
			}
			s.run("loaded", "readers", []string{"etcd", "master", "flannel"})
			restart(t, s.run("trusted", "certificate", s.run("info").JSON["certificate"]).OK(t, false))
			if s.sound(); t.Failed() {
				t.Fatalf("%s, killed before %v", state, changes)
			}
		}
	}
}
