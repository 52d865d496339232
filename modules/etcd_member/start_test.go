package main

import (
	"slices"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

// joins is a host whose etcd.conf is written and whose data directory is empty, and what makes it a member of a real cluster of one.
func joins(t *testing.T) (*etcdtest.Member, *hosttest.Host, map[string]any) {
	t.Helper()
	survivor := etcdtest.Start(t, 1).Members[0]
	h := hosttest.New(t)
	h.Wipe()
	h.Write("etc/etcd/etcd.conf", strings.Replace(h.Read("etc/etcd/etcd.conf"), "STATE=new", "STATE=existing", 1))
	return survivor, h, h.Args("endpoints", survivor.ClientURL, "ca_cert", survivor.CA, "client_cert", survivor.Cert, "client_key", survivor.Key, "start", true)
}

// The stand-in for etcd does not join, but it runs and its peer port answers, which is what the module waits for.
func TestStartsWhatItAdds(t *testing.T) {
	survivor, h, args := joins(t)
	args["_ansible_check_mode"] = true
	moduletest.Run(t, args).OK(t, true)
	if running, _ := h.Running(); running || count(t, survivor) != 1 {
		t.Fatal("check mode has started or added it")
	}
	delete(args, "_ansible_check_mode")
	got := moduletest.Run(t, args).OK(t, true)
	if running, _ := h.Running(); !running || got.JSON["started"].(map[string]any)["peer_port"] != true {
		t.Fatalf("it was added and not started: %s", got.Stdout)
	}
	again := moduletest.Run(t, args).OK(t, false)
	if again.JSON["started"].(map[string]any)["already_running"] != true {
		t.Errorf("%s", again.Stdout)
	}
}

// An interrupted run has added the member: only the start is left.
func TestStartsWhatWasAddedBefore(t *testing.T) {
	_, h, args := joins(t)
	args["start"] = false
	moduletest.Run(t, args).OK(t, true)
	args["start"] = true
	moduletest.Run(t, args).OK(t, true)
	if !slices.Contains(h.Calls(), "start") {
		t.Errorf("calls: %v", h.Calls())
	}
}

// What would keep etcd from starting is reported before the list is changed: a listed member that does not run takes the quorum away.
func TestRefusesWhatCannotStart(t *testing.T) {
	survivor, h, args := joins(t)
	h.Write("etc/etcd/fenced.json", `{"when": "2026-01-01T00:00:00Z", "why": "test"}`)
	got := moduletest.Run(t, args).Failed(t, "refused")
	if !strings.Contains(got.Stdout, "fenced") || count(t, survivor) != 1 {
		t.Fatalf("%s", got.Stdout)
	}
	args["state"], args["id"] = "absent", "8e9e05c52164694d"
	moduletest.Run(t, args).Failed(t, "invalid")
}
