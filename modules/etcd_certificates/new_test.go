package main

import (
	"os"
	"testing"

	"etcd-quorum-restore/modules/internal/killtest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

// bare is a host with etcd.conf and the CA's file, and no certificate.
func bare(t *testing.T) *site {
	t.Helper()
	s := newSite(t, 400, 700)
	s.chown("") // by etcd_new_host
	for _, name := range []string{"server.crt", "server.key", "peer.crt", "peer.key"} {
		s.must(os.Remove(s.path(name)))
	}
	return s
}

func (s *site) renewNew() [3]bool {
	s.t.Helper()
	wanted := s.run("requested", "new", true)
	signed := s.run("issued", "requests", wanted.JSON["requests"])
	done := s.run("installed", "certificates", signed.JSON["certificates"], "new", true)
	return [3]bool{wanted.Code == 0 && wanted.JSON["changed"] == true, signed.Code == 0 && signed.JSON["changed"] == true, done.Code == 0 && done.JSON["changed"] == true}
}

func TestNewHost(t *testing.T) {
	s := bare(t)
	before := s.Tree()
	s.run("requested").Failed(t, "invalid") // not without the option: a member has lost its certificate
	args := s.args("requested", "new", true)
	args["_ansible_check_mode"] = true
	moduletest.Run(t, args).OK(t, true)
	if s.Tree() != before {
		t.Error("check mode wrote")
	}
	if got := s.renewNew(); got != [3]bool{true, true, true} {
		t.Error(got)
	}
	s.sound()
	for _, name := range []string{"server.key", "peer.key", "server.crt", "peer.crt"} {
		if info, err := os.Stat(s.path(name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if got := s.renewNew(); got != [3]bool{} {
		t.Error("a second run changes something:", got)
	}
}

// What is left of another life is set aside: the certificate of another CA, and one whose key is not here.
func TestNewHostWithOldFiles(t *testing.T) {
	for name, change := range map[string]func(s *site){
		"another CA":    func(s *site) { newSiteCA(s) },
		"another key":   func(s *site) { s.newKey("peer.key"); s.newKey("server.key") },
		"a missing key": func(s *site) { s.must(os.Remove(s.path("server.key"))); s.must(os.Remove(s.path("peer.key"))) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, 400, 700)
			change(s)
			s.chown("")
			if got := s.renewNew(); got != [3]bool{true, true, true} {
				t.Error(got)
			}
			s.sound()
		})
	}
}

// newSiteCA replaces the certificates by those of another site.
func newSiteCA(s *site) {
	other := map[string]string{}
	o := newSite(s.t, 400, 700)
	for _, name := range []string{"server.crt", "server.key", "peer.crt", "peer.key"} {
		other[name] = o.Read("etc/etcd/" + name)
	}
	*s = *newSite(s.t, 400, 700)
	for name, text := range other {
		s.Write("etc/etcd/"+name, text)
	}
}

func TestNewHostKilledAnywhere(t *testing.T) {
	for _, state := range []string{"requested", "installed"} {
		for n, killed := 0, true; killed; n++ {
			s := bare(t)
			args := s.args(state, "new", true)
			if state == "installed" {
				r := s.run("requested", "new", true).JSON["requests"]
				args = s.args(state, "new", true, "certificates", s.run("issued", "requests", r).JSON["certificates"])
			}
			var changes []string
			changes, killed = killtest.Run(t, moduletest.Command(t, args), s.Root, n)
			if n == 0 && !killed {
				t.Fatalf("%s changes nothing: %v", state, changes)
			}
			s.renewNew()
			s.sound()
			if t.Failed() {
				t.Fatalf("%s, killed before %v", state, changes)
			}
		}
	}
}
