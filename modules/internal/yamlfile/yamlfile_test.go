package yamlfile

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

func open(t *testing.T, text string) *List {
	t.Helper()
	l, err := Open([]byte(text), "e", "urls")
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return l
}

// variants are ways to write the list http://a:1, http://b:1, http://c:1. Each column is the expected result of one edit of TestSet.
var variants = map[string]struct {
	text               string
	withoutA, withoutB string // "" where the generic check is enough
	withoutC, withD    string
}{
	"block": {
		text:     "x: 1\ne:\n  ca: c\n  urls:\n  - http://a:1\n  - http://b:1\n  - http://c:1\ny: 2\n",
		withoutA: "x: 1\ne:\n  ca: c\n  urls:\n  - http://b:1\n  - http://c:1\ny: 2\n",
		withoutB: "x: 1\ne:\n  ca: c\n  urls:\n  - http://a:1\n  - http://c:1\ny: 2\n",
		withoutC: "x: 1\ne:\n  ca: c\n  urls:\n  - http://a:1\n  - http://b:1\ny: 2\n",
		withD:    "x: 1\ne:\n  ca: c\n  urls:\n  - http://a:1\n  - http://b:1\n  - http://c:1\n  - http://d:1\ny: 2\n",
	},
	"block without end": {
		text:     "e:\n  urls:\n    -  http://a:1\n    -  http://b:1\n    -  http://c:1",
		withoutC: "e:\n  urls:\n    -  http://a:1\n    -  http://b:1",
		withD:    "e:\n  urls:\n    -  http://a:1\n    -  http://b:1\n    -  http://c:1\n    -  http://d:1",
	},
	"CRLF": {
		text:     "e:\r\n  urls:\r\n  - http://a:1\r\n  - http://b:1 # b\r\n  - http://c:1",
		withoutB: "e:\r\n  urls:\r\n  - http://a:1\r\n  # b\r\n  - http://c:1",
		withoutC: "e:\r\n  urls:\r\n  - http://a:1\r\n  - http://b:1 # b",
		withD:    "e:\r\n  urls:\r\n  - http://a:1\r\n  - http://b:1 # b\r\n  - http://c:1\r\n  - http://d:1",
	},
	"comments": {
		text:     "# 0\ne: # 1\n  # 2\n  urls: # 3\n  # 4\n  - http://a:1   # 5\n  # 6\n\n  - http://b:1\t# 7\n  - http://c:1 # 8\n  # 9\nz: 1 # 10\n",
		withoutA: "# 0\ne: # 1\n  # 2\n  urls: # 3\n  # 4\n  # 5\n  # 6\n\n  - http://b:1\t# 7\n  - http://c:1 # 8\n  # 9\nz: 1 # 10\n",
		withoutB: "# 0\ne: # 1\n  # 2\n  urls: # 3\n  # 4\n  - http://a:1   # 5\n  # 6\n\n  # 7\n  - http://c:1 # 8\n  # 9\nz: 1 # 10\n",
		withoutC: "# 0\ne: # 1\n  # 2\n  urls: # 3\n  # 4\n  - http://a:1   # 5\n  # 6\n\n  - http://b:1\t# 7\n  # 8\n  # 9\nz: 1 # 10\n",
		withD:    "# 0\ne: # 1\n  # 2\n  urls: # 3\n  # 4\n  - http://a:1   # 5\n  # 6\n\n  - http://b:1\t# 7\n  - http://c:1 # 8\n  - http://d:1\n  # 9\nz: 1 # 10\n",
	},
	"double quotes": {
		text:  "e:\n  urls:\n  - \"http://a:1\"\n  - \"http://b:1\"\n  - \"http://c:1\"\n",
		withD: "e:\n  urls:\n  - \"http://a:1\"\n  - \"http://b:1\"\n  - \"http://c:1\"\n  - \"http://d:1\"\n",
	},
	"single quotes": {
		text:  "e:\n  urls:\n  - 'http://a:1' # 'x'\n  - 'http://b:1'\n  - 'http://c:1'\nf: 'it''s'\n",
		withD: "e:\n  urls:\n  - 'http://a:1' # 'x'\n  - 'http://b:1'\n  - 'http://c:1'\n  - 'http://d:1'\nf: 'it''s'\n",
	},
	"mixed quotes":   {text: "e:\n  urls:\n  - 'http://a:1'\n  - \"http:\\x2f\\u002fb:1\"\n  - http://c:1\n"},
	"quoted key":     {text: "\"e\":\n  'urls':\n  - http://a:1\n  - http://b:1\n  - http://c:1\n"},
	"tabs":           {text: "e:\t# t\n  urls:\t\n  - http://a:1\t# t\n  - http://b:1\t\n  -  http://c:1 \t# u\n"},
	"document start": {text: "%YAML 1.1\n---\n# x\ne:\n  urls:\n  - http://a:1\n  - http://b:1\n  - http://c:1\n...\n"},
	"no indent":      {text: "e:\n urls:\n - http://a:1\n - http://b:1\n - http://c:1\n"},
	"not ASCII":      {text: "ü: ä # ö\ne: {ü: é, urls: [http://a:1, http://b:1, http://c:1], ß: ö} # ö\n"},
	"multi-line text around": {
		text: "a: |\n  urls:\n  - http://a:1\nb: >-\n  e:\n    urls: [x]\ne:\n  urls:\n  - http://a:1\n  - http://b:1\n  - http://c:1\nc: 'x\n\n  # no comment'\n",
	},
	"anchors elsewhere": {text: "a: &x {k: v}\nb: *x\ne:\n  <<: *x\n  urls:\n  - http://a:1\n  - http://b:1\n  - http://c:1\n"},
	"unused anchor":     {text: "e: &e\n  urls: &u\n  - http://a:1\n  - http://b:1\n  - http://c:1\n"},
	"nested same names": {text: "urls: [x]\nf:\n  urls: [y]\n  e: {urls: [z]}\ne:\n  e:\n    urls: [q]\n  urls:\n  - http://a:1\n  - http://b:1\n  - http://c:1\n"},
	"flow": {
		text:     "e:\n  urls: [http://a:1, http://b:1, http://c:1] # x\n",
		withoutA: "e:\n  urls: [http://b:1, http://c:1] # x\n",
		withoutB: "e:\n  urls: [http://a:1, http://c:1] # x\n",
		withoutC: "e:\n  urls: [http://a:1, http://b:1] # x\n",
		withD:    "e:\n  urls: [http://a:1, http://b:1, http://c:1, http://d:1] # x\n",
	},
	"flow, tight": {
		text:     "e: {urls: [\"http://a:1\",\"http://b:1\",\"http://c:1\"],ca: x}\n",
		withoutB: "e: {urls: [\"http://a:1\",\"http://c:1\"],ca: x}\n",
	},
	"flow, wide": {
		text:     "e:\n  urls: [ http://a:1 , http://b:1 , http://c:1 , ]\n",
		withoutA: "e:\n  urls: [ http://b:1 , http://c:1 , ]\n",
		withoutC: "e:\n  urls: [ http://a:1 , http://b:1 , ]\n",
	},
	"flow, lines": {
		text:     "e:\n  urls: [\n    http://a:1, # 1\n    # 2\n    http://b:1,\n    http://c:1 # 3, ]\n  ]\n",
		withoutA: "e:\n  urls: [\n    # 1\n    # 2\n    http://b:1,\n    http://c:1 # 3, ]\n  ]\n",
		withoutB: "e:\n  urls: [\n    http://a:1, # 1\n    # 2\n    http://c:1 # 3, ]\n  ]\n",
		withoutC: "e:\n  urls: [\n    http://a:1, # 1\n    # 2\n    http://b:1\n    # 3, ]\n  ]\n",
		withD:    "e:\n  urls: [\n    http://a:1, # 1\n    # 2\n    http://b:1,\n    http://c:1, # 3, ]\n    http://d:1\n  ]\n",
	},
	"flow, lines, comma last": {
		text:     "e:\n  urls: [\n    http://a:1,\n    http://b:1,\n    http://c:1, # 3\n  ]\n",
		withoutC: "e:\n  urls: [\n    http://a:1,\n    http://b:1,\n    # 3\n  ]\n",
		withD:    "e:\n  urls: [\n    http://a:1,\n    http://b:1,\n    http://c:1, # 3\n    http://d:1,\n  ]\n",
	},
	"flow, two on a line": {
		text:     "e:\n  urls: [http://a:1, http://b:1,\n         http://c:1]\n",
		withoutB: "e:\n  urls: [http://a:1,\n         http://c:1]\n",
		withoutC: "e:\n  urls: [http://a:1, http://b:1\n         ]\n",
		withD:    "e:\n  urls: [http://a:1, http://b:1,\n         http://c:1,\n         http://d:1]\n",
	},
	"flow, commas first": {text: "e:\n  urls: [ http://a:1\n        , http://b:1 # ,\n        , http://c:1\n        ]\n"},
	"JSON":               {text: "{\n  \"e\": {\n    \"urls\": [\n      \"http://a:1\",\n      \"http://b:1\",\n      \"http://c:1\"\n    ],\n    \"ca\": \"x\"\n  }\n}\n"},
	"tagged":             {text: "e:\n  urls: !!seq\n  - !!str http://a:1\n  - http://b:1\n  - ! http://c:1\n"},
	"JSON, one line":     {text: `{"secret":"s","e":{"urls":["http://a:1","http://b:1","http://c:1"],"ca":"x"}}`},
}

var a, b, c, d = "http://a:1", "http://b:1", "http://c:1", "http://d:1"

func TestSet(t *testing.T) {
	for name, v := range variants {
		for _, tc := range []struct {
			want   []string
			golden string
		}{
			{[]string{a, b, c}, v.text},
			{[]string{b, c}, v.withoutA},
			{[]string{a, c}, v.withoutB},
			{[]string{a, b}, v.withoutC},
			{[]string{a, b, c, d}, v.withD},
			{[]string{a, d, b, c}, ""},
			{[]string{d, a, b, c}, ""},
			{[]string{a}, ""},
			{[]string{c}, ""},
			{[]string{d}, ""},
			{[]string{c, b, a}, ""},
			{[]string{"https://[2001:db8::1]:2379", "https://d.example.com:2379"}, ""},
		} {
			t.Run(fmt.Sprintf("%s/%v", name, tc.want), func(t *testing.T) {
				l := open(t, v.text)
				if err := l.Set(tc.want); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tc.want, open(t, string(l.Bytes())).Values()); diff != "" {
					t.Error(diff)
				}
				if tc.golden != "" && tc.golden != string(l.Bytes()) {
					t.Error(cmp.Diff(tc.golden, string(l.Bytes())))
				}
				checkComments(t, v.text, string(l.Bytes()))
				if diff := cmp.Diff(beside(t, v.text), beside(t, string(l.Bytes()))); diff != "" {
					t.Errorf("something else has changed: %s", diff)
				}
			})
		}
	}
}

// beside is what a reader of the file sees outside of the list.
func beside(t *testing.T, text string) map[string]any {
	t.Helper()
	var all map[string]any
	if err := yaml.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	delete(all["e"].(map[string]any), "urls")
	return all
}

// checkComments: every comment of before is in after, in the same order.
func checkComments(t *testing.T, before, after string) {
	t.Helper()
	for _, line := range strings.Split(strings.ReplaceAll(before, "\r", ""), "\n") {
		at := strings.Index(line, "#")
		if at < 0 {
			continue
		}
		_, rest, ok := strings.Cut(after, line[at:])
		if !ok {
			t.Fatalf("the comment %q is gone:\n%s", line[at:], after)
		}
		after = rest
	}
}

func TestRemoveAndAddAgain(t *testing.T) {
	text, err := os.ReadFile("testdata/master-config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	l, err := Open(text, "etcdClientInfo", "urls")
	if err != nil {
		t.Fatal(err)
	}
	all := l.Values()
	if err := l.Set(all[:1]); err != nil {
		t.Fatal(err)
	}
	want := "  urls:\n  - https://master-0.example.com:2379\n"
	if diff := cmp.Diff(want, l.Text()); diff != "" {
		t.Error(diff)
	}
	if err := l.Set(all); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), string(l.Bytes())); diff != "" {
		t.Error(diff)
	}
}

func TestTextShowsTheListAlone(t *testing.T) {
	got := open(t, variants["JSON, one line"].text).Text()
	if diff := cmp.Diff(`"urls":["http://a:1","http://b:1","http://c:1"]`+"\n", got); diff != "" {
		t.Error(diff)
	}
}

// A note beside a URL may be a secret.
func TestTextHidesComments(t *testing.T) {
	got := open(t, "e:\n  urls: # pw\n  # pw\n  - http://a:1#x # pw\n  - http://b:1\n").Text()
	if diff := cmp.Diff("  urls: # …\n  # …\n  - http://a:1#x # …\n  - http://b:1\n", got); diff != "" {
		t.Error(diff)
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"empty file":      {"", "the file is empty"},
		"comment only":    {"# x\n", "the file is empty"},
		"no section":      {"a: 1\n", "expected a list with at least one entry at e.urls: there is no key e"},
		"no key":          {"e:\n  ca: x\n", "there is no key e.urls"},
		"null":            {"e:\n  urls:\n", "line 2: e.urls is empty"},
		"empty list":      {"e:\n  urls: []\n", "line 2: e.urls is an empty list"},
		"text":            {"e:\n  urls: http://a:1\n", "line 2: e.urls is a single value"},
		"mapping":         {"e:\n  urls: {a: b}\n", "e.urls is a mapping"},
		"section is text": {"e: x\n", "line 1: e is no mapping"},
		"list of all":     {"- e\n", "the file is no mapping"},
		"section twice":   {"e:\n  urls: [a]\nf: 1\ne:\n  urls: [b]\n", "line 4: the key e is given twice"},
		"key twice":       {"e:\n  urls: [a]\n  urls: [b]\n", "line 3: the key urls is given twice"},
		"alias":           {"a: &x [u]\ne:\n  urls: *x\n", "line 3: e.urls is *x, an alias"},
		"section alias":   {"a: &x {urls: [u]}\ne: *x\n", "line 2: e is *x"},
		"used again":      {"e:\n  urls: &x [u]\nf: *x\n", "line 2: e.urls is the anchor &x and used again"},
		"section again":   {"e: &x\n  urls: [u]\nf:\n  <<: *x\n", "the anchor &x and used again"},
		"entry alias":     {"a: &x u\ne:\n  urls: [u, *x]\n", "found the alias *x"},
		"entry anchor":    {"e:\n  urls: [&x u]\n", "found the anchor &x"},
		"number":          {"e:\n  urls: [u, 1]\n", "found `1` (int)"},
		"null entry":      {"e:\n  urls:\n  - u\n  -\n", "(null)"},
		"list entry":      {"e:\n  urls: [u, [v]]\n", "found a list or mapping"},
		"folded entry":    {"e:\n  urls:\n  - >-\n    u\n", "not written on one line"},
		"entry of lines":  {"e:\n  urls:\n  - u\n    v\n", "not written on one line"},
		"quoted lines":    {"e:\n  urls: [\"u\n   v\"]\n", "not written on one line"},
		"entry below":     {"e:\n  urls:\n  -\n    u\n", "expected `- `"},
		"two documents":   {"e:\n  urls: [a]\n---\ne: 1\n", "a second YAML document starts here"},
		"not YAML":        {"A=1\nB: 2\n", "not valid YAML"},
		"bad YAML below":  {"e:\n  urls: [a]\n...\n}\n", "not valid YAML"},
		"bad YAML":        {"e:\n\turls: [a]\n", "not valid YAML"},
		"byte order mark": {"\ufeffe:\n  urls: [a]\n", "byte order mark"},
		"lone CR":         {"e:\n  urls: [a]\nb: 1\rc: 2\n", "line 3: there is a line end"},
		"not UTF-8":       {"e:\n  urls: [a]\n# \xff\n", "not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Open([]byte(tc.text), "e", "urls"); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("want %q, got %v", tc.want, err)
			}
		})
	}
}

func TestSetRefusesEmpty(t *testing.T) {
	l := open(t, "e: {urls: [a]}")
	if err := l.Set(nil); err == nil || !strings.Contains(err.Error(), "would be empty") {
		t.Fatal(err)
	}
}

func FuzzSet(f *testing.F) {
	for _, v := range variants {
		f.Add(v.text, uint8(1), "http://d:1")
		f.Add(v.text, uint8(6), "http://d:1")
	}
	f.Fuzz(func(t *testing.T, text string, keep uint8, add string) {
		l, err := Open([]byte(text), "e", "urls")
		if err != nil {
			return
		}
		want := []string{}
		for i, value := range l.Values() {
			if keep&(1<<(i%8)) != 0 {
				want = append(want, value)
			}
		}
		want = append(want, add)
		if err := l.Set(want); err != nil {
			if string(l.Bytes()) != text {
				t.Fatalf("an error, and the text has changed: %v", err)
			}
			return
		}
		again, err := Open(l.Bytes(), "e", "urls")
		if err != nil || !cmp.Equal(again.Values(), want) {
			t.Fatalf("%v\n%q\n%q", err, text, l.Bytes())
		}
		_ = l.Text()
	})
}
