package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestMain(m *testing.M) { os.Exit(moduletest.Clean(m.Run())) }

type m = map[string]any

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, ansible.Rules{}) }

const evil = `<script>alert(1)</script>`

func arguments(t *testing.T) m {
	return m{
		"directory": filepath.Join(t.TempDir(), "reports"), "playbook": "restore_quorum.yml", "state": "planned",
		"plan": m{
			"do": m{"run": "5d41402abc4b2a76", "action": "force", "survivor": "master-0.example.com"},
			"report": m{
				"reason": "no quorum: 1 of 3 members have usable data", "cluster_id": "f82862b472c201ec",
				"hosts":      m{"master-0.example.com": m{"member_id": "4419bcd59e43fea6", "reachable": true, "data": evil, "outcome": "the survivor"}},
				"discarded":  []m{{"host": "master-1.example.com", "what": "behind", "text": "3 entries of master-1.example.com"}},
				"given_up":   []string{"3 entries of master-1.example.com", "acknowledged writes that only master-2.example.com held"},
				"end":        m{"now": "lost", "done": "degraded"},
				"undo":       []string{"ansible master-0.example.com -m etcd_fence -a 'state=absent keep_data=yes'"},
				"afterwards": []string{"power on master-1.example.com"},
				"lines":      []string{"etcd: QUORUM LOST", evil},
			},
			"invocation": m{"module_args": m{"hosts": "not for the record"}},
		},
	}
}

func read(t *testing.T, path any) string {
	t.Helper()
	text, err := os.ReadFile(path.(string))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func recordOf(t *testing.T, a moduletest.Answer) m {
	t.Helper()
	var r m
	if err := json.Unmarshal([]byte(read(t, a.JSON["path"])), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRecordOfThePlanAndOfTheEnd(t *testing.T) {
	args := arguments(t)
	a := moduletest.Run(t, args).OK(t, true)
	r := recordOf(t, a)
	if r["schema"] != 1.0 || r["state"] != "planned" || r["survivor"] != "master-0.example.com" || r["ended_at"] != "" || r["end"] != "failed" {
		t.Errorf("%v", r)
	}
	if page := read(t, a.JSON["page"]); !strings.Contains(page, "has not reached its end") {
		t.Error(page)
	}
	moduletest.Run(t, args).OK(t, false)

	args["state"], args["done"] = "ended", []string{"etcd serves writes again", evil}
	args["backups"] = []m{{"method": "copy", "path": "/backup/etcd-1/copy", "bytes": 80845824, "sha256": "9f86d081", "revision": nil, "verified": true, "v2_keys": 14}}
	args["members"] = []m{{"id": "8e9e05c52164694d", "name": "master-0.example.com", "peer_urls": []string{"https://192.0.2.11:2380"}, "client_urls": []string{}}}
	ended := moduletest.Run(t, args).OK(t, true)
	if ended.JSON["path"] != a.JSON["path"] {
		t.Errorf("the end is in %v, the plan in %v", ended.JSON["path"], a.JSON["path"])
	}
	after := recordOf(t, ended)
	if after["state"] != "ended" || after["planned_at"] != r["planned_at"] || after["ended_at"] == "" || after["end"] != "degraded" {
		t.Errorf("%v", after)
	}
	moduletest.Run(t, args).OK(t, false)

	page := read(t, ended.JSON["page"])
	for _, want := range []string{"The run reached its end: degraded.", "etcd serves writes again", "3 entries of master-1.example.com", "writes that only master-2.example.com held", "4419bcd59e43fea6",
		"power on master-1.example.com", "no quorum: 1 of 3", "etcd: QUORUM LOST", "&lt;script&gt;", "/backup/etcd-1/copy", "80845824", "9f86d081", "8e9e05c52164694d"} {
		if !strings.Contains(page, want) {
			t.Errorf("not in the page: %s", want)
		}
	}
	for _, wrong := range []string{"<script", "href=", "url(", "src=", "not for the record"} {
		if strings.Contains(page, wrong) {
			t.Errorf("in the page: %s", wrong)
		}
	}
	if strings.Contains(read(t, ended.JSON["path"]), "not for the record") {
		t.Error("what the plan was asked is in the record")
	}
}

// What each stage did is added to the record, once.
func TestTheRecordGrowsByStages(t *testing.T) {
	args := arguments(t)
	args["ansible"] = "2.9.27"
	args["plan"].(m)["do"].(m)["id"] = "1f2e3d4c5b6a7988"
	moduletest.Run(t, args).OK(t, true)
	args["state"] = "going"
	fenced := m{"changed": true, "msg": "etcd is stopped and fenced on this host", "failed": false}
	args["acts"] = []m{{"what": "the fence", "hosts": []string{"master-1", "master-2"}, "results": []m{fenced, {"changed": false, "unreachable": true, "msg": "ssh: no route"}}}}
	moduletest.Run(t, args).OK(t, true)
	moduletest.Run(t, args).OK(t, false)
	diff := m{"before": "A=1\n", "after": "A=2\n", "before_header": "/etc/etcd/etcd.conf", "after_header": "/etc/etcd/etcd.conf"}
	args["acts"] = []m{
		{"what": "the fence", "hosts": []string{"master-1"}, "results": []m{fenced}},
		{"what": "the file", "hosts": []string{"master-0", "master-1"}, "results": []m{
			{"changed": true, "results": []m{{"changed": true, "msg": "written", "diff": []m{diff}}}}, {"changed": false, "skipped": true}}},
		{"what": "the start", "hosts": []string{"master-2"}, "results": []m{{}}},
		{"what": "URLs", "hosts": []string{"master-2"}, "results": []m{{}}, "optional": true},
	}
	a := moduletest.Run(t, args).OK(t, true)
	var got []string
	r := recordOf(t, a)
	for _, s := range r["steps"].([]any) {
		got = append(got, fmt.Sprintf("%v %v %v", s.(m)["what"], s.(m)["host"], s.(m)["state"]))
	}
	want := []string{"the fence master-1 changed", "the fence master-2 unreachable", "the file master-0 changed", "the start master-2 unknown"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if r["state"] != "going" || r["ansible"] != "2.9.27" || r["plan_id"] != "1f2e3d4c5b6a7988" || a.JSON["stats"].(m)["plan_id"] != "1f2e3d4c5b6a7988" {
		t.Errorf("%v, %v", r, a.JSON["stats"])
	}
	page := read(t, a.JSON["page"])
	for _, want := range []string{"has not reached its end", "Timeline", "<rect ", "/etc/etcd/etcd.conf", "- A=1\n&#43; A=2", "1f2e3d4c5b6a7988", "Ansible 2.9.27"} {
		if !strings.Contains(page, want) {
			t.Errorf("not in the page: %s", want)
		}
	}
	args["state"], args["acts"] = "ended", nil
	if r := recordOf(t, moduletest.Run(t, args).OK(t, true)); r["state"] != "ended" || len(r["steps"].([]any)) != 4 {
		t.Errorf("%v", r)
	}
}

// A run that is killed, or fails, leaves the stage that had begun, and where it stopped.
func TestWhereARunStopped(t *testing.T) {
	args := arguments(t)
	moduletest.Run(t, args).OK(t, true)
	args["state"], args["stage"] = "going", "(5/9) Copy the stopped data"
	a := moduletest.Run(t, args).OK(t, true)
	moduletest.Run(t, args).OK(t, false)
	if r := recordOf(t, a); r["stage"] != "(5/9) Copy the stopped data" || r["stopped"] != nil {
		t.Errorf("%v", r)
	}
	if page := read(t, a.JSON["page"]); !strings.Contains(page, "The last stage that began: (5/9) Copy the stopped data") {
		t.Error(page)
	}
	args["stopped"] = m{"task": "Copy the stopped data", "failures": []m{{"host": "master-0.example.com", "said": "no room: " + evil}},
		"fenced": []string{"master-1.example.com"}, "next": "ansible-playbook -i hosts /opt/playbooks/restore_quorum.yml"}
	a = moduletest.Run(t, args).OK(t, true)
	moduletest.Run(t, args).OK(t, false)
	r := recordOf(t, a)
	if stopped := r["stopped"].(m); r["end"] != "failed" || stopped["task"] != "Copy the stopped data" || stopped["at"] == "" {
		t.Errorf("%v", r)
	}
	page := read(t, a.JSON["page"])
	for _, want := range []string{"It stopped in (5/9) Copy the stopped data", "master-0.example.com: no room: &lt;script&gt;", "Fenced by this run: master-1.example.com.",
		"<pre>ansible-playbook -i hosts /opt/playbooks/restore_quorum.yml"} {
		if !strings.Contains(page, want) {
			t.Errorf("not in the page: %s", want)
		}
	}
	delete(args, "stopped")
	args["state"], args["stage"] = "ended", ""
	if r := recordOf(t, moduletest.Run(t, args).OK(t, true)); r["stopped"] != nil || r["stage"] != "" {
		t.Errorf("the end leaves %v, %v", r["stage"], r["stopped"])
	}
	// What follows the end takes nothing of it back.
	args["state"], args["stage"], args["stopped"] = "going", "(9/9) Report", m{"task": "Edit the inventory", "failures": []m{{"host": "localhost", "said": "read-only"}}}
	a = moduletest.Run(t, args).OK(t, true)
	if r := recordOf(t, a); r["state"] != "ended" || r["end"] != "degraded" || r["ended_at"] == "" || r["stopped"] == nil {
		t.Errorf("%v", r)
	}
	if page := read(t, a.JSON["page"]); !strings.Contains(page, "The run reached its end: degraded.") || !strings.Contains(page, "read-only") {
		t.Error(page)
	}
}

// A bar begins where the one before ends, and is as long as its seconds.
func TestTheTimelineIsToScale(t *testing.T) {
	r := record{Planned: "2026-11-29T03:00:00Z", Ended: "2026-11-29T03:01:40Z", Steps: []step{
		{At: "2026-11-29T03:00:50Z", What: "the fence", Host: "a"}, {At: "2026-11-29T03:00:50Z", What: "the fence", Host: "b"},
		{At: "2026-11-29T03:01:15Z", What: "the copy", Host: "c"}, {At: "2026-11-29T03:01:15Z", What: "the start", Host: "c"}}}
	want := []Bar{
		{At: "03:00:50", What: []string{"the fence"}, Hosts: []string{"a", "b"}, Seconds: 50, From: 0, Width: 500},
		{At: "03:01:15", What: []string{"the copy", "the start"}, Hosts: []string{"c"}, Seconds: 25, From: 500, Width: 250},
		{At: "03:01:40", What: []string{"the last checks"}, Seconds: 25, From: 750, Width: 250},
	}
	if diff := cmp.Diff(want, r.Timeline()); diff != "" {
		t.Error(diff)
	}
}

func TestPrivate(t *testing.T) {
	args := arguments(t)
	a := moduletest.Run(t, args).OK(t, true)
	for path, want := range map[any]os.FileMode{args["directory"]: os.ModeDir | 0o700, a.JSON["path"]: 0o600, a.JSON["page"]: 0o600} {
		if st, err := os.Stat(path.(string)); err != nil || st.Mode() != want {
			t.Errorf("%v: %v, %v", path, st.Mode(), err)
		}
	}
}

func TestCheckModeWritesNothing(t *testing.T) {
	args := arguments(t)
	args["_ansible_check_mode"] = true
	moduletest.Run(t, args).OK(t, true)
	if _, err := os.Stat(args["directory"].(string)); !os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
}

func TestRefusals(t *testing.T) {
	cases := map[string]struct {
		kind, says string
		change     func(t *testing.T, args m)
	}{
		"another's name": {"invalid", "playbook", func(_ *testing.T, args m) { args["playbook"] = "../x.yml" }},
		"no plan":        {"invalid", "plan", func(_ *testing.T, args m) { args["plan"] = m{"do": m{"action": "force"}} }},
		"another run":    {"invalid", "plan", func(_ *testing.T, args m) { args["plan"].(m)["do"].(m)["run"] = "../../x" }},
		"no action":      {"invalid", "plan", func(_ *testing.T, args m) { args["plan"].(m)["do"].(m)["action"] = "dance" }},
		"no sizes":       {"invalid", "backups", func(_ *testing.T, args m) { args["backups"] = []m{{"bytes": "many"}} }},
		"nonsense":       {"invalid", "plan", func(_ *testing.T, args m) { args["plan"].(m)["report"].(m)["hosts"] = "all" }},
		"others write there": {"refused", "written to by others", func(t *testing.T, args m) {
			directory := args["directory"].(string)
			if err := os.Mkdir(directory, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(directory, 0o777); err != nil {
				t.Fatal(err)
			}
		}},
		"no record": {"refused", "is no record", func(t *testing.T, args m) {
			directory := args["directory"].(string)
			if err := os.Mkdir(directory, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(directory, "restore_quorum-5d41402abc4b2a76.json"), []byte("notes"), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			args := arguments(t)
			c.change(t, args)
			a := moduletest.Run(t, args).Failed(t, c.kind)
			if hint, _ := a.JSON["hint"].(string); !strings.Contains(a.Msg(), c.says) || hint == "" && c.says != "playbook" && c.says != "backups" {
				t.Errorf("%s", a.Stdout)
			}
		})
	}
}

func TestARefusalIsTold(t *testing.T) {
	args := arguments(t)
	args["plan"].(m)["do"].(m)["action"] = "refuse"
	args["plan"].(m)["report"].(m)["refusals"] = []m{{"code": "x", "msg": "two hosts cannot be reached", "hint": "power them on"}}
	page := read(t, moduletest.Run(t, args).OK(t, true).JSON["page"])
	if !strings.Contains(page, "Refused: nothing was changed.") || !strings.Contains(page, "power them on") {
		t.Error(page)
	}
}

// A playbook may end a run that the plan would have carried out: nobody confirmed it, or the hosts cannot be added.
func TestAnEndBeforeThePlan(t *testing.T) {
	for end, says := range map[string]string{"refused": "Refused: nothing was changed.", "plan changed": "The run reached its end: plan changed."} {
		args := arguments(t)
		moduletest.Run(t, args).OK(t, true)
		args["state"], args["end"] = "ended", end
		a := moduletest.Run(t, args).OK(t, true)
		if r := recordOf(t, a); r["end"] != end || r["ended_at"] == "" {
			t.Errorf("%v", r)
		}
		if page := read(t, a.JSON["page"]); !strings.Contains(page, says) {
			t.Errorf("not in the page: %s", says)
		}
	}
}
