package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/freeport"
	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, rules) }

// memberConf is a member's, with all that is the cluster's and some that is the host's.
func memberConf(h *hosttest.Host) string {
	return fmt.Sprintf(`# as installed
ETCD_NAME=etcd-0.example.com
ETCD_DATA_DIR=%s
ETCD_HEARTBEAT_INTERVAL=500
ETCD_LISTEN_PEER_URLS=https://192.0.2.11:2380
ETCD_LISTEN_CLIENT_URLS=https://192.0.2.11:2379,https://127.0.0.1:2379
ETCD_INITIAL_ADVERTISE_PEER_URLS=https://192.0.2.11:2380
ETCD_ADVERTISE_CLIENT_URLS=https://192.0.2.11:2379
ETCD_INITIAL_CLUSTER=etcd-0.example.com=https://192.0.2.11:2380,etcd-1.example.com=https://192.0.2.12:2380
ETCD_INITIAL_CLUSTER_STATE=new
ETCD_TRUSTED_CA_FILE=%[2]s/ca.crt
ETCD_PEER_TRUSTED_CA_FILE=%[2]s/ca.crt
ETCD_CERT_FILE=%[2]s/server.crt
`, h.DataDir, filepath.Dir(h.Conf))
}

const packageConf = "ETCD_NAME=\"default\"\nETCD_DATA_DIR=\"/var/lib/etcd/default.etcd\"\nETCD_LISTEN_CLIENT_URLS=\"http://localhost:2379\"\n"

// bare is a host with the package alone, and the arguments that make it ready.
func bare(t *testing.T) (*hosttest.Host, map[string]any) {
	t.Helper()
	h := hosttest.New(t)
	ca, err := os.ReadFile(etcdtest.NewPKI(t).CA)
	if err != nil {
		t.Fatal(err)
	}
	h.Write("etc/etcd/etcd.conf", memberConf(h))
	h.Write("etc/etcd/ca.crt", string(ca)+"-----BEGIN PRIVATE KEY-----\nMQ==\n-----END PRIVATE KEY-----\n")
	a := moduletest.Run(t, h.Args("state", "info")).OK(t, false)
	text, err := base64.StdEncoding.DecodeString(a.JSON["sibling"].(map[string]any)["ca_files"].([]any)[0].(map[string]any)["content"].(string))
	if err != nil || !strings.Contains(string(text), "BEGIN CERTIFICATE") || strings.Contains(string(text), "PRIVATE") {
		t.Fatalf("%s, %v", text, err)
	}
	h.Wipe()
	for _, path := range []string{"etc/etcd/ca.crt", "etc/etcd/etcd.conf"} {
		if err := os.Remove(filepath.Join(h.Root, path)); err != nil {
			t.Fatal(err)
		}
	}
	h.Write("etc/etcd/etcd.conf", packageConf)
	return h, h.Args("state", "present", "sibling", a.JSON["sibling"], "name", "etcd-3.example.com", "address", hosttest.OwnAddress(t))
}

func TestMakesReady(t *testing.T) {
	h, args := bare(t)
	h.Write("etc/etcd/server.crt", "old")
	before := h.Tree()
	args["_ansible_check_mode"], args["_ansible_diff"] = true, true
	plan := moduletest.Run(t, args).OK(t, true)
	if h.Tree() != before {
		t.Fatalf("check mode wrote: %s", plan.Stdout)
	}
	delete(args, "_ansible_check_mode")
	a := moduletest.Run(t, args).OK(t, true)
	ip := hosttest.OwnAddress(t)
	want := strings.NewReplacer("192.0.2.11", ip, "NAME=etcd-0.", "NAME=etcd-3.", "STATE=new", "STATE=existing",
		"etcd-0.example.com=https://192.0.2.11:2380,etcd-1.example.com=https://192.0.2.12:2380", "etcd-3.example.com=https://"+ip+":2380").Replace(memberConf(h))
	if got := h.Read("etc/etcd/etcd.conf"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if got := h.Read("etc/etcd/etcd.conf.before-new-host"); got != packageConf {
		t.Errorf("the package's file is not kept: %q", got)
	}
	if got := h.Read("etc/etcd/server.crt.before-new-host"); got != "old" || h.Exists("etc/etcd/server.crt") {
		t.Error("a certificate of an earlier life is not set aside")
	}
	if fmt.Sprint(a.JSON["lacks"]) != "["+filepath.Dir(h.Conf)+"/server.crt]" {
		t.Error(a.JSON["lacks"])
	}
	if !strings.Contains(h.Read("etc/etcd/ca.crt"), "BEGIN CERTIFICATE") || strings.Contains(a.Stdout, "PRIVATE") {
		t.Error(a.Stdout)
	}
	for path, mode := range map[string]os.FileMode{"etc/etcd": 0o700, "var/lib/etcd": 0o700, "etc/etcd/etcd.conf": 0o644, "etc/etcd/ca.crt": 0o600} {
		if info, err := os.Stat(filepath.Join(h.Root, path)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	diff := plan.JSON["diff"].([]any)[0].(map[string]any)["after"].(string)
	if !strings.Contains(diff, "ETCD_NAME=etcd-3.example.com\n") || strings.Contains(diff, "HEARTBEAT") {
		t.Error(diff)
	}
	if len(h.Calls()) > 0 {
		t.Error(h.Calls())
	}
	again := moduletest.Run(t, args).OK(t, false)
	if again.JSON["new"] != false || fmt.Sprint(again.JSON["names"]) != "[etcd-3.example.com "+ip+"]" {
		t.Error(again.Stdout)
	}
}

// A member's configuration is never replaced.
func TestLeavesAMember(t *testing.T) {
	h, args := bare(t)
	h.Write("etc/etcd/etcd.conf", memberConf(h))
	before := h.Tree()
	if a := moduletest.Run(t, args).OK(t, false); h.Tree() != before || a.JSON["new"] != false {
		t.Error(a.Stdout)
	}
}

func TestRefuses(t *testing.T) {
	conf := func(args map[string]any, change func(string) string) {
		s := args["sibling"].(map[string]any)
		text, err := base64.StdEncoding.DecodeString(s["conf"].(string))
		if err != nil {
			panic(err)
		}
		s["conf"] = base64.StdEncoding.EncodeToString([]byte(change(string(text))))
	}
	for name, c := range map[string]struct {
		change     func(h *hosttest.Host, args map[string]any)
		kind, says string
	}{
		"no sibling":             {func(_ *hosttest.Host, args map[string]any) { delete(args, "sibling") }, "invalid", "needs the arguments sibling and name"},
		"no name":                {func(_ *hosttest.Host, args map[string]any) { args["name"] = "a b" }, "invalid", `"a b"`},
		"a strange sibling":      {func(_ *hosttest.Host, args map[string]any) { args["sibling"] = map[string]any{"conf": "%"} }, "invalid", "base64"},
		"the sibling's name":     {func(_ *hosttest.Host, args map[string]any) { args["name"] = "etcd-0.example.com" }, "refused", "sibling's own ETCD_NAME"},
		"another host's address": {func(_ *hosttest.Host, args map[string]any) { args["address"] = "192.0.2.99" }, "refused", "does not have the address 192.0.2.99"},
		"loopback":               {func(_ *hosttest.Host, args map[string]any) { args["address"] = "127.0.0.1" }, "invalid", "127.0.0.1"},
		"data of a member":       {func(h *hosttest.Host, _ map[string]any) { h.Write("var/lib/etcd/member/snap/db", "x") }, "refused", "holds the data of a member"},
		"no unit": {func(h *hosttest.Host, _ map[string]any) {
			if err := os.Remove(filepath.Join(h.Root, "usr/lib/systemd/system/etcd.service")); err != nil {
				panic(err)
			}
		}, "refused", "yum install etcd"},
		"a kubelet": {func(h *hosttest.Host, _ map[string]any) {
			h.Write("etc/origin/node/pods/apiserver.yaml", "kind: Pod\n")
			if err := os.Remove(filepath.Join(h.Root, "usr/lib/systemd/system/etcd.service")); err != nil {
				panic(err)
			}
		}, "refused", "playbooks/openshift-node/scaleup.yml"},
		"no user": {func(h *hosttest.Host, _ map[string]any) { h.Write("fake/user", "nobody-of-that-name") }, "refused", "yum reinstall etcd"},
		"etcd runs": {func(h *hosttest.Host, _ map[string]any) {
			h.Write("etc/etcd/etcd.conf", fmt.Sprintf("ETCD_DATA_DIR=%s\nETCD_LISTEN_PEER_URLS=%s\nETCD_LISTEN_CLIENT_URLS=%s\n", h.DataDir, h.Peer, h.Client))
			h.Start()
		}, "refused", "etcd runs on this host"},
		"a log apart": {func(_ *hosttest.Host, args map[string]any) {
			conf(args, func(text string) string { return text + "ETCD_WAL_DIR=/wal\n" })
		}, "unsupported", "ETCD_WAL_DIR=/wal"},
		"a data directory that is not there": {func(h *hosttest.Host, args map[string]any) {
			conf(args, func(text string) string {
				return text + "ETCD_DATA_DIR=" + filepath.Join(h.Root, "etc/etcd.service.d") + "\n"
			})
		}, "refused", "no directory of etcd's user"},
		"another user's data directory": {func(h *hosttest.Host, args map[string]any) {
			dir := filepath.Join(h.Root, "spool")
			if err := errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, 12345, 12345)); err != nil {
				panic(err)
			}
			conf(args, func(text string) string { return text + "ETCD_DATA_DIR=" + dir + "\n" })
		}, "refused", "install -d -o "},
		"a key elsewhere": {func(h *hosttest.Host, args map[string]any) {
			conf(args, func(text string) string { return text + "ETCD_KEY_FILE=" + h.Write("etc/shadow", "root:x\n") + "\n" })
		}, "unsupported", "etc/shadow"},
		"plain HTTP": {func(_ *hosttest.Host, args map[string]any) {
			conf(args, func(text string) string { return strings.ReplaceAll(text, "https:", "http:") })
		}, "unsupported", "expected URLs such as https"},
		"two addresses": {func(_ *hosttest.Host, args map[string]any) {
			conf(args, func(text string) string {
				return strings.Replace(text, "ETCD_LISTEN_PEER_URLS=", "ETCD_LISTEN_PEER_URLS=https://198.51.100.1:2380,", 1)
			})
		}, "unsupported", "several addresses"},
	} {
		t.Run(name, func(t *testing.T) {
			h, args := bare(t)
			c.change(h, args)
			before := h.Tree()
			a := moduletest.Run(t, args).Failed(t, c.kind)
			if !strings.Contains(a.Stdout, c.says) || a.JSON["hint"] == nil && c.kind != "invalid" {
				t.Error(a.Stdout)
			}
			if h.Tree() != before {
				t.Error("it touched something")
			}
		})
	}
}

func TestInfoOfNoMember(t *testing.T) {
	h, _ := bare(t)
	moduletest.Run(t, h.Args("state", "info")).Failed(t, "refused")
}

// A port at which nobody listens yet is as good as an open one.
func TestReachable(t *testing.T) {
	closed := freeport.URL(t)
	moduletest.Run(t, map[string]any{"state": "reachable", "urls": []string{closed}}).OK(t, false)
	a := moduletest.Run(t, map[string]any{"state": "reachable", "urls": []string{closed, "https://255.255.255.255:2380"}}).Failed(t, "unreachable")
	if !strings.Contains(a.Msg(), "255.255.255.255:2380") || !strings.Contains(fmt.Sprint(a.JSON["hint"]), "--dport 2380 -j ACCEPT") {
		t.Error(a.Stdout)
	}
	moduletest.Run(t, map[string]any{"state": "reachable", "urls": []string{"nowhere"}}).Failed(t, "invalid")
}
