package hosturl

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/facts"
)

const three = "m0=https://192.0.2.1:2380,m1=https://192.0.2.2:2380,m2=https://192.0.2.3:2380"

func members(t *testing.T, text string) []facts.Listed {
	t.Helper()
	out, err := ParseMembers(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestParseMembers(t *testing.T) {
	if diff := cmp.Diff(three, facts.JoinInitialCluster(members(t, strings.ReplaceAll(three, ",", " , ")))); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{"", "m0", "=https://a:1", "m0=a:1", "m0=https://a:1,", "m 0=https://a:1", "m0=https://a:1;m1=https://b:1"} {
		if got, err := ParseMembers(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestMemberArgument(t *testing.T) {
	for text, want := range map[string]string{
		`["m0=https://a:1"]`: "m0=https://a:1",
		`[{"name":"m0","peer_urls":["https://a:1","https://a:2"]},"m1=https://b:1"]`: "m0=https://a:1,m0=https://a:2,m1=https://b:1",
		`[{"name":"m0","peer_urls":"https://a:1,https://a:2"}]`:                      "m0=https://a:1,m0=https://a:2",
		`[{"name":"m0"}]`:                          "",
		`[{"peer_urls":["https://a:1"]}]`:          "",
		`[{"name":"m0","peer_url":"https://a:1"}]`: "",
		`[7]`:                                  "",
		`["m0"]`:                               "",
		`["m0=https://a:1","m1=https://A:1/"]`: "",
		`["m0=https://a:1","m0=https://a:1"]`:  "",
		`[{"name":"m0","peer_urls":["192.0.2.1:1"]}]`: "",
	} {
		var raw []json.RawMessage
		if err := json.Unmarshal([]byte(text), &raw); err != nil {
			t.Fatal(err)
		}
		got, err := ParseMemberArgument("initial_cluster_add", raw)
		if (err != nil) != (want == "") || (err == nil && facts.JoinInitialCluster(got) != want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

func TestAddMembers(t *testing.T) {
	for name, tc := range map[string]struct{ listed, add, want string }{
		"new":              {"m0=https://a:1", "m1=https://b:1", "m0=https://a:1,m1=https://b:1"},
		"listed":           {three, "m1=https://192.0.2.2:2380", three},
		"other URL":        {"m0=https://a:1,m1=https://b:1,m2=https://c:1", "m1=https://x:1", "m0=https://a:1,m1=https://x:1,m2=https://c:1"},
		"one more URL":     {"m0=https://a:1,m1=https://b:1", "m0=https://a:1,m0=https://a:2", "m0=https://a:1,m0=https://a:2,m1=https://b:1"},
		"one URL less":     {"m0=https://a:1,m0=https://a:2,m1=https://b:1", "m0=https://a:2", "m0=https://a:2,m1=https://b:1"},
		"several in order": {"m0=https://a:1", "m2=https://c:1,m1=https://b:1", "m0=https://a:1,m2=https://c:1,m1=https://b:1"},
		"last place":       {"m0=https://a:1,m1=https://b:1", "m1=https://x:1", "m0=https://a:1,m1=https://x:1"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := AddMembers(members(t, tc.listed), members(t, tc.add))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, facts.JoinInitialCluster(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
	_, err := AddMembers(members(t, three), members(t, "new=https://192.0.2.2:2380"))
	if err == nil || !strings.Contains(err.Error(), "peer URL of two members, m1 and new") {
		t.Errorf("one URL for two members: %v", err)
	}
}

func TestRemoveMembers(t *testing.T) {
	for name, tc := range map[string]struct {
		remove, want string
		unmatched    []string
	}{
		"by name":       {`["m1"]`, "m0=https://192.0.2.1:2380,m2=https://192.0.2.3:2380", []string{}},
		"by URL":        {`["https://192.0.2.2:2380"]`, "m0=https://192.0.2.1:2380,m2=https://192.0.2.3:2380", []string{}},
		"by address":    {`["192.0.2.2","192.0.2.1"]`, "m2=https://192.0.2.3:2380", []string{}},
		"by alias":      {`[{"name":"x","aliases":["m2"]}]`, "m0=https://192.0.2.1:2380,m1=https://192.0.2.2:2380", []string{}},
		"by alias's IP": {`[{"name":"x","aliases":["192.0.2.3"]}]`, "m0=https://192.0.2.1:2380,m1=https://192.0.2.2:2380", []string{}},
		"not listed":    {`["m3","m"]`, three, []string{"m3", "m"}},
		"all":           {`["m0","m1","m2"]`, "", []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			left, unmatched := RemoveMembers(members(t, three), hosts(t, tc.remove))
			if diff := cmp.Diff(tc.want, facts.JoinInitialCluster(left)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tc.unmatched, unmatched); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExactMembers(t *testing.T) {
	for name, tc := range map[string]struct{ listed, exact, want string }{
		"same, other order": {"m0=https://a:1,m1=https://b:1", "m1=https://b:1,m0=https://a:1", "m0=https://a:1,m1=https://b:1"},
		"one goes":          {"m0=https://a:1,m1=https://b:1", "m1=https://b:1", "m1=https://b:1"},
		"one comes":         {"m1=https://b:1", "m0=https://a:1,m1=https://b:1", "m1=https://b:1,m0=https://a:1"},
		"other URL":         {"m0=https://a:1,m1=https://b:1", "m0=https://c:1,m1=https://b:1", "m1=https://b:1,m0=https://c:1"},
		"all others":        {"m0=https://a:1", "m2=https://c:1", "m2=https://c:1"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ExactMembers(members(t, tc.listed), members(t, tc.exact))
			if err != nil || facts.JoinInitialCluster(got) != tc.want {
				t.Fatalf("want %s, got %v, %v", tc.want, got, err)
			}
		})
	}
}

func FuzzParseMembers(f *testing.F) {
	f.Add(three)
	f.Add("m0=https://[2001:db8::1]:2380, m1=http://h:1/")
	f.Fuzz(func(t *testing.T, text string) {
		listed, err := ParseMembers(text)
		if err != nil {
			return
		}
		again, err := ParseMembers(facts.JoinInitialCluster(listed))
		if err != nil || !cmp.Equal(listed, again) {
			t.Fatalf("%q: %v, %v, %v", text, listed, again, err)
		}
	})
}
