package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, ansible.Rules{}) }

const conf = `# as installed
ETCD_NAME=etcd-2.example.com
ETCD_DATA_DIR=%s
ETCD_LISTEN_PEER_URLS=https://192.0.2.13:2380
ETCD_LISTEN_CLIENT_URLS=https://192.0.2.13:2379,https://127.0.0.1:2379
ETCD_INITIAL_ADVERTISE_PEER_URLS=https://192.0.2.13:2380
ETCD_ADVERTISE_CLIENT_URLS="https://192.0.2.13:2379"
ETCD_INITIAL_CLUSTER=etcd-0.example.com=https://192.0.2.11:2380,etcd-2.example.com=https://192.0.2.13:2380
`

// moved is a host whose address is another than etcd.conf's, and the arguments that put it in.
func moved(t *testing.T) (h *hosttest.Host, args map[string]any, address string) {
	t.Helper()
	h = hosttest.New(t)
	h.Write("etc/etcd/etcd.conf", fmt.Sprintf(conf, h.DataDir))
	address = hosttest.OwnAddress(t)
	return h, h.Args("address", address), address
}

func TestCheckRunAgain(t *testing.T) {
	h, args, address := moved(t)
	before := h.Tree()
	args["_ansible_check_mode"], args["_ansible_diff"], args["backup"] = true, true, true
	args["listed"] = []string{"https://192.0.2.13:2380", "https://" + address + ":2380"}
	plan := moduletest.Run(t, args).OK(t, true)
	if h.Tree() != before {
		t.Fatalf("check mode wrote: %s", plan.Stdout)
	}
	delete(args, "_ansible_check_mode")
	a := moduletest.Run(t, args).OK(t, true)
	want := strings.ReplaceAll(fmt.Sprintf(conf, h.DataDir), "192.0.2.13", address)
	if diff := cmp.Diff(want, h.Read("etc/etcd/etcd.conf")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(plan.JSON["diff"], a.JSON["diff"]); diff != "" || plan.JSON["diff"] == nil {
		t.Errorf("check mode has another diff: %s", diff)
	}
	if got := fmt.Sprint(a.JSON["peer_urls"], a.JSON["client_urls"], a.JSON["leaves"], a.JSON["restart"]); got !=
		"[https://"+address+":2380] [https://"+address+":2379] [map[aliases:[] name:192.0.2.13]] true" {
		t.Error(got)
	}
	copied, _ := a.JSON["backup_file"].(string)
	if got := moduletest.Read(t, copied); got != fmt.Sprintf(conf, h.DataDir) {
		t.Errorf("the copy is not the file as it was:\n%s", got)
	}
	after := h.Tree()
	again := moduletest.Run(t, args).OK(t, false)
	if again.JSON["restart"] != true || h.Tree() != after {
		t.Errorf("a second run: %s", again.Stdout)
	}
}

// TestKeeps has what no address of this host stands in.
func TestKeeps(t *testing.T) {
	h, args, address := moved(t)
	text := strings.NewReplacer(
		"LISTEN_PEER_URLS=https://192.0.2.13:2380", "LISTEN_PEER_URLS=https://0.0.0.0:2380",
		"CLIENT_URLS=\"https://192.0.2.13:2379\"", "CLIENT_URLS=\"https://etcd-2.example.com:2379\"",
	).Replace(fmt.Sprintf(conf, h.DataDir))
	h.Write("etc/etcd/etcd.conf", text)
	moduletest.Run(t, args).OK(t, true)
	if diff := cmp.Diff(strings.ReplaceAll(text, "192.0.2.13", address), h.Read("etc/etcd/etcd.conf")); diff != "" {
		t.Error(diff)
	}
}

// TestRestart: a run that was killed before the restart is finished by the next one.
func TestRestart(t *testing.T) {
	h, args, address := moved(t)
	h.Write("etc/etcd/etcd.conf", listening(h))
	h.Start()
	for _, changed := range []bool{true, false} {
		if a := moduletest.Run(t, args).OK(t, changed); a.JSON["restart"] != true {
			t.Errorf("etcd runs with the old URLs: %s", a.Stdout)
		}
	}

	h, args, _ = moved(t)
	h.Write("etc/etcd/etcd.conf", strings.ReplaceAll(listening(h), "192.0.2.13", address))
	h.Start()
	if a := moduletest.Run(t, args).OK(t, false); a.JSON["restart"] != false {
		t.Errorf("etcd runs with these URLs: %s", a.Stdout)
	}
}

// listening has the stand-in's URLs, on loopback: only what it advertises tells the old address from the new.
func listening(h *hosttest.Host) string {
	return strings.NewReplacer("LISTEN_PEER_URLS=https://192.0.2.13:2380", "LISTEN_PEER_URLS="+h.Peer,
		"LISTEN_CLIENT_URLS=https://192.0.2.13:2379,https://127.0.0.1:2379", "LISTEN_CLIENT_URLS="+h.Client, `"`, "").
		Replace(fmt.Sprintf(conf, h.DataDir))
}

func TestRefuses(t *testing.T) {
	cases := map[string]struct {
		conf    func(string) string
		address string
		listed  string
		wrong   string
	}{
		"no address":              {nil, "etcd-2", "", "argument address: expected an address of this host"},
		"loopback":                {nil, "127.0.0.1", "", "argument address: expected an address of this host"},
		"an address it lacks":     {nil, "198.51.100.7", "", "this host does not have the address 198.51.100.7"},
		"no member's":             {func(string) string { return "ETCD_NAME=default\n" }, "", "", "is not a member's"},
		"two addresses":           {func(text string) string { return strings.Replace(text, "192.0.2.13:2379,", "192.0.2.99:2379,", 1) }, "", "", "several addresses"},
		"no URL":                  {nil, "", "192.0.2.13", "argument listed: expected URLs such as"},
		"no port":                 {func(text string) string { return strings.Replace(text, "192.0.2.13:2379,", "192.0.2.13,", 1) }, "", "", "expected URLs such as"},
		"nothing advertised":      {func(text string) string { return strings.Replace(text, "ETCD_ADVERTISE", "#", 1) }, "", "", "does not set ETCD_ADVERTISE_CLIENT_URLS"},
		"a line of another shell": {func(text string) string { return text + "export ETCD_DEBUG=true\n" }, "", "", "line 9"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h, args, _ := moved(t)
			if c.conf != nil {
				h.Write("etc/etcd/etcd.conf", c.conf(h.Read("etc/etcd/etcd.conf")))
			}
			if c.listed != "" {
				args["listed"] = c.listed
			}
			if c.address != "" {
				args["address"] = c.address
			}
			before := h.Tree()
			a := moduletest.Run(t, args)
			if !strings.Contains(a.Stdout, c.wrong) || a.JSON["failed"] != true || h.Tree() != before {
				t.Errorf("expected %q; got %s", c.wrong, a.Stdout)
			}
		})
	}
}
