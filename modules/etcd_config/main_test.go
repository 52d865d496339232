package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestMain(m *testing.M) { os.Exit(moduletest.Clean(m.Run())) }

const (
	m0 = "master-0.example.com=https://192.0.2.11:2380"
	m1 = "master-1.example.com=https://192.0.2.12:2380"
	m2 = "master-2.example.com=https://192.0.2.13:2380"
)

var master2 = map[string]any{"name": "m2", "aliases": []any{nil, "", "192.0.2.13", "master-2.example.com"}}

func conf(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "etcd.conf")
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	return path
}

// installed is etcd.conf as openshift-ansible leaves it on master-1.
func installed(t *testing.T) string { return moduletest.Read(t, "testdata/etcd.conf") }

func TestCheckRunAgain(t *testing.T) {
	before := installed(t)
	after := strings.Replace(before, ","+m2, "", 1)
	after = strings.Replace(after, "ETCD_INITIAL_CLUSTER_STATE=new", "ETCD_INITIAL_CLUSTER_STATE=existing", 1)
	path := conf(t, before)
	args := map[string]any{"etcd_conf": path, "settings": map[string]any{"ETCD_INITIAL_CLUSTER_STATE": "existing"}, "initial_cluster_remove": []any{master2},
		"expect_name": "master-1.example.com", "backup": true, "_ansible_diff": true}

	args["_ansible_check_mode"] = true
	plan := moduletest.Run(t, args).OK(t, true)
	if moduletest.Read(t, path) != before || moduletest.Entries(t, path) != 1 {
		t.Fatal("check mode wrote")
	}
	delete(args, "_ansible_check_mode")
	answer := moduletest.Run(t, args).OK(t, true)
	if diff := cmp.Diff(after, moduletest.Read(t, path)); diff != "" {
		t.Error(diff)
	}
	wantDiff := []any{map[string]any{"before_header": path, "after_header": path,
		"before": "ETCD_INITIAL_CLUSTER=" + m0 + "," + m1 + "," + m2 + "\nETCD_INITIAL_CLUSTER_STATE=new\n",
		"after":  "ETCD_INITIAL_CLUSTER=" + m0 + "," + m1 + "\nETCD_INITIAL_CLUSTER_STATE=existing\n"}}
	for _, each := range []any{plan.JSON["diff"], answer.JSON["diff"]} {
		if diff := cmp.Diff(wantDiff, each); diff != "" {
			t.Error(diff)
		}
	}
	wantAfter := map[string]any{"ETCD_INITIAL_CLUSTER": m0 + "," + m1, "ETCD_INITIAL_CLUSTER_STATE": "existing"}
	if diff := cmp.Diff(wantAfter, answer.JSON["after"]); diff != "" {
		t.Error(diff)
	}
	if copied, _ := answer.JSON["backup_file"].(string); moduletest.Read(t, copied) != before {
		t.Errorf("the copy %s is not the file as it was", copied)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o640 {
		t.Errorf("mode: %v, %v", st, err)
	}
	again := moduletest.Run(t, args).OK(t, false)
	if diff := cmp.Diff([]any{"m2"}, again.JSON["unmatched"]); diff != "" {
		t.Error(diff)
	}
	if again.JSON["diff"] != nil || again.JSON["backup_file"] != nil || moduletest.Entries(t, path) != 2 {
		t.Errorf("a run without a change left something: %s", again.Stdout)
	}

	moduletest.Run(t, map[string]any{"path": path, "initial_cluster_add": m2, "settings": "ETCD_INITIAL_CLUSTER_STATE=new"}).OK(t, true)
	if diff := cmp.Diff(before, moduletest.Read(t, path)); diff != "" {
		t.Errorf("removed and added again: %s", diff)
	}
}

func TestVariants(t *testing.T) {
	const key = "ETCD_INITIAL_CLUSTER="
	existing := map[string]any{"settings": map[string]any{"ETCD_INITIAL_CLUSTER_STATE": "existing"}}
	add, remove := map[string]any{"initial_cluster_add": []any{m2}}, map[string]any{"initial_cluster_remove": []any{master2}}
	unforce := map[string]any{"settings": map[string]any{"ETCD_FORCE_NEW_CLUSTER": nil}}
	for name, tc := range map[string]struct {
		text string
		args map[string]any
		want string
	}{
		"bare, added":          {key + m0 + "\n", add, key + m0 + "," + m2 + "\n"},
		"bare, removed":        {key + m2 + "," + m0 + "\n", remove, key + m0 + "\n"},
		"dict added":           {key + m0 + "\n", map[string]any{"initial_cluster_add": []any{map[string]any{"name": "x", "peer_urls": []any{"https://a:1", "https://b:1"}}}}, key + m0 + ",x=https://a:1,x=https://b:1\n"},
		"URL exchanged":        {key + "master-2.example.com=https://h:1," + m0 + "\n", add, key + m2 + "," + m0 + "\n"},
		"renamed":              {key + "old=https://192.0.2.13:2380," + m0 + "\n", map[string]any{"initial_cluster_add": []any{m2}, "initial_cluster_remove": "old"}, key + m0 + "," + m2 + "\n"},
		"removed by name":      {key + m2 + "," + m0 + "\n", map[string]any{"initial_cluster_remove": "master-2.example.com"}, key + m0 + "\n"},
		"exact":                {key + m0 + "," + m1 + "\n", map[string]any{"initial_cluster": []any{m2, m1}}, key + m1 + "," + m2 + "\n"},
		"exact, key missing":   {"#" + key + "\nA=1\n", map[string]any{"initial_cluster": m0 + "," + m1}, "#" + key + "\n" + key + m0 + "," + m1 + "\nA=1\n"},
		"exact, broken before": {key + "rubbish\n", map[string]any{"initial_cluster": m0}, key + m0 + "\n"},
		"double quotes":        {key + `"` + m0 + "\"  \n", add, key + `"` + m0 + "," + m2 + "\"  \n"},
		"single quotes":        {key + `'` + m0 + "'\n", add, key + `'` + m0 + "," + m2 + "'\n"},
		"CRLF":                 {"A=1\r\n" + key + m0 + "\r\n# x\r\n", add, "A=1\r\n" + key + m0 + "," + m2 + "\r\n# x\r\n"},
		"tabs":                 {"\t" + key + m0 + "\t\n", add, "\t" + key + m0 + "," + m2 + "\t\n"},
		"comments around":      {"# 1\n" + key + m0 + "\n# 2\n#" + key + m1 + "\n", add, "# 1\n" + key + m0 + "," + m2 + "\n# 2\n#" + key + m1 + "\n"},
		"given twice":          {key + m1 + "\n" + key + m0 + "\n", add, key + m1 + "\n" + key + m0 + "," + m2 + "\n"},
		"continuation":         {key + m0 + ",\\\n" + m1 + "\nA=1\n", add, key + m0 + "," + m1 + "," + m2 + "\nA=1\n"},
		"no line end":          {key + m0, add, key + m0 + "," + m2},
		"new after its line":   {"#ETCD_INITIAL_CLUSTER_STATE=new\nA=1\n", existing, "#ETCD_INITIAL_CLUSTER_STATE=new\nETCD_INITIAL_CLUSTER_STATE=existing\nA=1\n"},
		"new at the end":       {"A=1\n\n# end", existing, "A=1\n\n# end\nETCD_INITIAL_CLUSTER_STATE=existing"},
		"empty value":          {"ETCD_INITIAL_CLUSTER_STATE=\nA=1\n", existing, "ETCD_INITIAL_CLUSTER_STATE=existing\nA=1\n"},
		"empty file":           {"", existing, "ETCD_INITIAL_CLUSTER_STATE=existing\n"},
		"flag removed":         {"ETCD_FORCE_NEW_CLUSTER=true\nA=1\n#ETCD_FORCE_NEW_CLUSTER=true\nETCD_FORCE_NEW_CLUSTER=\"true\"", unforce, "A=1\n#ETCD_FORCE_NEW_CLUSTER=true\n"},
		"numbers and booleans": {"A=1\n", map[string]any{"settings": map[string]any{"ETCD_B": true, "ETCD_A": 8589934592}}, "A=1\nETCD_A=8589934592\nETCD_B=true\n"},
		"value with blanks":    {"ETCD_CORS=x\n", map[string]any{"settings": map[string]any{"ETCD_CORS": "a $b"}}, "ETCD_CORS=\"a \\$b\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			path := conf(t, tc.text)
			args := map[string]any{"path": path}
			for k, v := range tc.args {
				args[k] = v
			}
			moduletest.Run(t, args).OK(t, true)
			if diff := cmp.Diff(tc.want, moduletest.Read(t, path)); diff != "" {
				t.Fatal(diff)
			}
			moduletest.Run(t, args).OK(t, false)
		})
	}
}

func TestNothingToChange(t *testing.T) {
	for name, args := range map[string]map[string]any{
		"same members, other order": {"initial_cluster": []any{m2, m0, m1}},
		"listed":                    {"initial_cluster_add": []any{m1}},
		"not listed":                {"initial_cluster_remove": "x"},
		"blank list":                {"initial_cluster_add": []any{}},
		"same setting":              {"settings": map[string]any{"ETCD_HEARTBEAT_INTERVAL": 500}},
		"no flag":                   {"settings": map[string]any{"ETCD_FORCE_NEW_CLUSTER": nil}},
	} {
		t.Run(name, func(t *testing.T) {
			path := conf(t, installed(t))
			args["path"], args["backup"] = path, true
			moduletest.Run(t, args).OK(t, false)
			if moduletest.Read(t, path) != installed(t) || moduletest.Entries(t, path) != 1 {
				t.Error("something was written")
			}
		})
	}
}

func TestSameMembersKeepTheirText(t *testing.T) {
	text := "ETCD_INITIAL_CLUSTER=\"" + m0 + ", " + m1 + "\"\n"
	path := conf(t, text)
	for _, args := range []map[string]any{{"initial_cluster": []any{m1, m0}}, {"initial_cluster_add": m1}, {"initial_cluster_remove": "x"}} {
		args["path"] = path
		moduletest.Run(t, args).OK(t, false)
	}
	if diff := cmp.Diff(text, moduletest.Read(t, path)); diff != "" {
		t.Error(diff)
	}
}

func TestRefusals(t *testing.T) {
	three := "ETCD_NAME=master-1.example.com\nETCD_INITIAL_CLUSTER=" + m0 + "," + m1 + "," + m2 + "\n"
	settings := func(key string, value any) map[string]any {
		return map[string]any{"settings": map[string]any{key: value}}
	}
	for name, tc := range map[string]struct {
		text, kind, want string
		args             map[string]any
	}{
		"force flag":        {three, "refused", "drops all other members", settings("ETCD_FORCE_NEW_CLUSTER", true)},
		"force flag, false": {three, "refused", "ETCD_FORCE_NEW_CLUSTER is never written", settings("ETCD_FORCE_NEW_CLUSTER", "false")},
		"other name":        {three, "refused", `expected ETCD_NAME=master-2, found "master-1.example.com"`, map[string]any{"settings": "ETCD_A=1", "expect_name": "master-2"}},
		"no name":           {"A=1\n", "refused", `found ""`, map[string]any{"settings": "ETCD_A=1", "expect_name": "master-2"}},
		"own member":        {three, "refused", "would not name this host's own member, master-1.example.com", map[string]any{"initial_cluster_remove": "192.0.2.12"}},
		"all removed":       {"ETCD_INITIAL_CLUSTER=" + m2 + "\n", "refused", "would name no member at all", map[string]any{"initial_cluster_remove": []any{master2}}},
		"empty exact":       {three, "refused", "would name no member at all", map[string]any{"initial_cluster": []any{}}},
		"emptied":           {three, "refused", "would name no member at all", settings("ETCD_INITIAL_CLUSTER", nil)},
		"one URL for two":   {three, "refused", "is the peer URL of two members, master-2.example.com and x", map[string]any{"initial_cluster_add": "x=https://192.0.2.13:2380"}},
		"state":             {three, "invalid", `is new or existing, not "old"`, settings("ETCD_INITIAL_CLUSTER_STATE", "old")},
		"list as setting":   {three, "invalid", "expected", settings("ETCD_INITIAL_CLUSTER", "a,b")},
		"both ways":         {three, "invalid", "use one of them", map[string]any{"settings": map[string]any{"ETCD_INITIAL_CLUSTER": m1}, "initial_cluster_add": m2}},
		"no such key":       {"A=1\n", "invalid", "expected ETCD_INITIAL_CLUSTER=NAME=URL,NAME=URL, found no such key", nil},
		"empty key":         {"ETCD_INITIAL_CLUSTER=\n", "invalid", "found an empty value", nil},
		"broken list":       {"A=1\nETCD_INITIAL_CLUSTER=a\n", "invalid", "line 2: ETCD_INITIAL_CLUSTER: expected a list of members", nil},
		"export":            {three + "export ETCD_A=1\n", "invalid", "line 3: `export` is only understood by a shell", nil},
		"expansion":         {"A=1\n" + `ETCD_INITIAL_CLUSTER="$X"` + "\n", "invalid", "line 2: ETCD_INITIAL_CLUSTER: a shell expands", nil},
		"comment behind":    {"ETCD_INITIAL_CLUSTER=" + m0 + " # x\n", "invalid", "line 1: ETCD_INITIAL_CLUSTER: an unquoted blank", nil},
		"blanks":            {"ETCD_INITIAL_CLUSTER = " + m0 + "\n", "invalid", "line 1: expected KEY=value without blanks", nil},
		"open quote":        {"ETCD_INITIAL_CLUSTER=\"" + m0 + "\n", "invalid", "is never closed", nil},
		"command":           {three + "exit 0\n", "invalid", "line 3: expected KEY=value or a comment", nil},
		"not a key":         {three, "invalid", `"etcd_name" is no key of etcd.conf`, settings("etcd_name", "x")},
		"line end in value": {three, "invalid", "control character", settings("ETCD_A", "x\nETCD_FORCE_NEW_CLUSTER=true")},
		"list as value":     {three, "invalid", "expected a text", settings("ETCD_A", []any{1})},
		"bad member":        {three, "invalid", "argument initial_cluster_add: expected NAME=URL", map[string]any{"initial_cluster_add": "x"}},
		"bad peer URL":      {three, "invalid", "no URL of an etcd", map[string]any{"initial_cluster_add": "x=192.0.2.1:2380"}},
		"exclusive":         {three, "invalid", "exclude each other", map[string]any{"initial_cluster": m1, "initial_cluster_add": m2}},
		"exclusive, remove": {three, "invalid", "exclude each other", map[string]any{"initial_cluster": m1, "initial_cluster_remove": "x"}},
		"nothing asked":     {three, "invalid", "is required", map[string]any{}},
	} {
		t.Run(name, func(t *testing.T) {
			path := conf(t, tc.text)
			if tc.args == nil {
				tc.args = map[string]any{"initial_cluster_add": []any{m2}}
			}
			moduletest.Refuses(t, path, tc.args, tc.kind, tc.want)
		})
	}
}

func TestMissingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none")
	answer := moduletest.Run(t, map[string]any{"path": path, "settings": "ETCD_A=1"}).Failed(t, "invalid")
	if !strings.Contains(answer.Msg(), path) || !strings.Contains(answer.JSON["hint"].(string), "state=restored") {
		t.Error(answer.Stdout)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Error("the file was made")
	}
}

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, rules) }

// A link that the directory's owner has put in the file's place is refused, with advice, and its target stays.
func TestHostileLink(t *testing.T) {
	const stranger = 65534 // tests run as root
	dir, victim := filepath.Join(t.TempDir(), "etcd"), filepath.Join(t.TempDir(), "victim")
	conf := filepath.Join(dir, "etcd.conf")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, stranger, stranger), os.WriteFile(victim, []byte("ETCD_NAME=a\n"), 0o600),
		os.Symlink(victim, conf)); err != nil {
		t.Fatal(err)
	}
	a := moduletest.Run(t, map[string]any{"path": conf, "settings": map[string]any{"ETCD_NAME": "b"}, "backup": true}).Failed(t, "refused")
	if !strings.Contains(a.Msg(), conf+" is a link") || !strings.Contains(a.Stdout, "ls -l "+conf) {
		t.Error(a.Stdout)
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "ETCD_NAME=a\n" {
		t.Errorf("%q, %v", text, err)
	}
}
