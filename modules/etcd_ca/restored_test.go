package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/killtest"
	"etcd-quorum-restore/modules/internal/moduletest"
	"etcd-quorum-restore/modules/internal/opensslca"
)

// lose moves the CA's directory, as the installer has it, to another place of the host.
func (s *site) lose(to string) {
	s.t.Helper()
	s.must(os.RemoveAll(s.path(to)))
	for name, text := range map[string]string{
		"certs/01.pem": string(opensslca.Encode(s.ca)), "index.txt": "V\t311127061107Z\t\t01\tunknown\t/CN=etcd-0.example.com\n", "index.txt.attr": "unique_subject = no\n",
		"serial": "02\n", "openssl.cnf": "[etcd_v3_ca_server]\n", "fragments/openssl.cnf": "[ca]\n",
	} {
		s.Write(filepath.Join("etc/etcd/ca", name), text)
	}
	s.Write(filepath.Join(to, "..", "kept"), "")
	s.must(os.Rename(s.path("etc/etcd/ca"), s.path(to)))
	s.must(os.Mkdir(s.path("etc/etcd/ca"), 0o700)) // the installer leaves an empty one on each member
	s.Write("backup/kept", "")
}

// pack replaces a directory by an archive of it, as tar makes it.
func (s *site) pack(dir, archive, prefix string) {
	s.t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	s.must(filepath.WalkDir(s.path(dir), func(at string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(at)
		s.must(err)
		name, err := filepath.Rel(s.path(dir), at)
		s.must(err)
		s.must(w.WriteHeader(&tar.Header{Name: prefix + name, Mode: 0o600, Size: int64(len(content))}))
		_, err = w.Write(content)
		return err
	}))
	s.must(w.Close())
	s.must(z.Close())
	s.must(os.RemoveAll(s.path(dir)))
	s.Write(archive, out.String())
}

func (s *site) otherKey() string {
	s.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(s.newKey())
	s.must(err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func (s *site) restored(pairs ...any) moduletest.Answer {
	s.t.Helper()
	return s.run("restored", append([]any{"search", []string{s.path("backup")}}, pairs...)...)
}

// signs checks that the directory is a CA's that can issue, and whose numbers were never used.
func (s *site) signs() {
	s.t.Helper()
	ca, err := opensslca.Open(s.t.Context(), s.path("etc/etcd/ca"), false)
	s.must(err)
	defer ca.Close()
	c, err := ca.Issue(opensslca.Subject{Names: []string{"etcd-3.example.com"}, Key: &s.newKey().PublicKey}, time.Now(), time.Now().Add(day))
	s.must(err)
	if err := c.CheckSignatureFrom(s.ca); err != nil || c.SerialNumber.BitLen() < 60 {
		s.t.Errorf("serial %s, %v", c.SerialNumber, err)
	}
	info, err := os.Stat(s.path("etc/etcd/ca/ca.key"))
	s.must(err)
	if info.Mode() != 0o600 {
		s.t.Error(info.Mode())
	}
}

func TestRestored(t *testing.T) {
	for name, hide := range map[string]func(*site){
		"a copy of /etc/etcd":     func(s *site) { s.lose("backup/etcd-config-20261101/etcd/ca") },
		"set aside in /etc/etcd":  func(s *site) { s.lose("etc/etcd/ca.old") },
		"the installer's archive": func(s *site) { s.lose("lost"); s.pack("lost", "etc/etcd/etcd_ca.tgz", "./") },
		"an archive of a redeploy": func(s *site) {
			s.lose("lost")
			s.pack("lost", "etc/etcd/etcd-ca-certificate-backup-1511.tgz", "etc/etcd/ca/")
		},
		"an archive in an archive": func(s *site) {
			s.lose("lost")
			s.pack("lost", "in/etcd_ca.tgz", "./")
			s.pack("in", "etc/etcd/etcd-generated-certificate-backup-1511.tgz", "generated_certs/")
		},
		"someone's own backup, packed": func(s *site) { s.lose("lost"); s.pack("lost", "backup/first-master/etc.tar.gz", "/etc/etcd/ca/") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, 700)
			hide(s)
			s.restored("_ansible_check_mode", true).OK(t, true)
			if s.Exists("etc/etcd/ca/ca.key") {
				t.Fatal("check mode has changed it")
			}
			a := s.restored("_ansible_diff", true).OK(t, true)
			if strings.Contains(a.Stdout, "PRIVATE KEY") || a.JSON["subject"] != "CN=etcd-signer@1511" {
				t.Error(a.Stdout)
			}
			for _, name := range []string{"openssl.cnf", "fragments/openssl.cnf", "certs/01.pem", "index.txt"} {
				if !s.Exists(filepath.Join("etc/etcd/ca", name)) {
					t.Errorf("no %s", name)
				}
			}
			s.restored().OK(t, false)
			s.signs()
		})
	}
}

// The copy is older than the CA's certificate, or knows less than another copy.
func TestRestoredFromTheBestCopy(t *testing.T) {
	s := newSite(t, 20)
	s.lose("backup/a/ca")
	s.must(os.CopyFS(s.path("backup/b/ca"), os.DirFS(s.path("backup/a/ca"))))
	s.Write("backup/b/ca/index.txt", s.Read("backup/a/ca/index.txt")+"V\t311127061107Z\t\t02\tunknown\t/CN=etcd-1.example.com\n")
	raw, err := os.ReadFile(s.path("backup/a/ca/ca.key"))
	s.must(err)
	s.must(os.CopyFS(s.path("etc/etcd/ca"), os.DirFS(s.path("backup/a/ca"))))
	s.run("trusted", "certificate", s.run("extended").OK(t, true).JSON["certificate"]).OK(t, true)
	extended := s.first("etc/etcd/ca/ca.crt")
	s.must(os.RemoveAll(s.path("etc/etcd/ca")))
	a := s.restored().OK(t, true)
	if from := a.JSON["from"]; from != s.path("backup/b/ca") || !s.first("etc/etcd/ca/ca.crt").Equal(extended) || !bytes.Equal(raw, []byte(s.Read("etc/etcd/ca/ca.key"))) {
		t.Error(a.Stdout)
	}
	s.signs()
}

// What is in the way and has no key is kept.
func TestRestoredBesideOldFiles(t *testing.T) {
	s := newSite(t, 700)
	s.lose("backup/ca")
	s.Write("etc/etcd/ca/ca.crt", "of another CA")
	a := s.restored().OK(t, true)
	aside := a.JSON["set_aside"].([]any)
	if len(aside) != 1 || s.Read(strings.TrimPrefix(aside[0].(string), s.Root+"/")+"/ca.crt") != "of another CA" {
		t.Error(a.Stdout)
	}
	s.signs()
}

func TestNoCopy(t *testing.T) {
	s := newSite(t, 700)
	s.lose("lost/ca")
	s.Write("backup/other/ca/ca.key", s.otherKey())
	s.Write("backup/other/ca/ca.crt", s.Read("lost/ca/ca.crt"))
	s.Write("backup/broken.tgz", "no archive")
	s.must(os.Symlink(s.path("lost"), s.path("backup/link")))
	before := s.Tree()
	a := s.restored().Failed(t, "refused")
	if !strings.Contains(a.Stdout, s.path("backup/broken.tgz")) || s.Tree() != before {
		t.Error(a.Stdout)
	}
}

// A key that is not of the CA in use is no reason to touch anything.
func TestAnotherKeyIsThere(t *testing.T) {
	s := newSite(t, 700)
	s.lose("backup/ca")
	s.Write("etc/etcd/ca/ca.key", s.otherKey())
	s.Write("etc/etcd/ca/ca.crt", s.Read("backup/ca/ca.crt"))
	s.restored().Failed(t, "refused")
}

func TestRestoredKilledAnywhere(t *testing.T) {
	for n, killed := 0, true; killed; n++ {
		s := newSite(t, 700)
		s.must(os.RemoveAll(s.path("etc/etcd/ca/certs")))
		s.lose("backup/ca")
		var changes []string
		changes, killed = killtest.Run(t, moduletest.Command(t, s.args("restored", "search", []string{s.path("backup")})), s.Root, n)
		if n == 0 && !killed {
			t.Fatalf("it changes nothing: %v", changes)
		}
		a := s.restored()
		if s.signs(); t.Failed() {
			t.Fatalf("killed before %v: %s", changes, a.Stdout)
		}
		left, err := os.ReadDir(s.path("etc/etcd"))
		s.must(err)
		if slices.ContainsFunc(left, func(e fs.DirEntry) bool { return strings.Contains(e.Name(), ".before-") }) {
			t.Fatalf("killed before %v: %v", changes, left)
		}
	}
}

// In check mode the copy is not put back, so what would be extended is the copy's certificate.
func TestExtendedOfACopyInCheckMode(t *testing.T) {
	s := newSite(t, 20)
	s.lose("backup/etcd/ca")
	search := []any{"search", []string{s.path("backup")}}
	a := s.run("extended", append(search, "_ansible_check_mode", true)...).OK(t, true)
	if a.JSON["due"] != true || a.JSON["from"] != s.path("backup/etcd/ca") {
		t.Error(a.Stdout)
	}
	s.run("extended", append(search, "_ansible_check_mode", true, "below_days", 5)...).OK(t, false)
	s.run("extended", search...).Failed(t, "invalid")
	s.must(os.RemoveAll(s.path("backup/etcd")))
	s.run("extended", append(search, "_ansible_check_mode", true)...).Failed(t, "invalid")
}
