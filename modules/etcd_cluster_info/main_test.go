package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestMain(m *testing.M) { os.Exit(moduletest.Clean(m.Run())) }

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, rules) }

func text(a moduletest.Answer) string {
	var out []string
	list, _ := a.JSON["lines"].([]any)
	for _, line := range list {
		out = append(out, fmt.Sprint(line))
	}
	return strings.Join(out, "\n")
}

func wants(t *testing.T, a moduletest.Answer, values map[string]any) {
	t.Helper()
	for key, want := range values {
		if got := fmt.Sprint(a.JSON[key]); got != fmt.Sprint(want) {
			t.Errorf("%s is %s, want %v\n%s", key, got, want, text(a))
		}
	}
}

func says(t *testing.T, a moduletest.Answer, phrases ...string) {
	t.Helper()
	for _, phrase := range phrases {
		if !strings.Contains(text(a), phrase) {
			t.Errorf("lines do not say %q:\n%s", phrase, text(a))
		}
	}
}

func TestBadInput(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	for name, args := range map[string]map[string]any{
		"endpoint":   {"endpoints": "https://192.0.2.11"},
		"no CA":      {"endpoints": "https://127.0.0.1:1", "ca_cert": none, "client_cert": none},
		"api":        {"api": "v1"},
		"condition":  {"wait_for": "ever"},
		"timeout":    {"timeout": 0},
		"unknown":    {"endpoint": "https://127.0.0.1:1"},
		"no etcd":    {},
		"comparison": {"compare": "all"},
	} {
		args["etcd_conf"] = moduletest.EmptyConf(t)
		answer := moduletest.Run(t, args)
		if name == "no CA" { // each endpoint reports it for itself: others may be http
			answer.OK(t, false)
			says(t, answer, "no quorum")
			continue
		}
		answer.Failed(t, "invalid")
	}
}

// The same cluster from three healthy members to none, asked on one of its hosts without any argument.
func TestLosingMembers(t *testing.T) {
	cluster := etcdtest.Start(t, 3)
	m := cluster.Members[0]
	m.Must(t, 3, "put", "/a", "secret-value")
	for _, check := range []bool{false, true} {
		healthy := moduletest.Run(t, m.Args(map[string]any{"_ansible_check_mode": check, "compare": "values"})).OK(t, false)
		wants(t, healthy, map[string]any{"quorum": true, "joined": true, "healthy": 3, "needed": 2})
		says(t, healthy, "is healthy: successfully committed proposal: took = ", "quorum present, 3 of 3", "data equal on 3 members: 1 keys at revision 2")
		if strings.Contains(healthy.Stdout, "secret-value") {
			t.Error("a value is in the answer")
		}
	}
	says(t, moduletest.Run(t, m.Args(map[string]any{"api": "v2"})).OK(t, false), "is healthy: got healthy result from "+m.ClientURL, "cluster is healthy")

	cluster.Members[2].Kill(t)
	m.WaitHealthy(t)
	cluster.Members[1].WaitHealthy(t)
	oneDown := moduletest.Run(t, m.Args(map[string]any{"api": "v2"})).OK(t, false)
	wants(t, oneDown, map[string]any{"quorum": true, "joined": false, "healthy": 2})
	says(t, oneDown, "are all unreachable", "cluster is degraded", "quorum present, 2 of 3")
	moduletest.Run(t, m.Args(map[string]any{"wait_for": "joined", "timeout": 2})).Failed(t, "timeout")
	moduletest.Run(t, m.Args(map[string]any{"wait_for": "quorum"})).OK(t, false)
	moduletest.Run(t, m.Args(map[string]any{"compare": "keys"})).Failed(t, "unreachable")
	known := map[string]any{"wait_for": "joined", "compare": "keys", "down": []string{memberAt(t, oneDown, cluster.Members[2].ClientURL)}}
	says(t, moduletest.Run(t, m.Args(known)).OK(t, false), "quorum present, 2 of 3", "data equal on 2 members")

	cluster.Members[1].Kill(t) // /health notices only after the election timeout
	m.Await(t, "without a leader", func() bool {
		out, err := m.Etcdctl(t, 2, "cluster-health")
		return err != nil || !strings.Contains(out, "is healthy")
	})
	lost := moduletest.Run(t, m.Args(nil)).OK(t, false)
	wants(t, lost, map[string]any{"quorum": false, "healthy": 0, "members_from": m.ClientURL})
	says(t, lost, "failed to commit proposal", "failed to connect", "Error:  unhealthy cluster", "no quorum: 1 of 3 members answer, 2 are needed")
	if members := lost.JSON["members"].([]any); len(members) != 3 {
		t.Errorf("%d members", len(members))
	}
	says(t, moduletest.Run(t, m.Args(map[string]any{"api": "v2"})).OK(t, false), "is unhealthy: got unhealthy result from", "cluster is unhealthy", "no quorum")

	checkRestarted(t, m)
}

// Restarted without quorum, the client port hangs, and the members come from the peer port.
func checkRestarted(t *testing.T, m *etcdtest.Member) {
	t.Helper()
	m.Kill(t)
	m.Start(t)
	cfg, err := etcd.Access{}.Config(m.Conf)
	if err != nil {
		t.Fatal(err)
	}
	m.Await(t, "answering on its peer port", func() bool {
		_, err := etcd.AskPeer(t.Context(), m.PeerURL, cfg)
		return err == nil
	})
	answer := moduletest.Run(t, m.Args(nil)).OK(t, false)
	wants(t, answer, map[string]any{"quorum": false, "members_from": m.PeerURL})
	says(t, answer, "answers nothing", "no quorum: 0 of 3 members answer")
}

// One key with the same revisions and another value, as two halves of a split cluster may have it: only the values show it.
func TestSums(t *testing.T) {
	one, two := etcdtest.Start(t, 1).Members[0], etcdtest.Start(t, 1).Members[0]
	one.Must(t, 3, "put", "/a", "1")
	two.Must(t, 3, "put", "/a", "2")
	if sum(t, one, true) == sum(t, two, true) {
		t.Error("another value has the same sum")
	}
	if sum(t, one, false) != sum(t, two, false) {
		t.Error("equal keys and revisions have different sums")
	}
}

func sum(t *testing.T, m *etcdtest.Member, values bool) string {
	t.Helper()
	cfg, err := etcd.Access{}.Config(m.Conf)
	if err != nil {
		t.Fatal(err)
	}
	c, err := etcd.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	out, _, err := c.SumKeys(t.Context(), 2, values)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// memberAt is the ID of the member at a client URL.
func memberAt(t *testing.T, a moduletest.Answer, url string) string {
	t.Helper()
	for _, each := range a.JSON["members"].([]any) {
		m := each.(map[string]any)
		if urls, _ := m["client_urls"].([]any); slices.Contains(urls, any(url)) {
			return m["id"].(string)
		}
	}
	t.Fatalf("no member at %s: %v", url, a.JSON["members"])
	return ""
}
