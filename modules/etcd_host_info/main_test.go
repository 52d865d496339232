package main

import (
	"os"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, ansible.Rules{}) }

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
