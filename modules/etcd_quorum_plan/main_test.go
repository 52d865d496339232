package main

import (
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestMain(tests *testing.M) { os.Exit(moduletest.Clean(tests.Run())) }

type m = map[string]any

// member is what etcd_host_info registers for a host that runs etcd without quorum; Ansible adds keys of its own.
func member(name, memberID, ip string) m {
	urls := []any{"https://" + ip + ":2380"}
	return m{
		"changed": false, "failed": false, "invocation": m{"module_args": m{}},
		"runtime": "systemd", "state": "running",
		"config":   m{"name": name, "peer_urls": urls, "client_urls": []any{"https://" + ip + ":2379"}},
		"data_dir": m{"path": "/var/lib/etcd", "exists": true, "bytes": 1 << 20, "free_bytes": 1 << 40},
		"member":   m{"id": memberID, "cluster_id": "c1", "name": name},
		"members": []any{
			m{"id": "a1", "name": "a", "peer_urls": []any{"https://192.0.2.1:2380"}},
			m{"id": "b2", "name": "b", "peer_urls": []any{"https://192.0.2.2:2380"}},
			m{"id": "c3", "name": "c", "peer_urls": []any{"https://192.0.2.3:2380"}},
		},
		"live": m{"serves": true, "member_id": memberID, "cluster_id": "c1", "revision": 7},
		"log": m{
			"first_index": 1, "last_term": 2, "last_index": 9, "term": 2, "commit": 9, "known_committed": 9,
			"terms": []any{m{"term": 2, "first": 1, "last": 9}}, "sums": []any{m{"index": 9, "term": 2, "crc": 4294967295}},
		},
		"database": m{"consistent_index": 9, "revision": 7, "bytes": 20480},
	}
}

func lost() m {
	return m{"hosts": m{"a": member("a", "a1", "192.0.2.1"), "b": m{"unreachable": true, "msg": "no route"}, "c": m{"unreachable": true}}}
}

func TestRefusesAndSaysTheWholeCommand(t *testing.T) {
	args := lost()
	args["inventory"] = "/etc/ansible/hosts"
	got := moduletest.Run(t, args).OK(t, false)
	if got.JSON["action"] != "refuse" || got.JSON["code"].(interface{ String() string }).String() != "2" {
		t.Fatalf("want a refusal with code 2: %s", got.Stdout)
	}
	refusal := got.JSON["refusals"].([]any)[0].(m)
	want := "bring them back, or make sure that they are powered off and stay off, then: " +
		"ansible-playbook -i /etc/ansible/hosts playbooks/restore_quorum.yml -e etcd_lost_hosts_off=yes"
	if refusal["hint"] != want {
		t.Fatalf("hint %q, want %q", refusal["hint"], want)
	}
}

// Ansible 2.9's ad hoc arguments are all strings, and check mode changes nothing about a decision.
func TestForcesWithConsentGivenAsText(t *testing.T) {
	args := lost()
	args["lost_hosts_off"] = "yes"
	args["masters"] = "a"
	args["_ansible_check_mode"] = true
	got := moduletest.Run(t, args).OK(t, false)
	if got.JSON["action"] != "force" || got.JSON["survivor"] != "a" {
		t.Fatalf("want force on a: %s", got.Stdout)
	}
	a, none := []any{"a"}, []any{}
	want := m{"fence": none, "snapshot": a, "fence_survivor": a, "backup_config": a, "stop_copy": a, "flags": none, "restart": none,
		"unfence_keep_data": none, "start_first": none, "start": none, "force": a, "finish_force": none, "join_started": none, "masters": a,
		"remove_member": none, "leave": none, "rejoin": none, "probe": none, "final": a, "out": []any{"b", "c"}}
	if diff := cmp.Diff(want, got.JSON["plays"]); diff != "" {
		t.Fatal(diff)
	}
}

func TestBadInput(t *testing.T) {
	cases := map[string]m{
		"no hosts":          {},
		"an empty dict":     {"hosts": m{}},
		"facts of no host":  {"hosts": m{"a": nil}},
		"facts as text":     {"hosts": m{"a": "skipped"}},
		"a mistyped fact":   {"hosts": m{"a": m{"log": m{"last_index": "nine"}}}},
		"a mistyped switch": {"hosts": m{"a": m{}}, "rejoin": "perhaps"},
		"addresses":         {"hosts": m{"a": m{}}, "addresses": m{"a": 7}},
		"an unknown name":   {"hosts": m{"a": m{}}, "survivor": "a"},
	}
	for name, args := range cases {
		t.Run(name, func(t *testing.T) { moduletest.Run(t, args).Failed(t, "invalid") })
	}
}

// What the documentation says is returned, is, and nothing else.
func TestReturnIsDocumented(t *testing.T) {
	var doc struct {
		Return map[string]any `yaml:"RETURN"`
	}
	if err := yaml.Unmarshal(documentation, &doc); err != nil {
		t.Fatal(err)
	}
	args := lost()
	args["lost_hosts_off"] = true
	got := moduletest.Run(t, args).OK(t, false)
	for _, always := range []string{"changed", "msg", "invocation"} {
		delete(got.JSON, always)
	}
	var documented, returned []string
	for key := range doc.Return {
		documented = append(documented, key)
	}
	for key := range got.JSON {
		returned = append(returned, key)
	}
	slices.Sort(documented)
	slices.Sort(returned)
	if diff := cmp.Diff(documented, returned); diff != "" {
		t.Fatal(diff)
	}
}
