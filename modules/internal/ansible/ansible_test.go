package ansible

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/commands"
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
    backup: {type: path, description: Which.}
    timeout: {type: int, default: 60, description: Seconds.}
`

type exampleArgs struct {
	Path     string            `json:"path"`
	State    string            `json:"state"`
	Count    int               `json:"count"`
	Force    bool              `json:"force"`
	Hosts    []string          `json:"hosts"`
	Settings map[string]string `json:"settings"`
	ID       string            `json:"id"`
	Backup   string            `json:"backup"`
}

var exampleRules = Rules{
	MutuallyExclusive: [][]string{{"hosts", "settings"}},
	IDs:               []string{"id"},
	Ranges:            map[string]Range{"count": {Min: 0, Max: 9}},
}

func runExample(t *testing.T, raw string, run Module[exampleArgs]) (map[string]any, int) {
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
	want := exampleArgs{Path: "/h/x", State: "present", Count: 5, Force: true, Hosts: []string{"a", "b"}}
	for name, raw := range map[string]string{
		"strings":  `{"path":"~/x","count":"5","force":"yes","hosts":"a, b","_ansible_new_key":[1]}`,
		"typed":    `{"path":"~/x","count":5,"force":true,"hosts":["a","b"],"id":null}`,
		"alias":    `{"path":"$HOME/x","count":5,"really":1,"hosts":"[\"a\",\"b\"]"}`,
		"capitals": `{"path":"~/x","count":" 5","force":"True","hosts":["a","b"]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("HOME", "/h")
			var got exampleArgs
			answer, code := runExample(t, raw, func(_ context.Context, _ *Call, a exampleArgs) (Result, error) { got = a; return Result{}, nil })
			if code != 0 {
				t.Fatalf("failed: %v", answer)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatal(diff)
			}
		})
	}
}

func TestDictForms(t *testing.T) {
	for _, raw := range []string{`{"settings":{"A":"1","B":"x"}}`, `{"settings":"A=1 B=x"}`, `{"settings":"{\"A\":\"1\",\"B\":\"x\"}"}`, `{"settings":"A=1,B=x"}`} {
		var got exampleArgs
		answer, _ := runExample(t, raw, func(_ context.Context, _ *Call, a exampleArgs) (Result, error) { got = a; return Result{}, nil })
		if diff := cmp.Diff(map[string]string{"A": "1", "B": "x"}, got.Settings); diff != "" {
			t.Errorf("%s: %v\n%s", raw, answer, diff)
		}
	}
}

func TestBadArgumentsAreNamed(t *testing.T) {
	for name, tc := range map[string]struct{ raw, want string }{
		"unknown":   {`{"nope":1}`, `unknown argument "nope"; accepted: backup, count, force`},
		"int":       {`{"count":"many"}`, `argument count: expected a whole number from 0 to 9, got "many"`},
		"float":     {`{"count":1.5}`, `argument count: expected a whole number from 0 to 9, got the number 1.5`},
		"below":     {`{"count":-1}`, `argument count: expected a whole number from 0 to 9, got the number -1`},
		"no time":   {`{"timeout":0}`, `argument timeout: expected a whole number from 1 to 86400, got the number 0`},
		"for ever":  {`{"timeout":9e9}`, `argument timeout: expected a whole number from 1 to 86400, got the number 9e9`},
		"too large": {`{"timeout":"9000000000"}`, `argument timeout: expected a whole number from 1 to 86400, got "9000000000"`},
		"relative":  {`{"path":"etc/x"}`, `argument path: expected an absolute path, got "etc/x"`},
		"empty":     {`{"path":""}`, `argument path: expected an absolute path, got ""`},
		"unset":     {`{"path":"$NO_SUCH/x"}`, `argument path: expected an absolute path, got "$NO_SUCH/x"`},
		"nobody":    {`{"path":"~no-such-user/x"}`, `argument path: expected an absolute path, got "~no-such-user/x"`},
		"new line":  {`{"path":"/etc/x\n[Unit]"}`, `argument path: expected a path without control characters`},
		"NUL":       {`{"path":"/etc/\u0000"}`, `argument path: "/etc/\x00" holds a NUL character`},
		"no dir":    {`{"path":"/etc/passwd/x"}`, `argument path: expected the path of a file or directory, got "/etc/passwd/x": not a directory`},
		"endless":   {`{"path":"/` + strings.Repeat("x", 5000) + `"}`, `argument path: expected the path of a file or directory, got "/xx`},
		"bool":      {`{"force":"perhaps"}`, `argument force: expected yes or no`},
		"choice":    {`{"state":"gone"}`, `argument state: "gone" is not one of present, absent`},
		"list":      {`{"hosts":{"a":1}}`, `argument hosts: expected a list, got a dict`},
		"dict":      {`{"settings":"a b"}`, `argument settings: expected a dict`},
		"exclusive": {`{"hosts":"a","settings":"a=b"}`, `arguments hosts, settings exclude each other`},
		"number id": {`{"id":8e9}`, `quote it`},
		"twice":     {`{"force":1,"really":1}`, `given twice`},
		"not json":  {`k=v`, `not a JSON object`},
	} {
		t.Run(name, func(t *testing.T) {
			answer, code := runExample(t, tc.raw, func(context.Context, *Call, exampleArgs) (Result, error) {
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

// An unset variable stays as it is written, as AnsibleModule leaves it: without it the rest would be another path.
func TestPathsAreExpandedLikeAnsibleModule(t *testing.T) {
	t.Setenv("HOME", "/h")
	t.Setenv("SET", "/set")
	for given, want := range map[string]string{
		"~": "/h", "~/x": "/h/x", "~root/x": "/root/x", "/a/~": "/a/~", "~no-such-user/x": "~no-such-user/x", "$SET/x": "/set/x", "${SET}/x": "/set/x",
		"$SETx": "$SETx", "$NO_SUCH/x": "$NO_SUCH/x", "/a/${NO_SUCH}": "/a/${NO_SUCH}", "/a/$": "/a/$", "/a/${": "/a/${", "/a$$": "/a$$",
	} {
		if got := expandPath(given); got != want {
			t.Errorf("%s: expected %s, got %s", given, want, got)
		}
	}
}

func TestEmptyPathWithoutDefaultIsNotGiven(t *testing.T) {
	answer, code := runExample(t, `{"backup":""}`, func(_ context.Context, _ *Call, a exampleArgs) (Result, error) {
		return Result{Data: map[string]any{"backup": a.Backup}}, nil
	})
	if code != 0 || answer["backup"] != "" {
		t.Fatalf("code %d, %v", code, answer)
	}
}

func TestTimeoutIsTheDeadlineOfTheModule(t *testing.T) {
	answer, code := runExample(t, `{"timeout":7}`, func(ctx context.Context, _ *Call, _ exampleArgs) (Result, error) {
		deadline, ok := ctx.Deadline()
		left := time.Until(deadline)
		return Result{Data: map[string]any{"right": ok && left > 0 && left <= 7*time.Second}}, nil
	})
	if code != 0 || answer["right"] != true {
		t.Fatalf("code %d, %v", code, answer)
	}
}

// A read of a pipe never returns. A module that only reads answers all the same; one that changes something is waited for.
func TestModuleThatDoesNotEnd(t *testing.T) {
	for _, readOnly := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			pipe := make(chan struct{})
			time.AfterFunc(time.Hour, func() { close(pipe) })
			begin := time.Now()
			_, err := within(ctx, readOnly, &Call{}, exampleArgs{}, func(context.Context, *Call, exampleArgs) (Result, error) { <-pipe; return Result{}, nil })
			took := time.Since(begin)
			if readOnly && (fault.KindOf(err) != fault.Timeout || took != time.Minute+grace) {
				t.Errorf("read only: %v after %v", err, took)
			}
			if !readOnly && (err != nil || took != time.Hour) {
				t.Errorf("expected to wait: %v after %v", err, took)
			}
			<-pipe
		})
	}
}

func TestFailures(t *testing.T) {
	answer, code := runExample(t, `{}`, func(_ context.Context, c *Call, _ exampleArgs) (Result, error) {
		c.MarkChanged()
		return Result{Data: map[string]any{"member": "1"}}, fault.New(fault.Refused, "no").WithHint("do %s", "this")
	})
	if code != 1 || answer["changed"] != true || answer["kind"] != "refused" || answer["hint"] != "do this" || answer["msg"] != "example: no" || answer["member"] != "1" {
		t.Fatalf("code %d, %v", code, answer)
	}
	answer, code = runExample(t, `{}`, func(context.Context, *Call, exampleArgs) (Result, error) { panic("ouch") })
	if code != 1 || answer["kind"] != "internal" || !strings.Contains(answer["msg"].(string), "ouch") {
		t.Fatalf("code %d, %v", code, answer)
	}
}

func TestHintsRunAsPasted(t *testing.T) {
	t.Setenv(commands.Variable, `json {"playbooks":"/p","inventory":["/etc/ansible/hosts"],"host":"etcd-0"}`)
	answer, _ := runExample(t, `{"path":"/ansible HOST -m etcd_fence"}`, func(context.Context, *Call, exampleArgs) (Result, error) {
		return Result{}, fault.New(fault.Refused, "no").WithHint("look: ansible HOST -m etcd_host_info")
	})
	if got := answer["hint"]; got != "look: ansible etcd-0 -i /etc/ansible/hosts -M /p/library -m etcd_host_info" {
		t.Errorf("%v", got)
	}
	if given := answer["invocation"].(map[string]any)["module_args"].(map[string]any)["path"]; given != "/ansible HOST -m etcd_fence" {
		t.Errorf("what was given is returned as it was: %v", given)
	}
}

func TestDiffOnlyWhenAsked(t *testing.T) {
	run := func(_ context.Context, c *Call, _ exampleArgs) (Result, error) {
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
	run := func(context.Context, *Call, exampleArgs) (Result, error) { return Result{}, nil }
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
