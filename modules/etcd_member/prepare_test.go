package main

import (
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

// fenced is a host that joins gives, as stage.yml leaves it: fenced, without data, with the installer's etcd.conf.
func fenced(t *testing.T) (*etcdtest.Member, *hosttest.Host, map[string]any) {
	t.Helper()
	survivor, h, args := joins(t)
	h.Write("etc/etcd/etcd.conf", strings.Replace(h.Read("etc/etcd/etcd.conf"), "STATE=existing", "STATE=new", 1))
	h.Write("etc/etcd/fenced.json", `{"when": "2026-01-01T00:00:00Z", "why": "test", "kind": "joining"}`)
	delete(args, "start")
	args["state"], args["data_gone"] = "prepared", true
	return survivor, h, args
}

func TestPrepares(t *testing.T) {
	survivor, h, args := fenced(t)
	before := h.Tree()
	args["_ansible_check_mode"], args["_ansible_diff"] = true, true
	plan := moduletest.Run(t, args).OK(t, true)
	if h.Tree() != before {
		t.Fatalf("check mode wrote: %s", plan.Stdout)
	}
	delete(args, "_ansible_check_mode")
	got := moduletest.Run(t, args).OK(t, true)
	list := "ETCD_INITIAL_CLUSTER=m0=" + h.Peer + "," + survivor.Name + "=" + survivor.PeerURL + "\n"
	if conf := h.Read("etc/etcd/etcd.conf"); !strings.Contains(conf, list) || !strings.Contains(conf, "STATE=existing\n") || h.Exists("etc/etcd/fenced.json") {
		t.Fatalf("%s\n%s", conf, got.Stdout)
	}
	diff := got.JSON["diff"].([]any)
	if len(diff) != 1 || diff[0].(map[string]any)["after_header"] != h.Conf || !strings.Contains(diff[0].(map[string]any)["after"].(string), list) {
		t.Errorf("%v", diff)
	}
	if running, _ := h.Running(); running || count(t, survivor) != 1 {
		t.Error("it was started, or added")
	}
	moduletest.Run(t, args).OK(t, false)

	args["state"], args["start"] = "present", true
	moduletest.Run(t, args).OK(t, true)
	if running, _ := h.Running(); !running {
		t.Error("what was prepared does not start")
	}
}

// Refused as a whole: neither etcd.conf nor the fence may be half done.
func TestPreparesNothingOfAHostThatMayNotJoin(t *testing.T) {
	for name, c := range map[string]struct {
		prepare    func(*hosttest.Host, map[string]any)
		kind, says string
	}{
		"data in place":  {func(h *hosttest.Host, _ map[string]any) { h.Write("var/lib/etcd/member/snap/db", "x") }, "refused", "holds the data of"},
		"a forced start": {func(h *hosttest.Host, _ map[string]any) { h.Write("etc/etcd/forcing.json", "{}") }, "refused", "forced start"},
		"another name": {func(_ *hosttest.Host, args map[string]any) {
			args["name"], args["peer_urls"] = "x", "https://127.0.0.1:9"
		}, "refused", "own member, m0"},
		"an odd line": {func(h *hosttest.Host, _ map[string]any) {
			h.Write("etc/etcd/etcd.conf", h.Read("etc/etcd/etcd.conf")+"ETCD_X=a $b\n")
		}, "invalid", "ETCD_X"},
		"no member that answers": {func(_ *hosttest.Host, args map[string]any) { args["endpoints"] = "https://127.0.0.1:1" }, "unreachable", "no member answers"},
		"a start":                {func(_ *hosttest.Host, args map[string]any) { args["start"] = true }, "invalid", "start is for state=present"},
	} {
		t.Run(name, func(t *testing.T) {
			survivor, h, args := fenced(t)
			c.prepare(h, args)
			before := h.Tree()
			got := moduletest.Run(t, args).Failed(t, c.kind)
			if !strings.Contains(got.Stdout, c.says) || h.Tree() != before || count(t, survivor) != 1 {
				t.Errorf("%s", got.Stdout)
			}
		})
	}
}
