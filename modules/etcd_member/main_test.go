package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, rules) }

func TestBadInput(t *testing.T) {
	for name, c := range map[string]struct {
		args map[string]any
		says string
	}{
		"absent without a member": {map[string]any{"state": "absent"}, "never guessed"},
		"ID as a number":          {map[string]any{"id": 165201190, "peer_urls": "https://x:1"}, "quote it"},
		"ID that is none":         {map[string]any{"id": "master-0", "peer_urls": "https://x:1"}, "no member ID"},
		"peer URL without scheme": {map[string]any{"name": "x", "peer_urls": "x:2380"}, "no URL"},
		"URLs without name":       {map[string]any{"peer_urls": "https://x:2380"}, "name is not given"},
		"nothing known":           {map[string]any{}, "peer_urls is not given"},
		"timeout":                 {map[string]any{"name": "x", "timeout": 0}, "argument timeout"},
		"api":                     {map[string]any{"api": "v4"}, "v4"},
	} {
		t.Run(name, func(t *testing.T) {
			c.args["etcd_conf"] = moduletest.EmptyConf(t)
			c.args["endpoints"] = "https://127.0.0.1:1"
			answer := moduletest.Run(t, c.args).Failed(t, "invalid")
			if !strings.Contains(answer.Msg(), c.says) {
				t.Errorf("%q does not say %q", answer.Msg(), c.says)
			}
		})
	}
}

// joiner is a host beside a cluster of one: etcd.conf as the installer left it, no data.
func joiner(t *testing.T) (survivor, joining *etcdtest.Member) {
	t.Helper()
	cluster := etcdtest.Start(t, 1)
	survivor = cluster.Members[0]
	joining = cluster.Add(t, "etcd-1.example.com", "")
	joining.Configure(t, survivor.Name+"="+survivor.PeerURL+","+joining.Name+"="+joining.PeerURL, "new")
	return survivor, joining
}

func count(t *testing.T, m *etcdtest.Member) int {
	t.Helper()
	m.WaitHealthy(t) // an election may be going on
	return strings.Count(m.Must(t, 2, "member", "list"), "peerURLs=")
}

// From one member to two: check mode, the add, the same again while the cluster has no quorum, and the start that heals it.
func TestJoin(t *testing.T) {
	survivor, joining := joiner(t)
	args := joining.Args(map[string]any{"endpoints": survivor.ClientURL})
	check := joining.Args(map[string]any{"endpoints": survivor.ClientURL, "_ansible_check_mode": true, "_ansible_diff": true})
	want := map[string]any{
		"ETCD_NAME":                  joining.Name,
		"ETCD_INITIAL_CLUSTER":       survivor.Name + "=" + survivor.PeerURL + "," + joining.Name + "=" + joining.PeerURL,
		"ETCD_INITIAL_CLUSTER_STATE": "existing",
	}
	expected := moduletest.Run(t, check).OK(t, true)
	if diff := cmp.Diff(any(want), expected.JSON["variables"]); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(expected.Stdout, "(new)") || count(t, survivor) != 1 {
		t.Errorf("check mode changed the list, or shows no diff: %s", expected.Stdout)
	}

	added := moduletest.Run(t, args).OK(t, true)
	if diff := cmp.Diff(any(want), added.JSON["variables"]); diff != "" {
		t.Error(diff)
	}
	// Now there is no quorum until the second member runs; an interrupted run must be able to go on from here.
	again := moduletest.Run(t, args).OK(t, false)
	if diff := cmp.Diff(added.JSON["variables"], again.JSON["variables"]); diff != "" {
		t.Error(diff)
	}

	joining.Configure(t, want["ETCD_INITIAL_CLUSTER"].(string), "existing")
	joining.Start(t)
	joining.WaitHealthy(t)
	moduletest.Run(t, args).OK(t, false)
	if n := count(t, survivor); n != 2 {
		t.Errorf("%d members", n)
	}
}

// A survivor that was restarted in the same state answers only on its peer port; etcd.conf of the joining host names that.
func TestJoinGoesOnAfterTheSurvivorsRestart(t *testing.T) {
	survivor, joining := joiner(t)
	moduletest.Run(t, joining.Args(map[string]any{"endpoints": survivor.ClientURL})).OK(t, true)
	survivor.Kill(t)
	survivor.Start(t)
	cfg, err := etcd.Access{}.Config(survivor.Conf)
	if err != nil {
		t.Fatal(err)
	}
	survivor.Await(t, "answering on its peer port", func() bool {
		_, err := etcd.AskPeer(t.Context(), survivor.PeerURL, cfg)
		return err == nil
	})
	answer := moduletest.Run(t, joining.Args(map[string]any{"endpoints": survivor.ClientURL, "timeout": 20})).OK(t, false)
	if !strings.Contains(answer.Stdout, "there is no quorum") {
		t.Errorf("no warning about the quorum: %s", answer.Stdout)
	}
}

// The v2 API's POST and PUT, over TLS: an add, and another address for the added member.
func TestAddAndUpdateByV2(t *testing.T) {
	survivor, joining := joiner(t)
	args := joining.Args(map[string]any{"endpoints": survivor.ClientURL, "api": "v2"})
	moduletest.Run(t, args).OK(t, true)
	again := moduletest.Run(t, args).OK(t, false) // the list has it, though there is no quorum until it runs
	if list, _ := again.JSON["members"].([]any); len(list) != 2 {
		t.Error(again.Stdout)
	}
	alone := etcdtest.Start(t, 1).Members[0]
	id := strings.Split(alone.Must(t, 3, "member", "list"), ",")[0]
	update := alone.Args(map[string]any{"id": id, "peer_urls": "https://127.0.0.1:9", "api": "v2"})
	moduletest.Run(t, update).OK(t, true)
	moduletest.Run(t, update).OK(t, false)
	if list := alone.Must(t, 3, "member", "list"); !strings.Contains(list, "https://127.0.0.1:9") {
		t.Error(list)
	}
}

func TestRemove(t *testing.T) {
	for _, api := range []string{"v3", "v2"} {
		t.Run(api, func(t *testing.T) {
			cluster := etcdtest.Start(t, 3)
			first, last := cluster.Members[0], cluster.Members[2]
			args := first.Args(map[string]any{"state": "absent", "peer_urls": last.PeerURL, "api": api})
			check := first.Args(map[string]any{"state": "absent", "peer_urls": last.PeerURL, "_ansible_check_mode": true})
			moduletest.Run(t, check).OK(t, true)
			if n := count(t, first); n != 3 {
				t.Fatalf("check mode left %d members", n)
			}
			answer := moduletest.Run(t, args).OK(t, true)
			if answer.JSON["member"] != nil || count(t, first) != 2 {
				t.Errorf("unexpected: %s", answer.Stdout)
			}
			moduletest.Run(t, args).OK(t, false)
		})
	}
}

// Run on the member that is removed: the change must go to another member, since this one ends while it answers.
func TestRemoveOfOneself(t *testing.T) {
	cluster := etcdtest.Start(t, 3)
	own := cluster.Members[1]
	moduletest.Run(t, own.Args(map[string]any{"state": "absent", "name": own.Name})).OK(t, true)
	if n := count(t, cluster.Members[0]); n != 2 {
		t.Errorf("%d members", n)
	}
}

func TestRefusals(t *testing.T) {
	cluster := etcdtest.Start(t, 3)
	first, second := cluster.Members[0], cluster.Members[1]
	cluster.Members[2].Kill(t)
	first.WaitHealthy(t)
	second.WaitHealthy(t)
	answer := moduletest.Run(t, first.Args(map[string]any{"state": "absent", "name": second.Name})).Failed(t, "refused")
	if !strings.Contains(answer.Msg(), "quorum would be lost") {
		t.Error(answer.Msg())
	}
	answer = moduletest.Run(t, first.Args(map[string]any{"name": second.Name, "peer_urls": "https://127.0.0.1:9"})).Failed(t, "refused")
	if hint, _ := answer.JSON["hint"].(string); !strings.Contains(hint, "replace=yes") {
		t.Errorf("the hint does not say what to do: %q", hint)
	}
	if n := count(t, first); n != 3 {
		t.Errorf("%d members after refusals", n)
	}
}

// Two clusters that both serve, as after old members came back beside a survivor: a change could go to the wrong one.
func TestTwoClusters(t *testing.T) {
	one, two := etcdtest.New(t, 1), etcdtest.New(t, 1)
	a, b := one.Members[0], two.Members[0]
	b.CA, b.Cert, b.Key = a.CA, a.Cert, a.Key // one CA for both, as in one site
	one.PKI.Issue(t, b.Dir, "server", false, b.IP)
	b.Configure(t, b.Name+"="+b.PeerURL, "new")
	for _, m := range []*etcdtest.Member{a, b} {
		m.Start(t)
		m.WaitHealthy(t)
	}
	args := a.Args(map[string]any{"endpoints": []string{a.ClientURL, b.ClientURL}, "name": "x", "peer_urls": "https://127.0.0.1:9"})
	answer := moduletest.Run(t, args).Failed(t, "refused")
	if !strings.Contains(answer.Msg(), "both have a quorum") || count(t, a) != 1 || count(t, b) != 1 {
		t.Error(answer.Msg())
	}
}

// Without quorum nothing can be changed: the module ends within its timeout and says so.
func TestNoQuorum(t *testing.T) {
	cluster := etcdtest.Start(t, 3)
	first := cluster.Members[0]
	cluster.Members[1].Kill(t)
	cluster.Members[2].Kill(t)
	args := first.Args(map[string]any{"name": "x", "peer_urls": "https://127.0.0.1:9", "timeout": 4})
	answer := moduletest.Run(t, args).Failed(t, "timeout")
	if hint, _ := answer.JSON["hint"].(string); !strings.Contains(hint, "restore_quorum.yml") {
		t.Errorf("hint %q", hint)
	}
}

func TestUpdateOfThePeerURL(t *testing.T) {
	cluster := etcdtest.Start(t, 1)
	m := cluster.Members[0]
	list := m.Must(t, 3, "member", "list")
	id, _, _ := strings.Cut(list, ",")
	args := m.Args(map[string]any{"id": id, "peer_urls": "https://127.0.0.1:2380"})
	moduletest.Run(t, args).OK(t, true)
	moduletest.Run(t, args).OK(t, false)
	if list := m.Must(t, 3, "member", "list"); !strings.Contains(list, "https://127.0.0.1:2380") {
		t.Error(list)
	}
}

func TestReplace(t *testing.T) {
	cluster := etcdtest.Start(t, 3)
	first, lost := cluster.Members[0], cluster.Members[2]
	lost.Kill(t)
	first.WaitHealthy(t)
	cluster.Members[1].WaitHealthy(t)
	args := first.Args(map[string]any{"name": lost.Name, "peer_urls": "https://127.0.0.1:2380", "replace": true})
	answer := moduletest.Run(t, args).OK(t, true)
	first.WaitHealthy(t)
	if list := first.Must(t, 2, "member", "list"); strings.Contains(list, lost.PeerURL) || !strings.Contains(list, "https://127.0.0.1:2380") {
		t.Errorf("%s\n%s", list, answer.Stdout)
	}
}

// A reinstalled host: its entry has started once, so etcd would panic on the empty directory. With a new entry it runs.
func TestDataGone(t *testing.T) {
	cluster := etcdtest.Start(t, 3)
	first, lost := cluster.Members[0], cluster.Members[2]
	args := first.Args(map[string]any{"name": lost.Name, "peer_urls": lost.PeerURL, "data_gone": true})
	moduletest.Run(t, args).OK(t, false) // it serves, so its data is not gone, whatever the arguments say

	lost.Kill(t)
	if err := os.RemoveAll(filepath.Join(lost.DataDir, "member")); err != nil {
		t.Fatal(err)
	}
	first.WaitHealthy(t)
	cluster.Members[1].WaitHealthy(t)
	before := first.Must(t, 2, "member", "list")
	args["_ansible_check_mode"] = true
	expected := moduletest.Run(t, args).OK(t, true)
	delete(args, "_ansible_check_mode")
	if diff := cmp.Diff(before, first.Must(t, 2, "member", "list")); diff != "" {
		t.Errorf("check mode: %s", diff)
	}
	answer := moduletest.Run(t, args).OK(t, true)
	if diff := cmp.Diff(expected.JSON["variables"], answer.JSON["variables"]); diff != "" {
		t.Errorf("check mode foretold other variables: %s", diff)
	}
	if list := first.Must(t, 2, "member", "list"); list == before || strings.Count(list, "\n") != 2 || !strings.Contains(list, "[unstarted]") {
		t.Errorf("%s\n%s", list, answer.Stdout)
	}
	moduletest.Run(t, args).OK(t, false) // added, and not started yet
	lost.Configure(t, answer.JSON["variables"].(map[string]any)["ETCD_INITIAL_CLUSTER"].(string), "existing")
	lost.Start(t)
	lost.WaitHealthy(t)
}
