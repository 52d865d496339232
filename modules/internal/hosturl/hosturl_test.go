package hosturl

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/fault"
)

func hosts(t *testing.T, text string) []Host {
	t.Helper()
	var raw []json.RawMessage
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		t.Fatal(err)
	}
	out, err := ParseHosts("add", raw)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestMatches(t *testing.T) {
	for name, tc := range map[string]struct {
		host, url string
		want      bool
	}{
		"name":               {`"m0.example.com"`, "https://m0.example.com:2379", true},
		"case and dot":       {`"M0.Example.COM."`, "https://m0.example.com:2379/", true},
		"short name":         {`"m0"`, "https://m0.example.com:2379", false},
		"alias":              {`{"name":"x","aliases":["192.0.2.1",null,""," m0 "]}`, "https://m0:2379", true},
		"address":            {`{"name":"x","aliases":["192.0.2.1"]}`, "https://192.0.2.1:2379", true},
		"longer address":     {`"192.0.2.1"`, "https://192.0.2.11:2379", false},
		"alias is a URL":     {`{"name":"x","aliases":["https://192.0.2.1:2380"]}`, "https://192.0.2.1:2379", true},
		"IPv6":               {`"2001:DB8:0:0::1"`, "https://[2001:db8::1]:2379", true},
		"IPv6 in brackets":   {`"[2001:db8::1]"`, "https://[2001:db8::1]:2379", true},
		"mapped address":     {`"::ffff:192.0.2.1"`, "https://192.0.2.1:2379", true},
		"URL":                {`"https://m0:2379"`, "https://m0:2379", true},
		"URL, other port":    {`"https://m0:4001"`, "https://m0:2379", false},
		"host and port":      {`"m0:2379"`, "https://m0:2379", true},
		"host, other port":   {`"m0:4001"`, "https://m0:2379", false},
		"loopback alias":     {`{"name":"m1","aliases":["127.0.0.1","localhost","::1"]}`, "http://127.0.0.1:2379", false},
		"loopback by name":   {`"localhost"`, "http://localhost:2379", true},
		"name within a path": {`"m0"`, "https://m1:2379/m0", false},
		"broken URL listed":  {`"m0"`, "https://m0:port:x", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := hosts(t, "["+tc.host+"]")[0].Matches(tc.url); got != tc.want {
				t.Errorf("%s, %s: %v", tc.host, tc.url, got)
			}
		})
	}
}

func TestParseHostsRefuses(t *testing.T) {
	for _, text := range []string{`7`, `""`, `{"aliases":["a"]}`, `{"name":"a","alias":"b"}`, `"a b"`, `"a,b"`, `["a"]`, `null`, `"https://"`, `".."`, `"-"`, `"a/b"`, `{"name":"a","aliases":["{{ x }}"]}`} {
		_, err := ParseHosts("remove", []json.RawMessage{json.RawMessage(text)})
		if err == nil || !strings.Contains(err.Error(), "argument remove: expected a host's name") || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestApply(t *testing.T) {
	byName := []string{"https://m0.example.com:2379", "https://m1.example.com:2379", "https://m2.example.com:2379"}
	byIP := []string{"https://192.0.2.1:4001", "https://192.0.2.2:4001"}
	for name, tc := range map[string]struct {
		listed      []string
		add, remove string
		want        []string
		unmatched   []string
	}{
		"nothing":                  {byName, `[]`, `[]`, byName, nil},
		"removed":                  {byName, `[]`, `["m1.example.com"]`, []string{byName[0], byName[2]}, nil},
		"removed by alias":         {byIP, `[]`, `[{"name":"m0","aliases":["192.0.2.1"]}]`, byIP[1:], nil},
		"both forms":               {append(byName, byIP[0]), `[]`, `[{"name":"m0.example.com","aliases":["192.0.2.1"]}]`, byName[1:], nil},
		"not listed":               {byName, `[]`, `["x","m0"]`, byName, []string{"x", "m0"}},
		"listed":                   {byName, `["m1.example.com"]`, `[]`, byName, nil},
		"listed by alias":          {byIP, `[{"name":"m1","aliases":["192.0.2.2"]}]`, `[]`, byIP, nil},
		"added by name":            {byName[:1], `["m1.example.com"]`, `[]`, byName[:2], nil},
		"added, domain preferred":  {byName[:1], `[{"name":"node1","aliases":["192.0.2.2","m1.other.org","m1.example.com"]}]`, `[]`, byName[:2], nil},
		"added, first name":        {byName[:1], `[{"name":"node1","aliases":["192.0.2.2"]}]`, `[]`, []string{byName[0], "https://node1:2379"}, nil},
		"added by address":         {byIP[:1], `[{"name":"m1","aliases":["m1.example.com","2001:db8::2","192.0.2.2"]}]`, `[]`, byIP, nil},
		"added IPv6":               {[]string{"http://[2001:db8::1]:2379"}, `["2001:db8::2"]`, `[]`, []string{"http://[2001:db8::1]:2379", "http://[2001:db8::2]:2379"}, nil},
		"no port":                  {[]string{"https://m0"}, `["m1"]`, `[]`, []string{"https://m0", "https://m1"}, nil},
		"trailing slash":           {[]string{"https://m0:1/"}, `["m1"]`, `[]`, []string{"https://m0:1/", "https://m1:1/"}, nil},
		"added with port":          {byName[:1], `["m1.example.com:4001"]`, `[]`, []string{byName[0], "https://m1.example.com:4001"}, nil},
		"added as URL":             {byName[:1], `["http://x:1"]`, `[]`, []string{byName[0], "http://x:1"}, nil},
		"exchanged":                {byName[:1], `["m1.example.com"]`, `["m0.example.com"]`, byName[1:2], nil},
		"added twice":              {byName[:1], `["m1.example.com","m1.example.com"]`, `[]`, byName[:2], nil},
		"odd entries stay":         {append([]string{"m9:1"}, byName...), `[]`, `["m0.example.com"]`, []string{"m9:1", byName[1], byName[2]}, nil},
		"the only one, not listed": {byName[:1], `[]`, `["m1.example.com"]`, byName[:1], []string{"m1.example.com"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Change{Add: hosts(t, tc.add), Remove: hosts(t, tc.remove)}.Apply(tc.listed)
			if err != nil {
				t.Fatal(err)
			}
			if tc.unmatched == nil {
				tc.unmatched = []string{}
			}
			if diff := cmp.Diff(Outcome{After: tc.want, Unmatched: tc.unmatched}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestApplyRefuses(t *testing.T) {
	listed := []string{"https://m0.example.com:2379"}
	for name, tc := range map[string]struct {
		change Change
		listed []string
		want   string
	}{
		"last one":       {Change{Remove: []Host{{Name: "m0.example.com"}}}, listed, "removing m0.example.com would leave no URL at all"},
		"no exact list":  {Change{Exact: []string{}}, listed, "an empty list"},
		"exact twice":    {Change{Exact: []string{"http://a:1", "http://a:1"}}, listed, "given twice"},
		"no URL":         {Change{Exact: []string{"a:1"}}, listed, "no URL of an etcd"},
		"with a comma":   {Change{Exact: []string{"http://a:1,http://b:1"}}, listed, "no URL of an etcd"},
		"with a path":    {Change{Exact: []string{"http://a:1/v2"}}, listed, "no URL of an etcd"},
		"with password":  {Change{Exact: []string{"http://u:p@a:1"}}, listed, "no URL of an etcd"},
		"both":           {Change{Add: []Host{{Name: "a"}}, Remove: []Host{{Name: "b", Aliases: []string{"A"}}}}, listed, "to be added and to be removed"},
		"no fitting IP":  {Change{Add: []Host{{Name: "a"}}}, []string{"http://192.0.2.1:1"}, "have an IP address (http://192.0.2.1:1), and none of its names (a)"},
		"no host name":   {Change{Add: []Host{{Name: "192.0.2.1"}}}, listed, "have a host name"},
		"nothing to ape": {Change{Add: []Host{{Name: "a"}}}, []string{"?"}, "no URL to write that of a after"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := tc.change.Apply(tc.listed); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("want %q, got %v, %v", tc.want, got, err)
			}
		})
	}
}

func TestNoPasswordIsQuoted(t *testing.T) {
	for _, text := range []string{"http://u:S3CRET@a:1", "http://u:S3CRET @a", "S3CRET@a", "https://S3CRET@[::1", "https://u:S3@CRET@a"} {
		if err := CheckURL(text); err == nil || strings.Contains(err.Error(), "S3") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestPortsThatNoHostHas(t *testing.T) {
	for _, text := range []string{"https://a:99999", "https://a:0", "https://a:65536", "https://[2001:db8::1]:70000"} {
		if err := CheckURL(text); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
		raw, err := json.Marshal(strings.TrimPrefix(text, "https://"))
		if err != nil {
			t.Fatal(err)
		}
		for _, each := range []json.RawMessage{raw, json.RawMessage(`"` + text + `"`)} {
			if _, err := ParseHosts("add", []json.RawMessage{each}); err == nil || !strings.Contains(err.Error(), "argument add") {
				t.Errorf("%s: %v", each, err)
			}
		}
	}
	for _, text := range []string{"https://a:1", "https://a:65535", "http://a"} {
		if err := CheckURL(text); err != nil {
			t.Error(err)
		}
	}
}

// A list is looked at before the file is, which may have none.
func TestListOfURLs(t *testing.T) {
	if _, err := ParseChange(nil, nil, []string{"https://a:2379", "https://a:99999"}); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "argument urls") {
		t.Error(err)
	}
	if _, err := ParseChange(nil, nil, []string{"https://a:2379"}); err != nil {
		t.Error(err)
	}
}

// FuzzParseChange: an argument of any JSON is hosts that can be named, or an error that names the argument.
func FuzzParseChange(f *testing.F) {
	for _, text := range []string{`"etcd-0"`, `""`, `"https://a:99999"`, `"[::1]:2379"`, `{"name":"a","aliases":["b",null,""]}`, `{"name":1}`, `null`, `[]`, `{"nam":"a"}`, `"a\u0000"`} {
		f.Add([]byte(text), []byte(`"b"`))
	}
	f.Fuzz(func(t *testing.T, add, remove []byte) {
		c, err := ParseChange([]json.RawMessage{add}, []json.RawMessage{remove}, nil)
		if err != nil {
			if !strings.Contains(err.Error(), "argument add") && !strings.Contains(err.Error(), "argument remove") {
				t.Fatal(err)
			}
			return
		}
		for _, h := range append(c.Add, c.Remove...) {
			for _, name := range append([]string{h.Name}, h.Aliases...) {
				host, port := split(name)
				if host == "" || host != strings.ToLower(host) || strings.ContainsAny(host, " \t\r\n\x00,'\"/@") || !isPort(port) {
					t.Fatalf("%q is a host", name)
				}
			}
		}
	})
}

func FuzzApply(f *testing.F) {
	f.Add("https://m0:2379,https://m1:2379", "m2", "m1")
	f.Add("https://192.0.2.1:2379", "2001:db8::1", "https://192.0.2.1:2379")
	f.Fuzz(func(t *testing.T, listed, add, remove string) {
		urls := strings.Split(listed, ",")
		come, err := json.Marshal(add)
		if err != nil {
			t.Fatal(err)
		}
		leave, err := json.Marshal(map[string]any{"name": remove, "aliases": []string{remove}})
		if err != nil {
			t.Fatal(err)
		}
		change, err := ParseChange([]json.RawMessage{come}, []json.RawMessage{leave}, nil)
		if err != nil {
			return
		}
		out, err := change.Apply(urls)
		if err != nil {
			return
		}
		if len(out.After) == 0 {
			t.Fatal("nothing left")
		}
		again, err := change.Apply(out.After)
		if err != nil || !cmp.Equal(again.After, out.After) {
			t.Fatalf("a second run: %v\n%q\n%q", err, out.After, again.After)
		}
	})
}
