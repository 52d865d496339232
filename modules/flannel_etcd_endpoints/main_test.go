package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestMain(m *testing.M) { os.Exit(moduletest.Clean(m.Run())) }

const (
	url0 = "https://master-0.example.com:2379"
	url1 = "https://master-1.example.com:2379"
	url2 = "https://master-2.example.com:2379"
	// rest is what a real file holds beside the list; systemd takes all of it literally.
	rest = "\n# For address range assignment\nFLANNEL_ETCD_PREFIX=\"/openshift.com/network\"\n\nFLANNEL_OPTIONS=--iface eth0 $X --etcd-cafile=/etc/etcd/ca.crt\n"
)

var master2 = map[string]any{"name": "m2", "aliases": []any{"192.0.2.13", "master-2.example.com"}}

func flanneld(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "flanneld")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCheckRunAgain(t *testing.T) {
	before := "# etcd\nFLANNEL_ETCD_ENDPOINTS=" + url0 + "," + url1 + "," + url2 + rest
	after := "# etcd\nFLANNEL_ETCD_ENDPOINTS=" + url0 + "," + url1 + rest
	path := flanneld(t, before)
	args := map[string]any{"path": path, "remove": []any{master2}, "backup": "yes", "_ansible_diff": true}

	plan := moduletest.Run(t, map[string]any{"path": path, "remove": []any{master2}, "backup": true, "_ansible_diff": true, "_ansible_check_mode": true}).OK(t, true)
	if moduletest.Read(t, path) != before || moduletest.Entries(t, path) != 1 {
		t.Fatal("check mode wrote")
	}
	answer := moduletest.Run(t, args).OK(t, true)
	if diff := cmp.Diff(after, moduletest.Read(t, path)); diff != "" {
		t.Error(diff)
	}
	wantDiff := []any{map[string]any{"before_header": path, "after_header": path,
		"before": "FLANNEL_ETCD_ENDPOINTS=" + url0 + "," + url1 + "," + url2 + "\n", "after": "FLANNEL_ETCD_ENDPOINTS=" + url0 + "," + url1 + "\n"}}
	for _, each := range []any{plan.JSON["diff"], answer.JSON["diff"]} {
		if diff := cmp.Diff(wantDiff, each); diff != "" {
			t.Error(diff)
		}
	}
	if copied, _ := answer.JSON["backup_file"].(string); moduletest.Read(t, copied) != before {
		t.Errorf("the copy %s is not the file as it was", copied)
	}
	if answer.JSON["present"] != true || answer.JSON["warnings"] != nil {
		t.Error(answer.Stdout)
	}
	again := moduletest.Run(t, args).OK(t, false)
	if diff := cmp.Diff([]any{"m2"}, again.JSON["unmatched"]); diff != "" {
		t.Error(diff)
	}

	moduletest.Run(t, map[string]any{"path": path, "add": []any{master2}}).OK(t, true)
	if diff := cmp.Diff(before, moduletest.Read(t, path)); diff != "" {
		t.Errorf("removed and added again: %s", diff)
	}
}

func TestWithoutFlannel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flanneld")
	answer := moduletest.Run(t, map[string]any{"path": path, "remove": "x"}).OK(t, false)
	if answer.JSON["present"] != false {
		t.Error(answer.Stdout)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Error("the file was made")
	}
}

func TestVariants(t *testing.T) {
	const key = "FLANNEL_ETCD_ENDPOINTS="
	for name, tc := range map[string]struct {
		text string
		args map[string]any
		want string
	}{
		"bare":              {key + url0 + "," + url1 + rest, map[string]any{"remove": "master-1.example.com"}, key + url0 + rest},
		"first":             {key + url0 + "," + url1 + rest, map[string]any{"remove": "master-0.example.com"}, key + url1 + rest},
		"double quotes":     {key + `"` + url0 + "," + url1 + `"` + rest, map[string]any{"add": []any{master2}}, key + `"` + url0 + "," + url1 + "," + url2 + `"` + rest},
		"single quotes":     {key + `'` + url0 + `'` + rest, map[string]any{"add": []any{master2}}, key + `'` + url0 + "," + url2 + `'` + rest},
		"exact":             {key + url0 + rest, map[string]any{"urls": []any{url1, url2}}, key + url1 + "," + url2 + rest},
		"by address":        {key + "http://192.0.2.11:2379" + rest, map[string]any{"add": []any{master2}}, key + "http://192.0.2.11:2379,http://192.0.2.13:2379" + rest},
		"CRLF":              {key + url0 + "\r\nX=1\r\n", map[string]any{"add": []any{master2}}, key + url0 + "," + url2 + "\r\nX=1\r\n"},
		"twice":             {key + url1 + "\n" + key + url0 + "\n", map[string]any{"add": []any{master2}}, key + url1 + "\n" + key + url0 + "," + url2 + "\n"},
		"no line end":       {"X=1\n" + key + url0, map[string]any{"add": []any{master2}}, "X=1\n" + key + url0 + "," + url2},
		"continuation":      {key + url0 + ",\\\n" + url1 + "\nX=1\n", map[string]any{"remove": "master-1.example.com"}, key + url0 + "\nX=1\n"},
		"indented":          {"  " + key + url0 + "," + url1 + "  \n", map[string]any{"remove": "master-1.example.com"}, "  " + key + url0 + "  \n"},
		"blanks around":     {"FLANNEL_ETCD_ENDPOINTS = " + url0 + " , " + url1 + "\n", map[string]any{"remove": "master-1.example.com"}, "FLANNEL_ETCD_ENDPOINTS = " + url0 + "\n"},
		"commented-out one": {"#" + key + "http://127.0.0.1:2379\n" + key + url0 + "\n", map[string]any{"add": []any{master2}}, "#" + key + "http://127.0.0.1:2379\n" + key + url0 + "," + url2 + "\n"},
		"only for systemd":  {"; x\nexport Y=1\n[z]\n" + key + url0 + "\n", map[string]any{"add": []any{master2}}, "; x\nexport Y=1\n[z]\n" + key + url0 + "," + url2 + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			path := flanneld(t, tc.text)
			tc.args["path"] = path
			moduletest.Run(t, tc.args).OK(t, true)
			if diff := cmp.Diff(tc.want, moduletest.Read(t, path)); diff != "" {
				t.Fatal(diff)
			}
			moduletest.Run(t, tc.args).OK(t, false)
		})
	}
}

func TestRefusals(t *testing.T) {
	const key = "FLANNEL_ETCD_ENDPOINTS="
	for name, tc := range map[string]struct {
		text, kind, want string
		args             map[string]any
	}{
		"last one":    {key + url2 + "\n", "refused", "would leave no URL at all", nil},
		"empty exact": {key + url0 + "\n", "refused", "an empty list", map[string]any{"urls": []any{}}},
		"no key":      {"#" + key + url0 + "\n", "invalid", "expected FLANNEL_ETCD_ENDPOINTS=URL,URL, found no such key", nil},
		"empty key":   {key + "\"\"\n", "invalid", "found an empty value", nil},
		"no URL":      {"\n" + key + url0 + ",x\n", "invalid", `line 2: FLANNEL_ETCD_ENDPOINTS: "x" is no URL`, nil},
		"variable":    {key + "$URLS\n", "invalid", `"$URLS" is no URL`, nil},
		"open quote":  {key + "\"" + url0 + "\n", "invalid", "line 1: FLANNEL_ETCD_ENDPOINTS: the quote", nil},
		"a comment":   {key + "\"" + url0 + "," + url2 + "\"   # masters\n", "invalid", "line 1: FLANNEL_ETCD_ENDPOINTS: a comment stands behind", nil},
		"two lists":   {key + url0 + "\nFLANNEL_ETCD=" + url1 + "\n", "invalid", "list different URLs", nil},
		"exclusive":   {key + url0 + "\n", "invalid", "exclude each other", map[string]any{"urls": url0, "add": "x"}},
		"nothing":     {key + url0 + "\n", "invalid", "is required", map[string]any{}},
		"bad alias":   {key + url0 + "\n", "invalid", "argument add: expected", map[string]any{"add": []any{map[string]any{"name": "a", "aliases": "b"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			path := flanneld(t, tc.text)
			if tc.args == nil {
				tc.args = map[string]any{"remove": []any{master2}}
			}
			moduletest.Refuses(t, path, tc.args, tc.kind, tc.want)
		})
	}
}

// systemctl is a stand-in that reports the same state for every unit.
func systemctl(t *testing.T, enabled, active string) {
	t.Helper()
	dir := t.TempDir()
	text := "#!/bin/sh\nprintf 'LoadState=loaded\\nActiveState=" + active + "\\nSubState=x\\nUnitFileState=" + enabled + "\\n'\n"
	if err := os.WriteFile(filepath.Join(dir, "systemctl"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// packaged is what the flannel package installs, on hosts that use flannel and on others.
const packaged = "# Flanneld configuration options\n\nFLANNEL_ETCD_ENDPOINTS=\"http://127.0.0.1:2379\"\nFLANNEL_ETCD_PREFIX=\"/atomic.io/network\"\n\n#FLANNEL_OPTIONS=\"\"\n"

// TestUse: a host uses flannel where its unit is enabled or runs, or where the list names a host; it is restarted only where it runs anyway.
func TestUse(t *testing.T) {
	member := "FLANNEL_ETCD_ENDPOINTS=" + url0 + "\n"
	for name, tc := range map[string]struct {
		text, enabled, active     string
		present, changed, restart bool
	}{
		"used":                              {member, "enabled", "active", true, true, true},
		"starts at boot":                    {member, "enabled", "inactive", true, true, false},
		"runs until the next boot":          {member, "disabled", "active", true, true, false},
		"lists a member":                    {member, "disabled", "inactive", true, true, false},
		"the package's file":                {packaged, "disabled", "inactive", false, false, false},
		"the package's file, of a proxy":    {packaged, "enabled", "active", true, false, false},
		"localhost":                         {"FLANNEL_ETCD=http://localhost:4001,http://[::1]:4001\n", "disabled", "inactive", false, false, false},
		"no list":                           {"X=1\n", "disabled", "inactive", false, false, false},
		"no list that can be read":          {"FLANNEL_ETCD_ENDPOINTS=\"" + url0 + "\n", "static", "failed", false, false, false},
		"the package's list and a real one": {packaged + "FLANNEL_ETCD=" + url0 + "\n", "enabled", "active", true, true, true},
		"the same list under both names":    {member + "FLANNEL_ETCD=" + url0 + "\n", "enabled", "active", true, true, true},
		"the old name":                      {"FLANNEL_ETCD=\"" + url0 + "\"\nFLANNEL_ETCD_KEY=/openshift.com/network\n", "enabled", "active", true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			systemctl(t, tc.enabled, tc.active)
			path := flanneld(t, tc.text)
			args := map[string]any{"path": path, "add": []any{master2}, "_ansible_check_mode": true}
			check := moduletest.Run(t, args).OK(t, tc.changed)
			delete(args, "_ansible_check_mode")
			answer := moduletest.Run(t, args).OK(t, tc.changed)
			for _, got := range []map[string]any{check.JSON, answer.JSON} {
				if got["present"] != tc.present || got["restart"] != tc.restart {
					t.Errorf("present %v, restart %v", got["present"], got["restart"])
				}
			}
			want := tc.text
			if tc.changed {
				want = strings.ReplaceAll(tc.text, url0, url0+","+url2)
			} else if !strings.Contains(answer.Msg(), "stays as it is") {
				t.Errorf("no word of why: %q", answer.Msg())
			}
			if diff := cmp.Diff(want, moduletest.Read(t, path)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestListInTheOptions(t *testing.T) {
	const options = "FLANNEL_ETCD_ENDPOINTS=\"\"\nFLANNEL_OPTIONS=\"-iface eth0 -etcd-endpoints=" + url0 + "," + url2 + "\"\n"
	path := flanneld(t, options)
	answer := moduletest.Run(t, map[string]any{"path": path, "remove": []any{master2}}).Failed(t, "unsupported")
	if hint, _ := answer.JSON["hint"].(string); !strings.Contains(answer.Msg(), "FLANNEL_OPTIONS") || !strings.Contains(hint, "-etcd-endpoints="+url0+"; ") {
		t.Errorf("%q, %q", answer.Msg(), hint)
	}
	answer = moduletest.Run(t, map[string]any{"path": path, "add": []any{master2}}).OK(t, false)
	if diff := cmp.Diff([]any{url0, url2}, answer.JSON["after"]); diff != "" || answer.JSON["present"] != true {
		t.Error(answer.Stdout)
	}
	if moduletest.Read(t, path) != options {
		t.Error("the file was changed")
	}
}

func TestOverruled(t *testing.T) {
	path := flanneld(t, "FLANNEL_ETCD_ENDPOINTS="+url0+","+url2+"\nFLANNEL_OPTIONS=\"-etcd-endpoints="+url2+"\"\n")
	answer := moduletest.Run(t, map[string]any{"path": path, "remove": []any{master2}}).OK(t, true)
	warnings, _ := answer.JSON["warnings"].([]any)
	if len(warnings) != 1 || !strings.Contains(warnings[0].(string), "wins over") {
		t.Error(answer.Stdout)
	}
}

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, rules) }

func refuses(t *testing.T, args map[string]any, says string) {
	t.Helper()
	if got := moduletest.Run(t, args).Failed(t, "invalid").Msg(); !strings.Contains(got, says) {
		t.Errorf("%q lacks %q", got, says)
	}
}

// verify.yml calls it like this. In every case the file stays as it is.
func TestComparesWithTheMembers(t *testing.T) {
	members := []any{"master-0.example.com", "master-1.example.com"}
	before := "FLANNEL_ETCD_ENDPOINTS=" + url0 + "," + url1 + "," + url2 + rest
	path := flanneld(t, before)
	moduletest.Run(t, map[string]any{"path": path, "members": append([]any{master2}, members...)}).OK(t, false)
	refuses(t, map[string]any{"path": path, "members": members}, path+", FLANNEL_ETCD_ENDPOINTS lists ")
	moduletest.Run(t, map[string]any{"path": path + "x", "members": members}).OK(t, false)
	byOption := flanneld(t, "FLANNEL_OPTIONS=\"-etcd-endpoints="+url0+","+url2+"\"\n")
	refuses(t, map[string]any{"path": byOption, "members": members}, "no member has "+url2)
	if moduletest.Read(t, path) != before || moduletest.Entries(t, path) != 1 {
		t.Fatal("a comparison wrote")
	}
}
