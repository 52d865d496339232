package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/etcdconf"
	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/killtest"
	"etcd-quorum-restore/modules/internal/moduletest"
	"etcd-quorum-restore/modules/internal/opensslca"
	"etcd-quorum-restore/modules/internal/root"
	"etcd-quorum-restore/modules/internal/rotation"
)

// rolled is a cluster of etcd 3.2.32 whose first member's host leads the rotation.
type rolled struct {
	t *testing.T
	*etcdtest.Cluster
	dir string
}

func newRolled(t *testing.T) *rolled {
	t.Helper()
	c := etcdtest.Start(t, 3)
	if err := os.MkdirAll(filepath.Join(root.Dir, "tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	r := &rolled{t, c, c.PKI.Directory(t)}
	for _, m := range c.Members { // each has a file of its own, as on hosts
		own := filepath.Join(filepath.Dir(m.Conf), m.Name+"-ca.crt")
		r.write(own, r.read(m.CA))
		r.write(m.Conf, strings.ReplaceAll(r.read(m.Conf), m.CA, own))
		m.CA = own
		m.Stop(t)
		m.Start(t)
		m.WaitHealthy(t)
	}
	return r
}

func (r *rolled) read(path string) string {
	r.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

func (r *rolled) write(path, text string) {
	r.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rolled) run(m *etcdtest.Member, state string, pairs ...any) moduletest.Answer {
	r.t.Helper()
	args := map[string]any{"state": state, "etcd_conf": m.Conf, "ca_dir": r.dir, "timeout": 30, "master_config": "/nonexistent/x", "flannel_file": "/nonexistent/y"}
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i].(string)] = pairs[i+1]
	}
	return moduletest.Run(r.t, args)
}

func (r *rolled) reach(stage string) moduletest.Answer {
	r.t.Helper()
	hosts := map[string]any{}
	for _, m := range r.Members {
		hosts[m.Name] = r.run(m, "readers").OK(r.t, false).JSON
	}
	return r.run(r.Members[0], "renewed", "reach", stage, "hosts", hosts)
}

func (r *rolled) restart(m *etcdtest.Member) {
	r.t.Helper()
	m.Stop(r.t)
	m.Start(r.t)
	m.WaitHealthy(r.t)
	r.run(m, "loaded", "readers", []string{"etcd"}).OK(r.t, true)
}

// TestRotation takes a running cluster through all stages: each is refused until the last member is done with it, by what it runs with, not by
// what its files say.
func TestRotation(t *testing.T) {
	r := newRolled(t)
	first, last := r.Members[0], r.Members[2]
	begun := r.run(first, "renewed", "older_than", 0, "_ansible_diff", true).OK(t, true)
	given := []any{"certificate", begun.JSON["certificate"], "old", begun.JSON["old"]}
	if again := r.run(first, "renewed").OK(t, false); again.JSON["certificate"] != begun.JSON["certificate"] || again.JSON["stage"] != "trust" {
		t.Error(again.Stdout)
	}
	r.reach("issue").Failed(t, "refused")
	for _, m := range r.Members {
		r.run(m, "trusted", given...).OK(t, true)
		if m != last {
			r.restart(m)
		}
	}
	r.reach("issue").Failed(t, "refused")
	mark := last.CA + ".restart-etcd"
	text := r.read(mark)
	if err := os.Remove(mark); err != nil { // somebody takes the mark away, and etcd has still the old file
		t.Fatal(err)
	}
	if a := r.reach("issue").Failed(t, "refused"); !strings.Contains(a.Msg(), last.PeerURL+" does not answer a certificate of the new CA") {
		t.Error(a.Msg())
	}
	r.write(mark, text)
	r.restart(last)
	if a := r.reach("issue").OK(t, true); len(a.JSON["set_aside"].([]any)) == 0 {
		t.Error(a.Stdout)
	}
	r.reach("clients").Failed(t, "refused")
	for _, m := range r.Members {
		r.run(m, "dropped", append(given, "readers", []string{"etcd"})...).Failed(t, "refused")
		r.leaf(m)
	}
	r.reach("clients").OK(t, true)
	r.reach("members").OK(t, true)
	r.reach("done").Failed(t, "refused")
	for _, m := range r.Members {
		r.run(m, "dropped", append(given, "readers", []string{"etcd"})...).OK(t, true)
		if m != last {
			r.restart(m)
		}
	}
	if err := os.Remove(mark); err != nil {
		t.Fatal(err)
	}
	if a := r.reach("done").Failed(t, "refused"); !strings.Contains(a.Msg(), last.ClientURL+" still answers a certificate of the old CA") {
		t.Error(a.Msg())
	}
	r.write(mark, text)
	r.restart(last)
	r.reach("done").OK(t, true)
	r.reach("done").OK(t, false)
	if again := r.run(first, "renewed").OK(t, false); again.JSON["stage"] != "done" {
		t.Error("a CA of today was renewed: " + again.Stdout)
	}
	first.Must(t, 3, "put", "after", "all")
}

// leaf gives a member certificates of the CA that signs now, as a playbook does with etcd_certificates, whose tests are its own.
func (r *rolled) leaf(m *etcdtest.Member) {
	r.t.Helper()
	ca, err := opensslca.Open(r.t.Context(), r.dir, false)
	must(r.t, err)
	defer ca.Close()
	conf, err := etcdconf.Read(m.Conf)
	must(r.t, err)
	for _, prefix := range []string{"ETCD_", "ETCD_PEER_"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(r.t, err)
		c, err := ca.Issue(opensslca.Subject{Names: []string{m.Name, m.IP, "127.0.0.1"}, Key: &key.PublicKey}, time.Now(), time.Now().Add(day))
		must(r.t, err)
		der, err := x509.MarshalPKCS8PrivateKey(key)
		must(r.t, err)
		r.write(conf.Get(prefix+"KEY_FILE"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
		r.write(conf.Get(prefix+"CERT_FILE"), string(opensslca.Encode(c)))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestRotationKilled: after a kill at any change, the same call begins, or goes on, and there is one new CA.
func TestRotationKilled(t *testing.T) {
	for n, killed := 0, true; killed; n++ {
		s := newSite(t, 400)
		s.Write("etc/etcd/generated_certs/etcd-HOST/server.crt", "stale")
		var changes []string
		changes, killed = killtest.Run(t, moduletest.Command(t, s.args("renewed")), s.Root, n)
		if n == 0 && !killed {
			t.Fatalf("it changes nothing: %v", changes)
		}
		a := s.run("renewed")
		if a.JSON["stage"] != "trust" || !s.first("etc/etcd/ca/ca.crt").Equal(s.ca) {
			t.Fatalf("killed before %v: %s", changes, a.Stdout)
		}
		r, err := rotation.Read(s.path("etc/etcd/ca"))
		s.must(err)
		if got := r.Old; len(got) != 1 || !got[0].Equal(s.ca) {
			t.Fatalf("killed before %v: %v", changes, got)
		}
	}
}

// A move of the directory that was killed after any of its renames is finished by the next run.
func TestSwapKilled(t *testing.T) {
	for n := range 4 {
		s := newSite(t, 400)
		s.Write("etc/etcd/generated_certs/etcd-HOST/server.crt", "stale")
		s.run("renewed").OK(t, true)
		for i, name := range []string{"generated_certs", "ca"} {
			if i < n {
				s.must(os.Rename(s.path("etc/etcd/"+name), s.path("etc/etcd/"+name+".before-then")))
			}
		}
		if n == 3 {
			s.must(os.Rename(s.path("etc/etcd/ca.renewal"), s.path("etc/etcd/ca")))
		}
		r, err := rotation.Read(s.path("etc/etcd/ca"))
		s.must(err)
		if r.Stage == rotation.Trust && n < 3 {
			_, err = r.Advance(t.Context(), time.Now())
			s.must(err)
		}
		ca, err := opensslca.Open(t.Context(), s.path("etc/etcd/ca"), false)
		s.must(err)
		ca.Close()
		if names, _ := filepath.Glob(s.path("etc/etcd/*.before-*")); ca.Cert.Equal(s.ca) || len(names) != 2 {
			t.Fatalf("after %d renames: %v", n, names)
		}
	}
}

func TestBadRotation(t *testing.T) {
	s := newSite(t, 400)
	s.run("renewed", "reach", "done").OK(t, false)
	s.run("renewed", "_ansible_check_mode", true).OK(t, true)
	if got, _ := filepath.Glob(s.path("etc/etcd/ca.renewal")); len(got) > 0 {
		t.Fatal("check mode has made it")
	}
	s.run("renewed").OK(t, true)
	for name, c := range map[string]struct {
		pairs []any
		kind  string
	}{
		"no hosts":     {[]any{"reach", "issue"}, "invalid"},
		"one too far":  {[]any{"reach", "members"}, "refused"},
		"no such":      {[]any{"reach", "all"}, "invalid"},
		"out of reach": {[]any{"reach", "issue", "hosts", map[string]any{"m": map[string]any{"unreachable": true, "changed": false, "msg": "ssh"}}}, "refused"},
	} {
		if a := s.run("renewed", c.pairs...); a.JSON["kind"] != c.kind {
			t.Errorf("%s: %s", name, a.Stdout)
		}
	}
	s.run("dropped", "certificate", s.run("info").JSON["certificate"], "readers", []string{"etcd"}).Failed(t, "invalid")
	s.Write("etc/etcd/ca.renewal/renewal.json", "{")
	s.run("renewed").Failed(t, "invalid")
}

// The key is lost: what is left of the CA is its certificate, as members have it.
func TestLostKey(t *testing.T) {
	s := newSite(t, 400)
	s.must(os.RemoveAll(s.path("etc/etcd/ca")))
	key := s.newKey()
	ca := s.sign("etcd-signer@1511", 78, 400, nil, key)
	s.ca = ca
	s.Write("etc/etcd/ca.crt", string(opensslca.Encode(ca)))
	s.Write("etc/etcd/server.crt", string(opensslca.Encode(s.sign("m", 2, 300, s.newKey(), key))))
	s.Write("etc/etcd/etcd.conf", s.Read("etc/etcd/etcd.conf")+"ETCD_CERT_FILE="+s.path("etc/etcd/server.crt")+"\n")
	a := s.run("renewed").OK(t, true)
	var old []string
	raw, err := json.Marshal(a.JSON["old"])
	s.must(err)
	s.must(json.Unmarshal(raw, &old))
	if !slices.Equal(old, rotation.Encode([]*x509.Certificate{ca})) || strings.Contains(a.Stdout, "PRIVATE KEY") {
		t.Error(a.Stdout)
	}
	st, err := os.Stat(s.path("etc/etcd/ca.renewal/ca.key"))
	s.must(err)
	if st.Mode().Perm() != 0o600 {
		t.Error(st.Mode())
	}
}
