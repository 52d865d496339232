package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/moduletest"
	"etcd-quorum-restore/modules/internal/plan"
)

func TestMain(tests *testing.M) { os.Exit(moduletest.Clean(tests.Run())) }

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, ansible.Rules{}) }

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
	if do := got.JSON["do"].(m); do["action"] != "refuse" || do["code"].(interface{ String() string }).String() != "2" {
		t.Fatalf("want a refusal with code 2: %s", got.Stdout)
	}
	refusal := got.JSON["report"].(m)["refusals"].([]any)[0].(m)
	want := "bring them back, or make sure that they are powered off and stay off, then: " +
		"ansible-playbook -i /etc/ansible/hosts playbooks/restore_quorum.yml -e etcd_lost_hosts_off=b,c"
	if refusal["hint"] != want {
		t.Fatalf("hint %q, want %q", refusal["hint"], want)
	}
}

// Ansible 2.9's ad hoc arguments are all strings, and check mode does not change the decision.
func TestForcesWithConsentGivenAsText(t *testing.T) {
	args := lost()
	args["lost_hosts_off"] = "b,c"
	args["masters"] = "a"
	args["_ansible_check_mode"] = true
	got := moduletest.Run(t, args).OK(t, false)
	do := got.JSON["do"].(m)
	if do["action"] != "force" || do["survivor"] != "a" {
		t.Fatalf("want force on a: %s", got.Stdout)
	}
	a, none := []any{"a"}, []any{}
	want := m{"fence": none, "put_back": none, "snapshot": a, "fence_survivor": a, "backup_config": a, "clients_left": a, "stop_copy": a, "flags": none, "restart": none,
		"bring_ca": none, "move_ca": none, "take_in": none, "unfence_keep_data": none, "start_first": none, "start": none, "force": a, "finish_force": none, "join_started": none, "masters": a,
		"remove_member": none, "leave": none, "rejoin": none, "probe": none, "final": a, "verify": a, "out": []any{"b", "c"}}
	if diff := cmp.Diff(want, do["plays"]); diff != "" {
		t.Fatal(diff)
	}
	if do["confirm"] != true {
		t.Fatalf("want a plan to be confirmed: %s", got.Stdout)
	}
}

// What etcd_service registered on a host is passed on as it is, with the keys that Ansible adds.
func TestStartEnded(t *testing.T) {
	args := lost()
	args["lost_hosts_off"], args["start_failed"] = "b,c", true
	args["start_ended"] = m{"a": m{"failed": true, "changed": true, "kind": "internal", "msg": "etcd ended after its start: panic: broken", "hint": "look it up",
		"evidence": m{"unit": "failed"}, "invocation": m{"module_args": m{}}}}
	got := moduletest.Run(t, args).OK(t, false)
	lines := strings.Join(strings.Fields(fmt.Sprint(got.JSON["report"].(m)["lines"])), " ")
	if want := "etcd on a was started and does not stay up: etcd ended after its start: panic: broken. look it up"; !strings.Contains(lines, want) {
		t.Fatalf("%q is not in %s", want, lines)
	}
}

// What the first look found at clients changes nothing of the decision, nor of the plan's ID.
func TestClientsBroken(t *testing.T) {
	args := lost()
	args["lost_hosts_off"] = "b,c"
	before := moduletest.Run(t, args).OK(t, false)
	args["clients_broken"] = m{"node-7": m{"msg": "/etc/sysconfig/flanneld: line 3: there is no end of the quote", "hint": ""}}
	got := moduletest.Run(t, args).OK(t, false)
	if before.JSON["do"].(m)["id"] != got.JSON["do"].(m)["id"] {
		t.Errorf("another plan: %s", got.Stdout)
	}
	report := got.JSON["report"].(m)
	if found := fmt.Sprint(report["findings"]); !strings.Contains(found, "client_broken") || !strings.Contains(found, "node-7") {
		t.Errorf("findings: %s", found)
	}
	if lines := strings.Join(strings.Fields(fmt.Sprint(report["lines"])), " "); !strings.Contains(lines, "node-7 is skipped and listed at the end, unless you fix this first: /etc/sysconfig/flanneld: line 3") {
		t.Errorf("lines: %s", lines)
	}
}

// The plan for check mode has hosts only where files are edited.
func TestSimulates(t *testing.T) {
	args := lost()
	args["lost_hosts_off"], args["simulate"] = "b,c", true
	got := moduletest.Run(t, args).OK(t, false)
	do := got.JSON["do"].(m)
	for play, hosts := range do["plays"].(m) {
		if want := play == "final" || play == "out"; (len(hosts.([]any)) > 0) != want {
			t.Errorf("%s: %v", play, hosts)
		}
	}
	if do["action"] != "force" || do["confirm"] != false {
		t.Fatalf("want the same decision, and nothing to confirm: %s", got.Stdout)
	}
}

// TestHostileArguments: the error names the bad argument.
func TestHostileArguments(t *testing.T) {
	for name, value := range map[string]any{
		"order": []any{""}, "new_hosts": []any{"a", "b c"}, "masters": []any{"a\u0000"}, "fence_hosts": []any{"a\nb"}, "addresses": m{"": "x"}, "resolved": m{"": []any{}},
		"seen": m{"a": m{"term": -1, "index": 2}}, "seen.": m{"": m{"term": 1}}, "decided": m{"action": "burn"}, "decided.": m{"action": 7}, "decided.discarded": m{"discarded": []any{m{"first_index": -1}}},
	} {
		args := lost()
		argument, _, _ := strings.Cut(name, ".")
		args[argument] = value
		if a := moduletest.Run(t, args).Failed(t, "invalid"); !strings.Contains(a.Msg(), argument) {
			t.Errorf("%s=%v: %s", argument, value, a.Msg())
		}
	}
}

func TestBadInput(t *testing.T) {
	cases := map[string]m{
		"no hosts":          {},
		"an empty dict":     {"hosts": m{}},
		"facts of no host":  {"hosts": m{"a": nil}},
		"facts as text":     {"hosts": m{"a": "skipped"}},
		"a mistyped fact":   {"hosts": m{"a": m{"log": m{"last_index": "nine"}}}},
		"an end as text":    {"hosts": m{"a": m{}}, "start_ended": m{"a": "ended"}},
		"an end of no host": {"hosts": m{"a": m{}}, "start_ended": m{" ": m{"msg": "ended"}}},
		"a mistyped switch": {"hosts": m{"a": m{}}, "rejoin": "perhaps"},
		"addresses":         {"hosts": m{"a": m{}}, "addresses": m{"a": 7}},
		"an unknown name":   {"hosts": m{"a": m{}}, "survivor": "a"},
	}
	for name, args := range cases {
		t.Run(name, func(t *testing.T) { moduletest.Run(t, args).Failed(t, "invalid") })
	}
}

// The module returns what the documentation describes, and nothing else.
func TestReturnIsDocumented(t *testing.T) {
	var doc struct {
		Return map[string]struct{ Contains m } `yaml:"RETURN"`
	}
	if err := yaml.Unmarshal(documentation, &doc); err != nil {
		t.Fatal(err)
	}
	args := lost()
	args["lost_hosts_off"] = "b,c"
	got := moduletest.Run(t, args).OK(t, false)
	for _, always := range []string{"changed", "msg", "invocation"} {
		delete(got.JSON, always)
	}
	returned, documented := map[string][]string{}, map[string][]string{}
	for part, fields := range got.JSON {
		returned[part] = slices.Sorted(maps.Keys(fields.(m)))
	}
	for part, fields := range doc.Return {
		if part == "kind" || part == "hint" { // of failures
			continue
		}
		documented[part] = slices.Sorted(maps.Keys(fields.Contains))
	}
	if diff := cmp.Diff(documented, returned); diff != "" {
		t.Fatal(diff)
	}
}

// A run has one ID, for the records of its fences: its first decision makes it, and the next ones get it.
func TestRun(t *testing.T) {
	run := func(args m) string {
		t.Helper()
		id, _ := moduletest.Run(t, args).OK(t, false).JSON["do"].(m)["run"].(string)
		return id
	}
	first, second := run(lost()), run(lost())
	if len(first) != 16 || first == second {
		t.Errorf("IDs %q and %q, want two of 16 digits", first, second)
	}
	args := lost()
	args["run"] = first
	if again := run(args); again != first {
		t.Errorf("run %q, want %q", again, first)
	}
}

// The result of an earlier look of the run comes back in the form in which the next look gets it.
func TestSeen(t *testing.T) {
	seen := moduletest.Run(t, lost()).OK(t, false).JSON["do"].(m)["seen"]
	args := lost()
	args["hosts"] = m{"a": m{"unreachable": true}, "b": m{"unreachable": true}, "c": m{"unreachable": true}}
	args["seen"] = seen
	if again := moduletest.Run(t, args).OK(t, false).JSON["do"].(m)["seen"]; cmp.Diff(seen, again) != "" || len(seen.(m)) != 1 {
		t.Errorf("%v, then %v", seen, again)
	}
	args["seen"] = m{"a": "far"}
	moduletest.Run(t, args).Failed(t, "invalid")
}

func TestFenceHosts(t *testing.T) {
	args := lost()
	args["fence_hosts"] = "a"
	do := moduletest.Run(t, args).OK(t, false).JSON["do"].(m)
	if do["action"] != "fence" || do["survivor"] != "" || cmp.Diff(do["plays"].(m)["fence"], []any{"a"}) != "" {
		t.Errorf("%v", do)
	}
	args["fence_hosts"] = "b"
	if do := moduletest.Run(t, args).OK(t, false).JSON["do"].(m); do["action"] != "refuse" {
		t.Errorf("out of reach: %v", do)
	}
}

// A host that nobody reaches is found among the members by what the control node's resolver says of its name. An address needs no server.
func TestResolves(t *testing.T) {
	hosts := m{"a": member("a", "a1", "192.0.2.1"), "b": member("b", "b2", "192.0.2.2"), "192.0.2.3": m{"unreachable": true}, "c.invalid": m{"failed": true}}
	do := moduletest.Run(t, m{"hosts": hosts, "resolve": true, "resolved": m{"c.invalid": []any{}}}).OK(t, false).JSON["do"].(m)
	if diff := cmp.Diff(m{"192.0.2.3": []any{"192.0.2.3"}, "c.invalid": []any{}}, do["resolved"]); diff != "" {
		t.Fatal(diff)
	}
	do = moduletest.Run(t, m{"hosts": hosts}).OK(t, false).JSON["do"].(m)
	if diff := cmp.Diff(m{}, do["resolved"]); diff != "" {
		t.Fatal("asked without resolve:", diff)
	}
}

// Only hosts without facts are looked up, each once; a resolver that does not answer is waited for only until the limit.
func TestResolveMissing(t *testing.T) {
	req := plan.Request{
		Hosts:    map[string]plan.Host{"known": {Runtime: "systemd"}, "off": {Unreachable: true}, "slow": {Unreachable: true}, "asked": {Unreachable: true}},
		Resolved: map[string][]string{"asked": {}},
	}
	ctx, cancel := context.WithCancel(context.Background())
	resolveMissing(ctx, &req, func(ctx context.Context, name string) ([]string, error) {
		if _, limited := ctx.Deadline(); !limited || name == "known" || name == "asked" {
			t.Error(name, limited)
		}
		if name == "slow" {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return []string{"192.0.2.3"}, nil
	})
	if diff := cmp.Diff(map[string][]string{"off": {"192.0.2.3"}, "slow": {}, "asked": {}}, req.Resolved); diff != "" {
		t.Fatal(diff)
	}
}

func TestConfirmAndSave(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "reports")
	args := lost()
	args["lost_hosts_off"], args["save_dir"] = "b,c", dir
	do := func(confirm any) m {
		args["confirm"] = confirm
		return moduletest.Run(t, args).OK(t, false).JSON
	}
	first := do("no")
	id, file := first["do"].(m)["id"].(string), first["report"].(m)["file"].(string)
	text, err := os.ReadFile(file)
	if err != nil || file != filepath.Join(dir, "plan-"+id+".txt") || !strings.Contains(string(text), "etcd_confirm="+id) {
		t.Fatalf("%s: %v, %s", file, err, text)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o700, file: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	for confirm, asks := range map[any]bool{"": true, false: true, "no": true, true: false, "yes": false, "True": false, id: false, strings.ToUpper(id): false} {
		if got := do(confirm); got["do"].(m)["confirm"] != asks || got["do"].(m)["action"] != "force" {
			t.Errorf("%v: asks %v, %v", confirm, got["do"].(m)["confirm"], got["do"].(m)["action"])
		}
	}
	if got := do("0123456789ab"); got["do"].(m)["action"] != "refuse" || got["report"].(m)["refusals"].([]any)[0].(m)["code"] != "other_plan" {
		t.Errorf("%v", got["report"].(m)["refusals"])
	}
	args["confirm"] = "maybe"
	moduletest.Run(t, args).Failed(t, "invalid")
	args["confirm"], args["save_dir"] = "yes", file // a file, not a directory
	if got := moduletest.Run(t, args).OK(t, false); got.JSON["warnings"] == nil || got.JSON["report"].(m)["file"] != "" {
		t.Errorf("a plan that cannot be written is made all the same, with a warning: %s", got.Stdout)
	}
}

func TestLostHostsOff(t *testing.T) {
	for _, tc := range []struct {
		given any
		want  string
	}{
		{"yes", "refuse"}, {true, "refuse"}, {"True", "refuse"}, {"b,c", "force"}, {"c, b", "force"}, {[]any{"b", "c"}, "force"},
		{"no", "refuse"}, {false, "refuse"}, {"", "refuse"}, {"b", "refuse"}, {[]any{"c"}, "refuse"}, {[]any{}, "refuse"}, {"a,b,c", "refuse"},
	} {
		args := lost()
		args["lost_hosts_off"] = tc.given
		if got := moduletest.Run(t, args).OK(t, false).JSON["do"].(m)["action"]; got != tc.want {
			t.Errorf("%#v: %v, want %s", tc.given, got, tc.want)
		}
	}
	for _, wrong := range []any{"b,,c", m{"b": true}, 1.5, 17, []any{"b", nil}, []any{true}, []any{[]any{"b"}}} {
		args := lost()
		args["lost_hosts_off"] = wrong
		moduletest.Run(t, args).Failed(t, "invalid")
	}
	args := lost()
	args["addresses"] = m{"a": []any{5}}
	moduletest.Run(t, args).Failed(t, "invalid")
}
