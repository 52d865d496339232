package ansible

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/fault"
)

const exampleDoc = `
DOCUMENTATION:
  module: example
  short_description: An example
  description: [It is one.]
  options:
    path: {type: path, description: Where., default: /etc/x}
    state: {type: str, choices: [present, absent], default: present, description: What.}
    count: {type: int, description: How many.}
    force: {type: bool, default: false, description: Really., aliases: [really]}
    hosts: {type: list, elements: str, description: Which.}
    settings: {type: dict, description: Pairs.}
    id: {type: str, description: An ID.}
    secret: {type: str, description: Hidden.}
`

type exampleArgs struct {
	Path     string            `json:"path"`
	State    string            `json:"state"`
	Count    int               `json:"count"`
	Force    bool              `json:"force"`
	Hosts    []string          `json:"hosts"`
	Settings map[string]string `json:"settings"`
	ID       string            `json:"id"`
	Secret   string            `json:"secret"`
}

var exampleRules = Rules{
	MutuallyExclusive: [][]string{{"hosts", "settings"}},
	RequiredIf:        []RequiredIf{{Key: "state", Value: "absent", Need: []string{"id"}}},
	NoLog:             []string{"secret"},
	IDs:               []string{"id"},
}

func runExample(t *testing.T, raw string, run func(*Call, exampleArgs) (Result, error)) (map[string]any, int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "args.json")
	if err := os.WriteFile(file, []byte(raw), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	code := Run([]string{"example", file}, &out, []byte(exampleDoc), exampleRules, run)
	answer := map[string]any{}
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	return answer, code
}

func TestArgumentsLikeAnsibleModule(t *testing.T) {
	want := exampleArgs{Path: "/h/x", State: "present", Count: 5, Force: true, Hosts: []string{"a", "b"}, Secret: "s3"}
	for name, raw := range map[string]string{
		"strings":  `{"path":"~/x","count":"5","force":"yes","hosts":"a, b","secret":"s3","_ansible_new_key":[1]}`,
		"typed":    `{"path":"~/x","count":5,"force":true,"hosts":["a","b"],"secret":"s3","id":null}`,
		"alias":    `{"path":"$HOME/x","count":5,"really":1,"hosts":"[\"a\",\"b\"]","secret":"s3"}`,
		"capitals": `{"path":"~/x","count":" 5","force":"True","hosts":["a","b"],"secret":"s3"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("HOME", "/h")
			var got exampleArgs
			answer, code := runExample(t, raw, func(_ *Call, a exampleArgs) (Result, error) { got = a; return Result{}, nil })
			if code != 0 {
				t.Fatalf("failed: %v", answer)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatal(diff)
			}
			secret := answer["invocation"].(map[string]any)["module_args"].(map[string]any)["secret"]
			if secret != "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" {
				t.Fatalf("the secret shows: %v", secret)
			}
		})
	}
}

func TestDictForms(t *testing.T) {
	for _, raw := range []string{`{"settings":{"A":"1","B":"x"}}`, `{"settings":"A=1 B=x"}`, `{"settings":"{\"A\":\"1\",\"B\":\"x\"}"}`, `{"settings":"A=1,B=x"}`} {
		var got exampleArgs
		answer, _ := runExample(t, raw, func(_ *Call, a exampleArgs) (Result, error) { got = a; return Result{}, nil })
		if diff := cmp.Diff(map[string]string{"A": "1", "B": "x"}, got.Settings); diff != "" {
			t.Errorf("%s: %v\n%s", raw, answer, diff)
		}
	}
}

func TestBadArgumentsAreNamed(t *testing.T) {
	for name, tc := range map[string]struct{ raw, want string }{
		"unknown":   {`{"nope":1}`, `unknown argument "nope"; accepted: count, force`},
		"int":       {`{"count":"many"}`, `argument count: expected a whole number, got "many"`},
		"float":     {`{"count":1.5}`, `argument count: expected a whole number, got the number 1.5`},
		"bool":      {`{"force":"perhaps"}`, `argument force: expected yes or no`},
		"choice":    {`{"state":"gone"}`, `argument state: "gone" is not one of present, absent`},
		"list":      {`{"hosts":{"a":1}}`, `argument hosts: expected a list, got a dict`},
		"dict":      {`{"settings":"a b"}`, `argument settings: expected a dict`},
		"exclusive": {`{"hosts":"a","settings":"a=b"}`, `arguments hosts, settings exclude each other`},
		"needed":    {`{"state":"absent"}`, `argument id is required when state is absent`},
		"number id": {`{"id":8e9}`, `quote it`},
		"twice":     {`{"force":1,"really":1}`, `given twice`},
		"not json":  {`k=v`, `not a JSON object`},
	} {
		t.Run(name, func(t *testing.T) {
			answer, code := runExample(t, tc.raw, func(*Call, exampleArgs) (Result, error) {
				t.Error("the module ran")
				return Result{}, nil
			})
			msg, _ := answer["msg"].(string)
			if code != 1 || answer["failed"] != true || answer["kind"] != "invalid" || !strings.Contains(msg, tc.want) {
				t.Fatalf("code %d, %v", code, answer)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	answer, code := runExample(t, `{}`, func(c *Call, _ exampleArgs) (Result, error) {
		c.MarkChanged()
		return Result{Data: map[string]any{"member": "1"}}, fault.New(fault.Refused, "no").WithHint("do %s", "this")
	})
	if code != 1 || answer["changed"] != true || answer["kind"] != "refused" || answer["hint"] != "do this" || answer["msg"] != "example: no" || answer["member"] != "1" {
		t.Fatalf("code %d, %v", code, answer)
	}
	answer, code = runExample(t, `{}`, func(*Call, exampleArgs) (Result, error) { panic("ouch") })
	if code != 1 || answer["kind"] != "internal" || !strings.Contains(answer["msg"].(string), "ouch") {
		t.Fatalf("code %d, %v", code, answer)
	}
}

func TestDiffOnlyWhenAsked(t *testing.T) {
	run := func(c *Call, _ exampleArgs) (Result, error) {
		return Result{Changed: c.CheckMode, Diff: []Diff{{Before: "a", After: "b"}}}, nil
	}
	answer, _ := runExample(t, `{"_ansible_check_mode":true,"_ansible_diff":true}`, run)
	if answer["changed"] != true || answer["diff"] == nil {
		t.Fatalf("%v", answer)
	}
	answer, _ = runExample(t, `{"_ansible_no_log":true,"_ansible_diff":true}`, run)
	if answer["diff"] != nil || answer["invocation"] != nil {
		t.Fatalf("%v", answer)
	}
}

func TestUsageAndVersion(t *testing.T) {
	var out bytes.Buffer
	run := func(*Call, exampleArgs) (Result, error) { return Result{}, nil }
	if code := Run([]string{"example"}, &out, []byte(exampleDoc), exampleRules, run); code != 0 || !strings.Contains(out.String(), "state (str, default present, one of present absent)") {
		t.Fatalf("code %d: %s", code, out.String())
	}
	out.Reset()
	if code := Run([]string{"example", "--version"}, &out, []byte(exampleDoc), exampleRules, run); code != 0 || out.String() != "example dev\n" {
		t.Fatalf("code %d: %q", code, out.String())
	}
}

func FuzzArguments(f *testing.F) {
	f.Add([]byte(`{"path":"~/x","count":"5","force":"yes","hosts":"a, b"}`))
	f.Add([]byte(`{"settings":"{\"a\":1}","hosts":"[1]"}`))
	spec, err := parseDocumentation([]byte(exampleDoc))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		typed, _, err := parseArguments(raw, spec, exampleRules)
		if err == nil {
			if _, err := json.Marshal(typed); err != nil {
				t.Fatalf("accepted, but not encodable: %v", err)
			}
		}
	})
}
