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

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func entries(t *testing.T, path string) int {
	t.Helper()
	all, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestCheckRunAgain(t *testing.T) {
	before := "# etcd\nFLANNEL_ETCD_ENDPOINTS=" + url0 + "," + url1 + "," + url2 + rest
	after := "# etcd\nFLANNEL_ETCD_ENDPOINTS=" + url0 + "," + url1 + rest
	path := flanneld(t, before)
	args := map[string]any{"path": path, "remove": []any{master2}, "backup": "yes", "_ansible_diff": true}

	plan := moduletest.Run(t, map[string]any{"path": path, "remove": []any{master2}, "backup": true, "_ansible_diff": true, "_ansible_check_mode": true}).OK(t, true)
	if read(t, path) != before || entries(t, path) != 1 {
		t.Fatal("check mode wrote")
	}
	answer := moduletest.Run(t, args).OK(t, true).Documented(t, documentation)
	if diff := cmp.Diff(after, read(t, path)); diff != "" {
		t.Error(diff)
	}
	wantDiff := []any{map[string]any{"before_header": path, "after_header": path,
		"before": "FLANNEL_ETCD_ENDPOINTS=" + url0 + "," + url1 + "," + url2 + "\n", "after": "FLANNEL_ETCD_ENDPOINTS=" + url0 + "," + url1 + "\n"}}
	for _, each := range []any{plan.JSON["diff"], answer.JSON["diff"]} {
		if diff := cmp.Diff(wantDiff, each); diff != "" {
			t.Error(diff)
		}
	}
	if copied, _ := answer.JSON["backup_file"].(string); read(t, copied) != before {
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
	if diff := cmp.Diff(before, read(t, path)); diff != "" {
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
			if diff := cmp.Diff(tc.want, read(t, path)); diff != "" {
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
		"exclusive":   {key + url0 + "\n", "invalid", "exclude each other", map[string]any{"urls": url0, "add": "x"}},
		"nothing":     {key + url0 + "\n", "invalid", "is required", map[string]any{}},
		"bad alias":   {key + url0 + "\n", "invalid", "argument add: expected", map[string]any{"add": []any{map[string]any{"name": "a", "aliases": "b"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			path := flanneld(t, tc.text)
			if tc.args == nil {
				tc.args = map[string]any{"remove": []any{master2}}
			}
			tc.args["path"] = path
			answer := moduletest.Run(t, tc.args).Failed(t, tc.kind)
			if !strings.Contains(answer.Msg(), tc.want) {
				t.Errorf("want %q, got %q", tc.want, answer.Msg())
			}
			if read(t, path) != tc.text || entries(t, path) != 1 {
				t.Error("a refusal changed something")
			}
		})
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
