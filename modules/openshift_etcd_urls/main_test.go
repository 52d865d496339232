package main

import (
	"fmt"
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
)

// master2 is a host as a playbook names it: by all its names.
var master2 = map[string]any{"name": "m2", "aliases": []any{"192.0.2.13", nil, "", "master-2.example.com"}}

func masterConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "master-config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	return path
}

// config is the part around etcdClientInfo; the list stands in the place of %s.
const config = "apiVersion: v1\netcdClientInfo:\n  ca: master.etcd-ca.crt\n  urls:%s\nkind: MasterConfig # end\n"

func list(urls ...string) string {
	text := ""
	for _, each := range urls {
		text += "\n  - " + each
	}
	return fmt.Sprintf(config, text)
}

func TestRemoveCheckRunAgain(t *testing.T) {
	before, after := list(url0, url1, url2), list(url0, url1)
	path := masterConfig(t, before)
	args := map[string]any{"path": path, "remove": []any{master2}, "backup": true, "_ansible_diff": true}

	checked := map[string]any{"_ansible_check_mode": true}
	for k, v := range args {
		checked[k] = v
	}
	plan := moduletest.Run(t, checked).OK(t, true)
	if moduletest.Read(t, path) != before || moduletest.Entries(t, path) != 1 {
		t.Fatal("check mode wrote")
	}

	answer := moduletest.Run(t, args).OK(t, true)
	if diff := cmp.Diff(after, moduletest.Read(t, path)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(plan.JSON["diff"], answer.JSON["diff"]); diff != "" {
		t.Errorf("check mode foretold another diff: %s", diff)
	}
	wantDiff := []any{map[string]any{"before_header": path, "after_header": path,
		"before": "  urls:\n  - " + url0 + "\n  - " + url1 + "\n  - " + url2 + "\n", "after": "  urls:\n  - " + url0 + "\n  - " + url1 + "\n"}}
	if diff := cmp.Diff(wantDiff, answer.JSON["diff"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]any{url0, url1, url2}, answer.JSON["before"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]any{url0, url1}, answer.JSON["after"]); diff != "" {
		t.Error(diff)
	}
	copied, _ := answer.JSON["backup_file"].(string)
	if moduletest.Read(t, copied) != before {
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
}

func TestVariants(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		args map[string]any
		want string
	}{
		"added":                  {list(url0, url1), map[string]any{"add": []any{master2}}, list(url0, url1, url2)},
		"added by address":       {list("http://192.0.2.11:4001"), map[string]any{"add": []any{master2}}, list("http://192.0.2.11:4001", "http://192.0.2.13:4001")},
		"exchanged":              {list(url0, url1), map[string]any{"add": []any{master2}, "remove": "master-0.example.com"}, list(url1, url2)},
		"exact":                  {list(url0, url1), map[string]any{"urls": []any{url2, url0}}, list(url2, url0)},
		"exact, ad hoc":          {list(url0, url1), map[string]any{"urls": url2 + "," + url0}, list(url2, url0)},
		"removed, ad hoc":        {list(url0, url1), map[string]any{"remove": "master-1.example.com,x"}, list(url0)},
		"removed by URL":         {list(url0, url1), map[string]any{"remove": []any{url1}}, list(url0)},
		"quotes":                 {list("'"+url0+"'", `"`+url1+`"`), map[string]any{"add": []any{master2}}, list("'"+url0+"'", `"`+url1+`"`, `"`+url2+`"`)},
		"single quotes":          {list("'"+url0+"'", "'"+url1+"'"), map[string]any{"remove": "master-0.example.com"}, list("'" + url1 + "'")},
		"comment behind":         {list(url0+" # rack 1", url1), map[string]any{"remove": "master-0.example.com"}, fmt.Sprintf(config, "\n  # rack 1\n  - "+url1)},
		"comment above":          {fmt.Sprintf(config, " # all\n  # first\n  - "+url0+"\n  # second\n  - "+url1), map[string]any{"remove": "master-1.example.com"}, fmt.Sprintf(config, " # all\n  # first\n  - "+url0+"\n  # second")},
		"comment below key":      {fmt.Sprintf(config, "\n  # members\n  - "+url0+"\n  - "+url1), map[string]any{"remove": "master-0.example.com"}, fmt.Sprintf(config, "\n  # members\n  - "+url1)},
		"comment at the end":     {fmt.Sprintf(config, "\n  - "+url0+"\n  - "+url1+"\n  # no more"), map[string]any{"remove": "master-1.example.com"}, fmt.Sprintf(config, "\n  - "+url0+"\n  # no more")},
		"added before a comment": {fmt.Sprintf(config, "\n  - "+url0+" # a\n\n  # no more"), map[string]any{"add": []any{master2}}, fmt.Sprintf(config, "\n  - "+url0+" # a\n  - "+url2+"\n\n  # no more")},
		"comments in flow":       {fmt.Sprintf(config, " [ # all\n    "+url0+", # a\n    "+url1+" # b\n  ]"), map[string]any{"add": []any{master2}}, fmt.Sprintf(config, " [ # all\n    "+url0+", # a\n    "+url1+", # b\n    "+url2+"\n  ]")},
		"CRLF":                   {strings.ReplaceAll(list(url0, url1), "\n", "\r\n"), map[string]any{"add": []any{master2}}, strings.ReplaceAll(list(url0, url1, url2), "\n", "\r\n")},
		"deep indent":            {fmt.Sprintf(config, "\n      -   "+url0+"\n      -   "+url1), map[string]any{"add": []any{master2}}, fmt.Sprintf(config, "\n      -   "+url0+"\n      -   "+url1+"\n      -   "+url2)},
		"flow":                   {fmt.Sprintf(config, " ["+url0+", "+url1+"]"), map[string]any{"add": []any{master2}}, fmt.Sprintf(config, " ["+url0+", "+url1+", "+url2+"]")},
		"flow, removed":          {fmt.Sprintf(config, " [ "+url0+", '"+url1+"' ] # x"), map[string]any{"remove": "master-1.example.com"}, fmt.Sprintf(config, " [ "+url0+" ] # x")},
		"flow, lines":            {fmt.Sprintf(config, " [\n    "+url0+", # a\n    "+url1+"\n  ]"), map[string]any{"add": []any{master2}}, fmt.Sprintf(config, " [\n    "+url0+", # a\n    "+url1+",\n    "+url2+"\n  ]")},
		"flow in flow":           {"etcdClientInfo: {ca: x, urls: [" + url0 + ", " + url1 + "], keyFile: y}\n", map[string]any{"remove": "master-0.example.com"}, "etcdClientInfo: {ca: x, urls: [" + url1 + "], keyFile: y}\n"},
		"JSON":                   {`{"etcdClientInfo":{"urls":["` + url0 + `","` + url1 + `"]},"x":1}`, map[string]any{"remove": "master-0.example.com"}, `{"etcdClientInfo":{"urls":["` + url1 + `"]},"x":1}`},
		"tabs and blanks":        {fmt.Sprintf(config, "\t\n  - "+url0+"\t \n  - "+url1+" \t# x"), map[string]any{"add": []any{master2}}, fmt.Sprintf(config, "\t\n  - "+url0+"\t \n  - "+url1+" \t# x\n  - "+url2)},
		"document start":         {"---\n" + list(url0, url1), map[string]any{"remove": "master-1.example.com"}, "---\n" + list(url0)},
		"no line end":            {"etcdClientInfo:\n  urls:\n  - " + url0, map[string]any{"add": []any{master2}}, "etcdClientInfo:\n  urls:\n  - " + url0 + "\n  - " + url2},
		"same key elsewhere":     {"urls: [x]\n" + list(url0, url1), map[string]any{"remove": "master-1.example.com"}, "urls: [x]\n" + list(url0)},
		"quoted keys":            {"\"etcdClientInfo\":\n  'urls':\n  - " + url0 + "\n  - " + url1 + "\n", map[string]any{"remove": "master-1.example.com"}, "\"etcdClientInfo\":\n  'urls':\n  - " + url0 + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			path := masterConfig(t, tc.text)
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
	none := fmt.Sprintf(config, "")
	for name, tc := range map[string]struct {
		text, kind, want string
		args             map[string]any
	}{
		"last one":       {list(url2), "refused", "would leave no URL at all", map[string]any{"remove": []any{master2}}},
		"empty exact":    {list(url0), "refused", "an empty list", map[string]any{"urls": []any{}}},
		"missing key":    {"etcdClientInfo: {ca: x}\n", "invalid", "expected a list with at least one entry at etcdClientInfo.urls", nil},
		"no section":     {"kind: MasterConfig\n", "invalid", "there is no key etcdClientInfo", nil},
		"empty key":      {none, "invalid", "etcdClientInfo.urls is empty", nil},
		"key twice":      {list(url0) + "etcdClientInfo:\n  urls: [x]\n", "invalid", "given twice", nil},
		"alias":          {"x: &u [" + url0 + "]\netcdClientInfo:\n  urls: *u\n", "invalid", "an alias", nil},
		"two documents":  {list(url0) + "---\n" + list(url1), "invalid", "a second YAML document starts here", nil},
		"bad YAML":       {"etcdClientInfo:\n\turls: [x]\n", "invalid", "not valid YAML", nil},
		"folded":         {fmt.Sprintf(config, "\n  - >-\n    "+url0), "invalid", "not written on one line", nil},
		"bad URL":        {list(url0), "invalid", "no URL of an etcd", map[string]any{"urls": "ftp://x"}},
		"no address":     {list("https://192.0.2.1:2379"), "refused", "none of its names (m3) is one", map[string]any{"add": "m3"}},
		"bad host":       {list(url0), "invalid", "argument add: expected a host's name", map[string]any{"add": []any{7}}},
		"nothing to do":  {list(url0), "invalid", "one of the arguments add, remove, urls, members is required", map[string]any{"backup": true}},
		"urls and add":   {list(url0), "invalid", "exclude each other", map[string]any{"urls": url0, "add": "x"}},
		"urls, remove":   {list(url0), "invalid", "exclude each other", map[string]any{"urls": url0, "remove": "x"}},
		"unknown":        {list(url0), "invalid", `unknown argument "host"`, map[string]any{"host": "x"}},
		"add and remove": {list(url0), "invalid", "to be added and to be removed", map[string]any{"add": []any{master2}, "remove": "192.0.2.13"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := masterConfig(t, tc.text)
			if tc.args == nil {
				tc.args = map[string]any{"remove": []any{master2}}
			}
			moduletest.Refuses(t, path, tc.args, tc.kind, tc.want)
		})
	}
}

func TestMissingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none")
	answer := moduletest.Run(t, map[string]any{"path": path, "remove": "x"}).Failed(t, "invalid")
	if !strings.Contains(answer.Msg(), path) || !strings.Contains(answer.JSON["hint"].(string), "masters only") {
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
	member := func(i int) any {
		return map[string]any{"name": fmt.Sprint("m", i), "aliases": []any{fmt.Sprintf("master-%d.example.com", i)}}
	}
	before := list(url0, url1, url2)
	path := masterConfig(t, before)
	moduletest.Run(t, map[string]any{"path": path, "members": []any{member(2), member(0), member(1)}}).OK(t, false)
	refuses(t, map[string]any{"path": path, "members": []any{member(0), member(1)}}, path+", etcdClientInfo.urls lists "+url0+","+url1+","+url2+", which is not the list of members: no member has "+url2+"; right is "+url0+","+url1)
	refuses(t, map[string]any{"path": path, "members": []any{}}, "members is empty")
	refuses(t, map[string]any{"path": path, "members": []any{member(0)}, "remove": "x"}, "exclude each other")
	if moduletest.Read(t, path) != before || moduletest.Entries(t, path) != 1 {
		t.Fatal("a comparison wrote")
	}
}
