package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/killtest"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/membertest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("KEEP_TAIL_IN"); dir != "" { // the counterpart of TestReadingOnlyReads
		if _, err := member.KeepTail(context.Background(), dir, ""); err != nil {
			panic(err)
		}
		return
	}
	os.Exit(hosttest.Main(m))
}

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, rules) }

func dict(t *testing.T, a moduletest.Answer, key string) map[string]any {
	t.Helper()
	out, ok := a.JSON[key].(map[string]any)
	if !ok {
		t.Fatalf("%s is %v", key, a.JSON[key])
	}
	return out
}

func TestAUnitRunningAndStopped(t *testing.T) {
	h := hosttest.New(t)
	before := h.Tree()
	for _, check := range []bool{false, true} {
		a := moduletest.Run(t, h.Args("_ansible_check_mode", check, "backup_dir", t.TempDir())).OK(t, false)
		if a.JSON["runtime"] != "systemd" || a.JSON["state"] != "stopped" || a.JSON["joined"] != false {
			t.Errorf("%s", a.Stdout)
		}
		if dict(t, a, "member")["id"] != hosttest.MemberID || dict(t, a, "member")["cluster_id"] != hosttest.ClusterID {
			t.Errorf("%v", a.JSON["member"])
		}
		if dict(t, a, "backup_dir")["free_bytes"] == nil {
			t.Errorf("%v", a.JSON["backup_dir"])
		}
	}
	if h.Tree() != before {
		t.Error("it touched something")
	}
	h.Start()
	a := moduletest.Run(t, h.Args()).OK(t, false)
	if a.JSON["state"] != "running" || a.JSON["pid"] == nil {
		t.Errorf("%s", a.Stdout)
	}
}

// What a run that was killed has left here goes on: it is waited for, and named where it takes too long.
func TestAModuleThatGoesOn(t *testing.T) {
	h := hosttest.New(t)
	h.LeaveModule("etcd_host_info") // another look changes nothing
	if a := moduletest.Run(t, h.Args()).OK(t, false); a.JSON["warnings"] != nil || a.JSON["waited"] != false {
		t.Errorf("%v, waited %v", a.JSON["warnings"], a.JSON["waited"])
	}
	pid := h.LeaveModule("etcd_member")
	a := moduletest.Run(t, h.Args("timeout", 4)).OK(t, false)
	if said := fmt.Sprint(a.JSON["warnings"]); !strings.Contains(said, fmt.Sprintf("etcd_member (process %d)", pid)) {
		t.Errorf("%s", a.Stdout)
	}
	if a.JSON["state"] != "stopped" || a.JSON["waited"] != true {
		t.Errorf("it was not looked at, or does not say that it waited: %s", a.Stdout)
	}
}

func TestWithoutData(t *testing.T) {
	h := hosttest.New(t)
	h.Wipe()
	a := moduletest.Run(t, h.Args()).OK(t, false)
	if a.JSON["member"] != nil || a.JSON["log"] != nil || dict(t, a, "data_dir")["empty"] != true {
		t.Errorf("%s", a.Stdout)
	}
}

func TestAMemberThatLivesAndOneThatWasKilled(t *testing.T) {
	c := etcdtest.Start(t, 1)
	m := c.Members[0]
	m.Must(t, 3, "put", "secret-key", "secret-value")
	m.Must(t, 2, "set", "/old", "v2-value")
	a := moduletest.Run(t, m.Args(nil)).OK(t, false)
	live := dict(t, a, "live")
	if live["quorum"] != true || live["serves"] != true || a.JSON["version"] != "3.2.32" || a.JSON["members_from"] != "client" {
		t.Errorf("%s", a.Stdout)
	}
	m.Kill(t)
	b := moduletest.Run(t, m.Args(nil)).OK(t, false)
	if dict(t, b, "live")["serves"] != false || b.JSON["members_from"] != "files" || dict(t, b, "v2_data")["present"] != true {
		t.Errorf("%s", b.Stdout)
	}
	if dict(t, b, "member")["id"] != live["member_id"] || dict(t, b, "member")["name"] != m.Name {
		t.Errorf("%v, alive it was %v", b.JSON["member"], live)
	}
	for _, text := range []string{a.Stdout, b.Stdout} {
		if strings.Contains(text, "secret") || strings.Contains(text, "v2-value") || strings.Contains(text, "PRIVATE") {
			t.Error("a value or a key shows")
		}
	}
}

// TestCertificates: the public part of etcd.conf's files, both kinds of server.crt, and whether each is issued for the host's addresses.
func TestCertificates(t *testing.T) {
	for want, client := range map[string]bool{"[serverAuth]": false, "[serverAuth clientAuth]": true} {
		h := hosttest.New(t)
		pki := etcdtest.NewPKI(t)
		server, _ := pki.Issue(t, t.TempDir(), "server", client, "127.0.0.1")
		conf := strings.ReplaceAll(h.Read("etc/etcd/etcd.conf"), "http://", "https://")
		conf = strings.ReplaceAll(conf, h.Peer[len("http://"):], "192.0.2.11:2380")
		h.Write("etc/etcd/etcd.conf", conf+"ETCD_TRUSTED_CA_FILE="+pki.CA+"\nETCD_CERT_FILE="+server+"\nETCD_PEER_CERT_FILE="+server+"\n")
		h.Write("etc/etcd/ca/ca.key", "PRIVATE")
		a := moduletest.Run(t, h.Args()).OK(t, false)
		var got []string
		for _, each := range a.JSON["certificates"].([]any) {
			c := each.(map[string]any)
			got = append(got, fmt.Sprint(c["purpose"], c["position"], c["usages"], c["sans"], c["missing_hosts"], c["issuer"], c["expires_days"]))
		}
		wanted := []string{
			"ca1[] [] []CN=etcd-signer0",
			"server1" + want + " [127.0.0.1] []CN=etcd-signer0",
			"peer1" + want + " [127.0.0.1] [192.0.2.11]CN=etcd-signer0",
		}
		if !slices.Equal(got, wanted) || a.JSON["ca_key"] != true {
			t.Errorf("%q\n%q\n%s", got, wanted, a.Stdout)
		}
	}
}

// TestWhatPeopleShouldKnow: files that etcd would not use, and files that it could not read.
func TestWhatPeopleShouldKnow(t *testing.T) {
	const newest = "0000000000000002-0000000000000009.snap"
	for name, c := range map[string]struct {
		change       func(t *testing.T, m *membertest.Member, dir string)
		conf         func(string) string
		check, state string
		line         string
	}{
		"broken snapshot": {func(t *testing.T, m *membertest.Member, dir string) {
			m.Snaps[newest] = membertest.SnapFile(9, 2, "")[:300]
			m.WriteTo(t, dir)
		}, nil, "snapshots", "ignored", "1 .snap file(s) newer than the one in use cannot be used, the newest is " + newest},
		"wrong owner": {func(t *testing.T, m *membertest.Member, dir string) {
			m.WriteTo(t, dir)
			if err := os.Chown(dir, 995, 995); err != nil {
				t.Fatal(err)
			}
		}, nil, "data_owner", "failed", "could not read its own data"},
		"a new address": {func(t *testing.T, m *membertest.Member, dir string) { m.WriteTo(t, dir) },
			func(conf string) string {
				return conf + "ETCD_LISTEN_PEER_URLS=https://[::]:2380,https://192.0.2.13:2380\n"
			},
			"listen_address", "failed", "etcd is to listen on 192.0.2.13"},
	} {
		t.Run(name, func(t *testing.T) {
			h := hosttest.New(t)
			h.Wipe()
			c.change(t, membertest.AMember(membertest.Good()), h.DataDir)
			if c.conf != nil {
				h.Write("etc/etcd/etcd.conf", c.conf(h.Read("etc/etcd/etcd.conf")))
			}
			a := moduletest.Run(t, h.Args()).OK(t, false)
			if damage := dict(t, a, "log")["damage"]; damage != nil {
				t.Errorf("damage: %v", damage)
			}
			if got := checkOf(t, a, c.check); got["status"] != c.state || !strings.Contains(fmt.Sprint(got["line"]), c.line) || got["advice"] == nil {
				t.Errorf("%v", got)
			}
		})
	}
}

func checkOf(t *testing.T, a moduletest.Answer, name string) map[string]any {
	t.Helper()
	for _, each := range a.JSON["checks"].([]any) {
		if c := each.(map[string]any); c["name"] == name {
			return c
		}
	}
	t.Fatalf("no check %q in %s", name, a.Stdout)
	return nil
}

// TestReadingOnlyReads traces a whole run by the kernel: no file of the data directory is opened for writing, or locked.
func TestReadingOnlyReads(t *testing.T) {
	m := etcdtest.Start(t, 1).Members[0]
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = m.Etcdctl(t, 3, "put", "key", "value") // it does not matter how many of them succeed
			}
		}
	})
	reads(t, m)
	close(stop)
	writer.Wait()
	m.Kill(t)
	before := sumOf(t, m.DataDir)
	reads(t, m)
	if sumOf(t, m.DataDir) != before {
		t.Error("reading changed the data of a stopped member")
	}
	keep := exec.Command(os.Args[0])
	keep.Env = append(os.Environ(), "KEEP_TAIL_IN="+m.DataDir)
	if touches := strings.Join(killtest.Touches(t, keep, m.DataDir), "\n"); !strings.Contains(touches, "open for writing member/wal/") || !strings.Contains(touches, "lock member/wal/") {
		t.Errorf("the test's own condition does not hold: of what writes and locks, this is seen:\n%s", touches)
	}
}

func reads(t *testing.T, m *etcdtest.Member) {
	t.Helper()
	raw, err := json.Marshal(m.Args(nil))
	if err != nil {
		t.Fatal(err)
	}
	args, out := filepath.Join(t.TempDir(), "args.json"), filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(args, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(moduletest.Binary(t), args)
	file, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd.Stdout, cmd.Stderr = file, file
	if touches := killtest.Touches(t, cmd, m.DataDir); len(touches) > 0 {
		t.Errorf("it touches data: %q", touches)
	}
	text, err := os.ReadFile(out)
	if err != nil || !strings.Contains(string(text), `"last_index"`) || !strings.Contains(string(text), `"damage":null`) {
		t.Errorf("it was no whole reading: %v %s", err, text)
	}
}

// sumOf covers names, modes, times and contents.
func sumOf(t *testing.T, dir string) string {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		fmt.Fprintln(h, path, info.Mode(), info.ModTime())
		h.Write(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func TestBadInput(t *testing.T) {
	h := hosttest.New(t)
	for name, args := range map[string]map[string]any{
		"settle":  h.Args("settle", "long"),
		"unknown": h.Args("nothing", 1),
	} {
		if a := moduletest.Run(t, args).Failed(t, "invalid"); !strings.Contains(a.Msg(), name) {
			t.Errorf("%s: %s", name, a.Msg())
		}
	}
}

func TestAStaticPod(t *testing.T) {
	text, err := os.ReadFile("../internal/manifest/testdata/sorted.yaml")
	if err != nil {
		t.Fatal(err)
	}
	h := hosttest.New(t)
	h.Pod(string(text))
	before := h.Tree()
	a := moduletest.Run(t, h.Args()).OK(t, false)
	if a.JSON["runtime"] != "static_pod" || a.JSON["state"] != "running" || a.JSON["probe"] != "present" || a.JSON["node_service"] != "atomic-openshift-node.service active" {
		t.Errorf("%s", a.Stdout)
	}
	if h.Tree() != before {
		t.Error("it touched something")
	}
	for _, name := range []string{"manifest", "other_pods"} {
		if got := status(t, a, name); got != "ok" {
			t.Errorf("%s is %s: %s", name, got, a.Stdout)
		}
	}

	h.Write("etc/origin/node/pods-stopped/apiserver.yaml", "")
	h.Write("etc/origin/node/pods/etcd.yaml", strings.Replace(string(text), "  - hostPath", "\t- hostPath", 1))
	a = moduletest.Run(t, h.Args()).OK(t, false)
	for _, name := range []string{"manifest", "other_pods"} {
		if got := status(t, a, name); got != "failed" {
			t.Errorf("%s is %s: %s", name, got, a.Stdout)
		}
	}
	if a.JSON["runtime"] != "static_pod" {
		t.Errorf("%s", a.Stdout)
	}
}

// status is that of one check.
func status(t *testing.T, a moduletest.Answer, name string) any {
	t.Helper()
	checks, _ := a.JSON["checks"].([]any)
	for _, each := range checks {
		if c := each.(map[string]any); c["name"] == name {
			return c["status"]
		}
	}
	t.Fatalf("no check %s: %s", name, a.Stdout)
	return nil
}
