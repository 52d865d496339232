package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/killtest"
	"etcd-quorum-restore/modules/internal/moduletest"
	"etcd-quorum-restore/modules/internal/opensslca"
)

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, rules) }

const (
	day  = 24 * time.Hour
	name = "etcd-0.example.com"
	ip   = "192.0.2.11"
)

// site is a host of etcd that is also the CA's host, as the installer leaves it: everything is in /etc/etcd.
type site struct {
	*hosttest.Host
	t     *testing.T
	names []string
}

// newSite has certificates that end in leafDays, of a CA that ends in caDays.
func newSite(t *testing.T, leafDays, caDays int) *site {
	t.Helper()
	s := &site{hosttest.New(t), t, []string{name, "https://" + ip + ":2380", "https://" + ip + ":2379"}}
	s.Write("tmp/.keep", "")
	s.Write("etc/etcd/etcd.conf", strings.ReplaceAll(fmt.Sprintf(`ETCD_NAME=%s
ETCD_LISTEN_PEER_URLS=https://%[2]s:2380
ETCD_LISTEN_CLIENT_URLS=https://%[2]s:2379
ETCD_INITIAL_ADVERTISE_PEER_URLS=https://%[2]s:2380
ETCD_ADVERTISE_CLIENT_URLS=https://%[2]s:2379
ETCD_TRUSTED_CA_FILE=DIR/ca.crt
ETCD_CERT_FILE=DIR/server.crt
ETCD_KEY_FILE=DIR/server.key
ETCD_PEER_TRUSTED_CA_FILE=DIR/ca.crt
ETCD_PEER_CERT_FILE=DIR/peer.crt
ETCD_PEER_KEY_FILE=DIR/peer.key
`, name, ip), "DIR", s.path("")))
	key := s.newKey("ca/ca.key")
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(77), Subject: pkix.Name{CommonName: "etcd-signer@1511"}, IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		NotBefore: time.Now().Add(-30 * day), NotAfter: time.Now().Add(time.Duration(caDays) * day), KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	s.sign(ca, ca, key, key, "ca/ca.crt")
	s.Write("etc/etcd/ca.crt", s.Read("etc/etcd/ca/ca.crt"))
	s.Write("etc/etcd/ca/serial", "03")
	s.Write("etc/etcd/ca/certs/.keep", "")
	index := ""
	for i, purpose := range []string{"server", "peer"} {
		leaf := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i) + 1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IPAddresses: []net.IP{net.ParseIP(ip)},
			NotBefore: time.Now().Add(-30 * day), NotAfter: time.Now().Add(time.Duration(leafDays) * day),
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		}
		s.sign(leaf, ca, s.newKey(purpose+".key"), key, purpose+".crt")
		s.chown(purpose + ".key")
		index += fmt.Sprintf("V\t%s\t\t0%d\tunknown\t/CN=%s\n", leaf.NotAfter.UTC().Format("060102150405Z"), i+1, name)
	}
	s.Write("etc/etcd/ca/index.txt", strings.TrimSuffix(index, "\n")) // a line that openssl would drop
	return s
}

func (s *site) path(name string) string { return filepath.Join(s.Root, "etc/etcd", name) }

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) newKey(name string) *ecdsa.PrivateKey {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	s.must(err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	s.must(err)
	s.Write("etc/etcd/"+name, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	s.must(os.Chmod(s.path(name), 0o600))
	return key
}

// chown gives a file to user etcd, as on a real host, where the test may do so.
func (s *site) chown(name string) {
	if os.Geteuid() == 0 {
		s.must(os.Chown(s.path(name), 995, 994))
	}
}

func (s *site) sign(leaf, ca *x509.Certificate, key, caKey *ecdsa.PrivateKey, name string) {
	s.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	s.must(err)
	s.Write("etc/etcd/"+name, "Certificate:\n    as openssl prints it\n"+string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
}

// run runs one state of the module, with pairs of name and value.
func (s *site) run(state string, pairs ...any) moduletest.Answer {
	s.t.Helper()
	return moduletest.Run(s.t, s.args(state, pairs...))
}

func (s *site) args(state string, pairs ...any) map[string]any {
	args := map[string]any{"state": state, "etcd_conf": s.Conf, "ca_dir": s.path("ca"), "timeout": 20}
	if state == "requested" || state == "issued" {
		args["names"] = s.names
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i].(string)] = pairs[i+1]
	}
	return args
}

// renew makes the playbook's calls, and returns whether each step changed anything.
func (s *site) renew(pairs ...any) (changed [3]bool) {
	s.t.Helper()
	wanted := s.run("requested", pairs...)
	signed := s.run("issued", "requests", wanted.JSON["requests"])
	done := s.run("installed", "certificates", signed.JSON["certificates"])
	for i, a := range []moduletest.Answer{wanted, signed, done} {
		if a.Code != 0 {
			s.t.Fatal(a.Stdout)
		}
		if strings.Contains(a.Stdout, "PRIVATE") {
			s.t.Error("a private key shows: " + a.Stdout)
		}
		changed[i] = a.JSON["changed"] == true
	}
	return changed
}

func (s *site) cert(name string) *x509.Certificate {
	s.t.Helper()
	c, err := opensslca.FirstCertificate([]byte(s.Read("etc/etcd/" + name)))
	s.must(err)
	return c
}

// sound checks that each pair fits, is valid for both sides of a connection under the CA, is recorded by the CA, and that nothing is left half
// done.
func (s *site) sound() {
	s.t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(s.cert("ca.crt"))
	for _, purpose := range []string{"server", "peer"} {
		c := s.cert(purpose + ".crt")
		key, err := opensslca.ParseKey([]byte(s.Read("etc/etcd/" + purpose + ".key")))
		s.must(err)
		if !opensslca.SameKey(key.Public(), c.PublicKey) {
			s.t.Errorf("%s: key and certificate are of two generations", purpose)
		}
		for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
			if _, err := c.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, KeyUsages: []x509.ExtKeyUsage{usage}}); err != nil {
				s.t.Error(err)
			}
		}
		if err := c.VerifyHostname(ip); err != nil {
			s.t.Error(err)
		}
		if text := s.Read("etc/etcd/ca/certs/" + opensslca.Serial(c) + ".pem"); text != string(opensslca.Encode(c)) {
			s.t.Errorf("%s: the CA has no copy of it", purpose)
		}
		var st unix.Stat_t
		s.must(unix.Stat(s.path(purpose+".key"), &st))
		if st.Mode&0o777 != 0o600 || os.Geteuid() == 0 && (st.Uid != 995 || st.Gid != 994) {
			s.t.Errorf("%s.key: mode %o, owner %d:%d", purpose, st.Mode&0o777, st.Uid, st.Gid)
		}
		for _, left := range []string{purpose + ".key.renewal", purpose + ".csr.renewal"} {
			if s.Exists("etc/etcd/" + left) {
				s.t.Errorf("%s is left", left)
			}
		}
	}
}

func TestRenew(t *testing.T) {
	s := newSite(t, 59, 700)
	before, old := s.Tree(), s.cert("peer.crt")
	for _, state := range []string{"info", "requested"} { // in check mode these only say what they would do
		a := s.run(state, "_ansible_check_mode", true).OK(t, state == "requested")
		if due := a.JSON["present"].([]any)[1].(map[string]any)["due"]; due != true {
			t.Errorf("%s: %s", state, a.Stdout)
		}
	}
	if s.Tree() != before {
		t.Fatal("check mode touched something")
	}
	oldKey := s.Read("etc/etcd/peer.key")
	if changed := s.renew(); changed != [3]bool{true, true, true} {
		t.Errorf("%v", changed)
	}
	s.sound()
	c := s.cert("peer.crt")
	if end := s.cert("ca.crt").NotAfter; !c.NotAfter.Equal(end) {
		t.Errorf("it ends on %v, its CA on %v", c.NotAfter, end)
	}
	if since := time.Since(c.NotBefore); since < time.Hour || since > 2*time.Hour || c.Subject.String() != "CN="+name || len(c.SubjectKeyId) != 20 {
		t.Errorf("%v, %s, %x", c.NotBefore, c.Subject, c.SubjectKeyId)
	}
	aside := "etc/etcd/peer.%s.before-" + opensslca.Serial(c)
	if kept, err := opensslca.FirstCertificate([]byte(s.Read(fmt.Sprintf(aside, "crt")))); err != nil || !kept.Equal(old) || s.Read(fmt.Sprintf(aside, "key")) != oldKey {
		t.Errorf("the old ones are not kept: %v", err)
	}
	if s.Read("etc/etcd/ca/serial") != "05\n" || strings.Count(s.Read("etc/etcd/ca/index.txt"), "\n") != 4 {
		t.Errorf("%q, %q", s.Read("etc/etcd/ca/serial"), s.Read("etc/etcd/ca/index.txt"))
	}
	after := s.Tree()
	if changed := s.renew(); changed != [3]bool{} || s.Tree() != after {
		t.Errorf("a second run: %v", changed)
	}
	s.openssl()
}

// openssl checks the same by openssl, if the machine has it: each chain is valid, and openssl can go on issuing in the same directory.
func (s *site) openssl() {
	s.t.Helper()
	program, err := exec.LookPath("openssl")
	if err != nil {
		return // the verdict of sound(), by crypto/x509, has to do
	}
	s.Write("openssl.cnf", "[ca]\ndefault_ca=c\n[c]\ndir="+s.path("ca")+"\ndatabase=$dir/index.txt\nserial=$dir/serial\nnew_certs_dir=$dir/certs\n"+
		"certificate=$dir/ca.crt\nprivate_key=$dir/ca.key\ndefault_md=sha256\ndefault_days=9\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n")
	for _, args := range [][]string{
		{"verify", "-x509_strict", "-CAfile", s.path("ca.crt"), "-purpose", "sslserver", "-verify_ip", ip, "-verify_hostname", name, s.path("server.crt")},
		{"verify", "-x509_strict", "-CAfile", s.path("ca.crt"), "-purpose", "sslclient", s.path("peer.crt")},
		{"req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=etcd-9", "-keyout", s.path("9.key"), "-out", s.path("9.csr")},
		{"ca", "-batch", "-config", filepath.Join(s.Root, "openssl.cnf"), "-in", s.path("9.csr"), "-out", s.path("9.crt")},
	} {
		if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
			s.t.Errorf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	if got := strings.Count(s.Read("etc/etcd/ca/index.txt"), "\n"); got != 5 || strings.TrimSpace(s.Read("etc/etcd/ca/serial")) != "06" {
		s.t.Errorf("openssl left %d lines and serial %s", got, s.Read("etc/etcd/ca/serial"))
	}
}

// TestKeptOnesStay: a CA that was made anew begins with the same serial numbers, and what was set aside under one of them stays as well.
func TestKeptOnesStay(t *testing.T) {
	s := newSite(t, 20, 700)
	oldKey := s.Read("etc/etcd/server.key")
	s.Write("etc/etcd/server.key.before-03", "of the CA before")
	s.renew()
	s.sound()
	if s.Read("etc/etcd/server.key.before-03") != "of the CA before" || s.Read("etc/etcd/server.key.before-03-2") != oldKey {
		t.Error("a key was not kept")
	}
}

func TestWhatIsDue(t *testing.T) {
	for name, tc := range map[string]struct {
		leaf, ca int
		pairs    []any
		due      bool
		says     string
	}{
		"soon":              {59, 700, nil, true, ""},
		"later":             {61, 700, nil, false, ""},
		"sooner than asked": {61, 700, []any{"below_days", 90}, true, ""},
		"all":               {61, 700, []any{"all", true}, true, ""},
		"expired":           {-1, 700, nil, true, ""},
		"with its CA":       {20, 20, nil, false, "no certificate lives longer than its CA"},
	} {
		a := newSite(t, tc.leaf, tc.ca).run("info", tc.pairs...).OK(t, false)
		if due := a.JSON["present"].([]any)[0].(map[string]any)["due"]; due != tc.due || !strings.Contains(a.Stdout, tc.says) {
			t.Errorf("%s: %s", name, a.Stdout)
		}
	}
}

// A host that has moved gets certificates that name the new address, with quorum and without.
func TestMovedHostIsDue(t *testing.T) {
	s := newSite(t, 600, 700)
	moved := strings.ReplaceAll(s.Read("etc/etcd/etcd.conf"), "https://"+ip, "https://192.0.2.111")
	s.Write("etc/etcd/etcd.conf", moved)
	s.names = append(s.names, "192.0.2.111")
	for _, each := range s.run("info").OK(t, false).JSON["present"].([]any) {
		if each.(map[string]any)["due"] != true {
			t.Error(each)
		}
	}
}

// TestRefusals: each of them changes nothing.
func TestRefusals(t *testing.T) {
	requests := func(s *site) any { return s.run("requested").JSON["requests"] }
	for name, tc := range map[string]struct {
		prepare func(s *site) map[string]any
		kind    string
		says    string
	}{
		"no names":                       {func(s *site) map[string]any { s.names = nil; return s.args("requested") }, "invalid", "argument names"},
		"a strange name":                 {func(s *site) map[string]any { s.names = []string{"a b"}; return s.args("requested") }, "invalid", `"a b"`},
		"a name of the host is left out": {func(s *site) map[string]any { s.names = []string{name}; return s.args("requested") }, "refused", "not for " + ip},
		"a request for another name": {func(s *site) map[string]any {
			s.names = append(s.names, "api.example.com")
			r := requests(s)
			s.names = s.names[:3]
			return s.args("issued", "requests", r)
		}, "refused", "api.example.com"},
		"no request": {func(s *site) map[string]any {
			return s.args("issued", "requests", []any{map[string]any{"purpose": "peer", "request": "nothing"}})
		}, "invalid", "base64 of DER"},
		"an unknown purpose": {func(s *site) map[string]any {
			return s.args("issued", "requests", []any{map[string]any{"purpose": "ca", "request": "nothing"}})
		}, "invalid", `"ca"`},
		"no CA": {func(s *site) map[string]any {
			r := requests(s)
			s.must(os.Rename(s.path("ca/ca.key"), s.path("ca/ca.key.gone")))
			return s.args("issued", "requests", r)
		}, "invalid", "ca.key"},
		"another CA's key": {func(s *site) map[string]any {
			r := requests(s)
			s.newKey("ca/ca.key")
			return s.args("issued", "requests", r)
		}, "refused", "does not belong"},
		"a number that was issued": {func(s *site) map[string]any {
			r := requests(s)
			s.Write("etc/etcd/ca/serial", "02\n")
			return s.args("issued", "requests", r)
		}, "refused", "has already been issued"},
		"the certificate of another key": {func(s *site) map[string]any {
			c := s.run("issued", "requests", requests(s)).JSON["certificates"]
			s.must(os.Remove(s.path("peer.key.renewal")))
			return s.args("installed", "certificates", c)
		}, "refused", "fits neither the key"},
		"a CA that the host does not trust": {func(s *site) map[string]any {
			c := s.run("issued", "requests", requests(s)).JSON["certificates"]
			key := s.newKey("other.key")
			ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "other"}, IsCA: true, BasicConstraintsValid: true,
				NotBefore: time.Now().Add(-day), NotAfter: time.Now().Add(day)}
			s.sign(ca, ca, key, key, "ca.crt")
			return s.args("installed", "certificates", c)
		}, "refused", "does not hold here"},
		"a host that has moved": {func(s *site) map[string]any {
			c := s.run("issued", "requests", requests(s)).JSON["certificates"]
			s.Write("etc/etcd/etcd.conf", strings.ReplaceAll(s.Read("etc/etcd/etcd.conf"), ip, "192.0.2.99"))
			return s.args("installed", "certificates", c)
		}, "refused", "not for 192.0.2.99"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, 20, 700)
			args := tc.prepare(s)
			before := s.Tree()
			a := moduletest.Run(t, args).Failed(t, tc.kind)
			if !strings.Contains(a.Msg(), tc.says) || strings.Contains(a.Stdout, "PRIVATE") {
				t.Error(a.Stdout)
			}
			if args["state"] != "issued" && s.Tree() != before { // issued leaves the lock's file
				t.Error("it touched something")
			}
		})
	}
}

func TestExpiredCA(t *testing.T) {
	s := newSite(t, -1, -1)
	wanted := s.run("requested", "all", true).OK(t, true)
	a := s.run("issued", "requests", wanted.JSON["requests"]).Failed(t, "refused")
	if !strings.Contains(a.Msg(), "nobody would accept") || !strings.Contains(a.Stdout, "etcd_ca state=extended") {
		t.Error(a.Stdout)
	}
}

// TestLocked: while the installer holds the lock, nothing is issued.
func TestLocked(t *testing.T) {
	s := newSite(t, 20, 700)
	wanted := s.run("requested")
	f, err := os.Create(filepath.Join(s.Root, "tmp/delegated_serial_command.lock"))
	s.must(err)
	defer f.Close()
	s.must(unix.Flock(int(f.Fd()), unix.LOCK_EX))
	a := s.run("issued", "requests", wanted.JSON["requests"], "timeout", 1).Failed(t, "timeout")
	if !strings.Contains(a.Msg(), "another process issues certificates") || s.Read("etc/etcd/ca/serial") != "03" {
		t.Error(a.Stdout)
	}
}

// TestKilledAnywhere kills before each change of a file; then the playbook runs again.
// A key with another's certificate is a connection that fails: etcd reads both anew at each one, and so does a master.
func TestKeyAndCertificateChangeTogether(t *testing.T) {
	s := newSite(t, 20, 700)
	requests := s.run("requested").JSON["requests"]
	args := s.args("installed", "certificates", s.run("issued", "requests", requests).JSON["certificates"])
	calls := killtest.Touches(t, moduletest.Command(t, args), s.Root)
	for _, purpose := range []string{"server", "peer"} {
		key := slices.Index(calls, "rename to etc/etcd/"+purpose+".key")
		if key < 0 || key+1 == len(calls) || calls[key+1] != "rename to etc/etcd/"+purpose+".crt" {
			t.Errorf("%s: the certificate does not follow the key at once: %q", purpose, calls)
		}
	}
}

func TestKilledAnywhere(t *testing.T) {
	for _, state := range []string{"requested", "issued", "installed"} {
		for n, killed := 0, true; killed; n++ {
			s := newSite(t, 20, 700)
			args := s.args(state)
			if state != "requested" {
				args["requests"] = s.run("requested").JSON["requests"]
			}
			if state == "installed" {
				args = s.args(state, "certificates", s.run("issued", "requests", args["requests"]).JSON["certificates"])
			}
			var changes []string
			changes, killed = killtest.Run(t, moduletest.Command(t, args), s.Root, n)
			if n == 0 && !killed {
				t.Fatalf("%s changes nothing: %v", state, changes)
			}
			s.renew()
			s.sound()
			if t.Failed() {
				t.Fatalf("%s, killed before %v", state, changes)
			}
		}
	}
}
