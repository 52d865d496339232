package main

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/killtest"
	"etcd-quorum-restore/modules/internal/moduletest"
	"etcd-quorum-restore/modules/internal/opensslca"
)

// mover is one of several hosts in a test's root: each has an /etc/etcd of its own.
type mover struct {
	*site
	dir string
}

// movers are the host that has the CA, and another one of the same etcd.
func movers(t *testing.T) (from, to mover) {
	t.Helper()
	s := newSite(t, 700)
	from, to = mover{s, "etc/etcd"}, mover{s, "var/other/etcd"}
	for name, text := range map[string]string{
		"certs/01.pem": string(opensslca.Encode(s.ca)), "index.txt": "V\t311127061107Z\t\t01\tunknown\t/CN=etcd-0.example.com\n", "index.txt.attr": "unique_subject = no\n",
		"serial": "02\n", "openssl.cnf": "[etcd_v3_ca_server]\n", "fragments/openssl.cnf": "[ca]\n",
	} {
		from.write(filepath.Join("ca", name), text)
	}
	to.write("ca.crt", s.Read("etc/etcd/ca.crt"))
	to.write("etcd.conf", "ETCD_TRUSTED_CA_FILE="+to.at("ca.crt")+"\nETCD_PEER_TRUSTED_CA_FILE="+to.at("ca.crt")+"\n")
	s.must(os.Mkdir(to.at("ca"), 0o700))
	return from, to
}

func (m mover) at(name string) string { return m.path(filepath.Join(m.dir, name)) }

func (m mover) write(name, text string) { m.Write(filepath.Join(m.dir, name), text) }

func (m mover) read(name string) string { return m.Read(filepath.Join(m.dir, name)) }

func (m mover) exists(name string) bool { return m.Exists(filepath.Join(m.dir, name)) }

func (m mover) stepArgs(name string, pairs ...any) map[string]any {
	return m.args("moved", append([]any{"step", name, "ca_dir", m.at("ca"), "etcd_conf", m.at("etcd.conf")}, pairs...)...)
}

func (m mover) step(name string, pairs ...any) moduletest.Answer {
	m.t.Helper()
	return moduletest.Run(m.t, m.stepArgs(name, pairs...))
}

// steps runs all of them, as the playbooks do, and tells which have changed something.
func steps(t *testing.T, from, to mover, pairs ...any) (changed string) {
	t.Helper()
	var last moduletest.Answer
	for _, s := range []struct {
		on          mover
		name, takes string
	}{{from, "offer", ""}, {to, "ask", "offer"}, {from, "send", "to"}, {to, "receive", "sealed"}, {from, "leave", "arrived"}, {to, "take", "left"}} {
		args := pairs
		if s.takes != "" {
			args = append([]any{s.takes, last.JSON[s.takes]}, pairs...)
		}
		last = s.on.step(s.name, args...)
		if last.JSON["failed"] == true {
			t.Fatalf("%s: %s", s.name, last.Stdout)
		}
		if last.JSON["changed"] == true {
			changed += " " + s.name
		}
	}
	return changed
}

// arrived checks that one host has the CA as it was, and can issue the next number, and that the other has it aside.
func arrived(t *testing.T, from, to mover) {
	t.Helper()
	if from.exists("ca/ca.key") || to.exists("ca.arriving") || to.exists("ca.arriving.key") {
		t.Errorf("left over: %s", from.Tree())
	}
	aside, err := filepath.Glob(from.at("ca.moved-*"))
	from.must(err)
	if len(aside) != 1 {
		t.Fatalf("set aside: %v", aside)
	}
	out, err := exec.Command("diff", "-r", aside[0], to.at("ca")).CombinedOutput()
	if text := strings.TrimSpace(string(out)); text != "" && text != "Only in "+to.at("ca")+": crl" {
		t.Errorf("%s (%v)", out, err)
	}
	for name, mode := range map[string]os.FileMode{"ca.key": 0o600, "ca.crt": 0o644, "": os.ModeDir | 0o700} {
		info, err := os.Stat(to.at(filepath.Join("ca", name)))
		to.must(err)
		if info.Mode() != mode {
			t.Errorf("%s: %s", name, info.Mode())
		}
	}
	ca, err := opensslca.Open(t.Context(), to.at("ca"), false)
	to.must(err)
	defer ca.Close()
	c, err := ca.Issue(opensslca.Subject{Names: []string{"etcd-3.example.com"}, Key: &to.newKey().PublicKey}, time.Now(), time.Now().Add(day))
	to.must(err)
	if err := c.CheckSignatureFrom(from.ca); err != nil || opensslca.Serial(c) != "02" {
		t.Errorf("serial %s, %v", c.SerialNumber, err)
	}
}

func TestMoved(t *testing.T) {
	from, to := movers(t)
	before := from.Tree()
	if got := steps(t, from, to, "_ansible_check_mode", true, "_ansible_diff", true); got != " ask leave take" || from.Tree() != before {
		t.Errorf("check mode:%s", got)
	}
	if got := steps(t, from, to, "_ansible_diff", true); got != " ask receive leave take" {
		t.Errorf("changed:%s", got)
	}
	if got := steps(t, from, to); got != "" {
		t.Errorf("changed again:%s", got)
	}
	arrived(t, from, to)
}

// After openshift-ansible's redeploy-ca.yml each host of etcd has a directory with the key, and only the CA's goes on counting.
func TestMovedOverAnOlderCopy(t *testing.T) {
	from, to := movers(t)
	to.must(os.CopyFS(to.at("ca"), os.DirFS(from.at("ca"))))
	from.write("ca/serial", "02\n")
	to.write("ca/serial", "01")
	to.write("etcd_ca.tgz", "of that run")
	to.write("generated_certs/etcd-2.example.com.tgz", "of that run")
	steps(t, from, to)
	for _, name := range []string{"ca.before-*/serial", "etcd_ca.tgz.before-*", "generated_certs.before-*/etcd-2.example.com.tgz"} {
		aside, err := filepath.Glob(to.at(name))
		if err != nil || len(aside) != 1 {
			t.Errorf("%s: %v, %v", name, aside, err)
		}
	}
	arrived(t, from, to)
}

// What goes over the control node has neither the key's text nor its bytes.
func TestMovedShowsNoKey(t *testing.T) {
	from, to := movers(t)
	key := from.read("ca/ca.key")
	answers := from.step("offer").Stdout
	ask := to.step("ask", "offer", from.step("offer").JSON["offer"]).OK(t, true)
	send := from.step("send", "to", ask.JSON["to"]).OK(t, false)
	answers += ask.Stdout + send.Stdout
	raw, err := base64.StdEncoding.DecodeString(send.JSON["sealed"].(string))
	from.must(err)
	for _, part := range strings.Fields(key) {
		if len(part) > 20 && strings.Contains(answers+string(raw), part) || strings.Contains(answers+string(raw), "PRIVATE KEY") {
			t.Errorf("%s is in the clear", part)
		}
	}
	info, err := os.Stat(to.at("ca.arriving.key"))
	to.must(err)
	if info.Mode() != 0o600 {
		t.Error(info.Mode())
	}
}

// A certificate that is issued between sending and leaving is not lost: the old host stays the CA's, and the next run takes it along.
func TestMovedWhileSomebodyIssues(t *testing.T) {
	from, to := movers(t)
	ask := to.step("ask", "offer", from.step("offer").JSON["offer"])
	receive := to.step("receive", "sealed", from.step("send", "to", ask.JSON["to"]).JSON["sealed"]).OK(t, true)
	from.write("ca/index.txt", from.read("ca/index.txt")+"V\t311127061107Z\t\t0A\tunknown\t/CN=etcd-1.example.com\n")
	before := from.Tree()
	from.step("leave", "arrived", receive.JSON["arrived"]).Failed(t, "refused")
	if from.Tree() != before {
		t.Error("it has changed")
	}
	to.step("take", "left", from.step("offer").JSON["offer"]).Failed(t, "refused")
	if got := steps(t, from, to); got != " ask receive leave take" {
		t.Errorf("changed:%s", got)
	}
	arrived(t, from, to)
}

func TestMovedRefusals(t *testing.T) {
	from, to := movers(t)
	ask := to.step("ask", "offer", from.step("offer").JSON["offer"])
	sealed := from.step("send", "to", ask.JSON["to"]).JSON["sealed"].(string)
	foreign := mover{from.site, "var/foreign"}
	from.must(os.CopyFS(foreign.at("ca"), os.DirFS(from.at("ca"))))
	foreign.write("ca/ca.key", from.otherKey())
	foreign.write("etcd.conf", "")
	renewing := mover{from.site, "var/renewing"}
	renewing.write("ca.renewal/ca.key", from.otherKey())
	before := from.Tree()
	for name, a := range map[string]struct {
		answer moduletest.Answer
		kind   string
	}{
		"no step":                 {from.run("moved"), "invalid"},
		"no public key":           {from.step("send", "to", "AAAA"), "invalid"},
		"nothing arrived":         {from.step("leave"), "refused"},
		"another's arrived":       {from.step("leave", "arrived", "00"), "refused"},
		"not base64":              {to.step("receive", "sealed", "%"), "invalid"},
		"changed on its way":      {to.step("receive", "sealed", "AAAA"+sealed[4:]), "refused"},
		"a CA that nobody trusts": {to.step("receive", "sealed", foreign.step("send", "to", ask.JSON["to"]).JSON["sealed"]), "refused"},
		"nothing to take":         {to.step("take"), "refused"},
		"never asked":             {foreign.step("receive", "sealed", sealed), "refused"},
		"another CA in its way":   {renewing.step("offer"), "invalid"},
	} {
		t.Run(name, func(t *testing.T) { a.answer.Failed(t, a.kind) })
	}
	if from.Tree() != before {
		t.Error("it has changed something")
	}
}

func TestMovedWhileRenewed(t *testing.T) {
	from, _ := movers(t)
	from.run("renewed").OK(t, true)
	from.step("offer").Failed(t, "refused")
}

// What stays behind is said, and is set aside with the rest.
func TestMovedLeavesLinksBehind(t *testing.T) {
	from, to := movers(t)
	from.must(os.Symlink("/etc/hostname", from.at("ca/link")))
	from.write("ca/certs/old/01.pem", "deep")
	ask := to.step("ask", "offer", from.step("offer").JSON["offer"])
	if a := from.step("send", "to", ask.JSON["to"]).OK(t, false); !strings.Contains(a.Stdout, "certs/old, link") {
		t.Error(a.JSON["warnings"])
	}
}

// Killed before any change of any step: run again, it finishes, and at no time do both hosts have a CA.
func TestMovedKilledAnywhere(t *testing.T) {
	for at := range 4 {
		for n, killed := 0, true; killed; n++ {
			from, to := movers(t)
			var pairs []any
			var changes []string
			for i, s := range []struct {
				on          mover
				name, gives string
			}{{to, "ask", "to"}, {to, "receive", "arrived"}, {from, "leave", "left"}, {to, "take", ""}} {
				switch i {
				case 0:
					pairs = []any{"offer", from.step("offer").JSON["offer"]}
				case 1:
					pairs = []any{"sealed", from.step("send", pairs...).JSON["sealed"]}
				}
				if i == at {
					changes, killed = killtest.Run(t, moduletest.Command(t, s.on.stepArgs(s.name, pairs...)), from.Root, n)
					break
				}
				pairs = []any{s.gives, s.on.step(s.name, pairs...).OK(t, true).JSON[s.gives]}
			}
			if from.exists("ca/ca.key") && to.exists("ca/ca.key") {
				t.Fatalf("step %d, killed before %v: two hosts have the CA", at, changes)
			}
			steps(t, from, to)
			if arrived(t, from, to); t.Failed() {
				t.Fatalf("step %d, killed before %v", at, changes)
			}
		}
	}
}

// The old host has set it aside, and is gone before the receiver has given it its place: what has arrived is a copy as any other, and nothing is left over.
func TestMovedThenRestored(t *testing.T) {
	from, to := movers(t)
	ask := to.step("ask", "offer", from.step("offer").JSON["offer"])
	to.step("receive", "sealed", from.step("send", "to", ask.JSON["to"]).JSON["sealed"]).OK(t, true)
	a := moduletest.Run(t, to.args("restored", "search", []string{}, "ca_dir", to.at("ca"), "etcd_conf", to.at("etcd.conf"))).OK(t, true)
	if a.JSON["from"] != to.at("ca.arriving") || to.exists("ca.arriving") || to.exists("ca.arriving.key") || !to.exists("ca/certs/01.pem") || to.read("ca/serial") == "02\n" {
		t.Error(a.Stdout, to.Tree())
	}
	if _, err := opensslca.Open(t.Context(), to.at("ca"), false); err != nil {
		t.Error(err)
	}
}
