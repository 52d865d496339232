package ansible

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/guard"
)

func TestHostileWords(t *testing.T) {
	for text, want := range map[string]string{
		"plain, with ümlaut and 'quotes'":       "plain, with ümlaut and 'quotes'",
		"a\tb":                                  "a\tb",
		"\x1b[2Jred\x07":                        `\x1b[2Jred\a`,
		"one\r\nFAKE: quorum present, 3 of 3\n": "one | FAKE: quorum present, 3 of 3",
		"\u202eright to left":                   `\u202eright to left`,
		"it's \x00":                             `it's \x00`,
		"x=https://root:a@b@h:1,https://c:2":    "x=https://…@h:1,https://c:2",
		"https://a:1 and you@b":                 "https://a:1 and you@b",
		"a\u3164\u115f\ufe0f\u034f\u2800b":      `a\u3164\u115f\ufe0f\u034f\u2800b`,
		strings.Repeat("<html>", 1<<18):         strings.Repeat("<html>", 1<<18)[:longest] + "… (1564672 more bytes)",
	} {
		if got := quotedText(text); got != want {
			t.Errorf("%.60q became %.200q", text, got)
		}
	}
}

// A login is hidden wherever it is given, also where the text is cut in its middle, and where a comma or a blank in it takes it apart.
func TestHostileLogins(t *testing.T) {
	for _, text := range []string{strings.Repeat("x", longest-12) + " https://u:S3CRET@h:1", strings.Repeat("x", longest-12) + " https://u:\u202eS3CRET@h:1"} {
		if got := quotedText(text); strings.Contains(got, "S3CRE") {
			t.Errorf("%.60q became %.200q", text, got)
		}
	}
	for _, url := range []string{"https://u:S3CRET@h", "https://u:a,S3CRET@h", "https://u:S3CRET,a@h", "https://u:a S3CRET@h", "https://u:1 S3CRET@h", "https://u S3CRET@h", "https://u:S3CRET"} {
		raw, err := json.Marshal(map[string]any{"path": "/x", "id": url, "hosts": url})
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := runExample(t, string(raw), func(_ context.Context, _ *Call, a exampleArgs) (Result, error) {
			return Result{Data: map[string]any{"hosts": a.Hosts}}, fault.New(fault.Invalid, "%q is no host", a.Hosts[len(a.Hosts)-1])
		})
		if text := fmt.Sprint(answer); strings.Contains(text, "S3CRET") || !strings.Contains(text, "/x") {
			t.Error(text)
		}
	}
}

// The middle of a word of thousands of bytes, a path that makes no sense, says nothing in a sentence.
func TestHostileLongWords(t *testing.T) {
	for _, text := range []string{"open /" + strings.Repeat("ü", 2048) + ": file name too long", "found " + strings.Repeat("x", 1<<20)} {
		answer, _ := runExample(t, `{"path":"/x"}`, func(context.Context, *Call, exampleArgs) (Result, error) { return Result{}, errors.New(text) })
		if msg := answer["msg"].(string); len(msg) > 500 || !strings.Contains(msg, text[:6]) || !utf8.ValidString(msg) {
			t.Errorf("%d bytes: %.600s", len(msg), msg)
		}
	}
}

// An arguments file that says nothing, or one thing twice, makes no module act.
func TestHostileArguments(t *testing.T) {
	for _, raw := range []string{`null`, ` null `, `{"path":"/a","path":"/b"}`, `{"path":"/a","hosts":[{"a":1,"a":2}]}`, `{"path":"/a","count":1,"count":1}`,
		`{"path":"/a","settings":{"a":` + strings.Repeat("[", 900) + strings.Repeat("]", 900) + `}}`,
		`{"path":"/a"}}`, `{"path":"/a"}]`, `{"path":"/a"}}{"path":"/b"}`, `{"path":"/a\ud800"}`, "{\"path\":\"/a\xff\"}", `{"path":"/a","hosts":["\udcff"]}`,
		`{"path":"/a","hosts":"[1]]"}`, `{"path":"/a","hosts":"[{\"a\":1,\"a\":2}]"}`, `{"path":"/a","settings":"{\"a\":1}}"}`,
		`{"path":"/a","_ansible_check_mode":"perhaps"}`, `{"path":"/a","_ansible_no_log":[]}`, `{"path":"/a","_ansible_diff":2}`} {
		answer, code := runExample(t, raw, func(context.Context, *Call, exampleArgs) (Result, error) {
			t.Error(raw, "is accepted")
			return Result{}, nil
		})
		if code != 1 || answer["kind"] != "invalid" {
			t.Error(raw, answer)
		}
	}
	answer, code := runExample(t, `{"path":"/a","_ansible_check_mode":null}`, func(_ context.Context, c *Call, _ exampleArgs) (Result, error) {
		return Result{Changed: c.CheckMode}, nil
	})
	if code != 0 || answer["changed"] != false {
		t.Error("null is not given", answer)
	}
	for _, text := range []string{`{"a":1,"a":2}`, "a=1 a=2", "null", "{", strings.Repeat("x", 5000)} {
		if out, err := toDict(text); err == nil || len(err.Error()) > 400 {
			t.Errorf("%.50s: %v, %v", text, out, err)
		}
	}
}

// An arguments file without an end is read up to a limit.
func TestHostileArgumentsFile(t *testing.T) {
	var out bytes.Buffer
	code := Run([]string{"example", "/dev/zero"}, &out, []byte(exampleDoc), exampleRules, func(context.Context, *Call, exampleArgs) (Result, error) { return Result{}, nil })
	if code != 1 || !strings.Contains(out.String(), `"kind":"invalid"`) || !strings.Contains(out.String(), "more than") {
		t.Errorf("%d, %s", code, out.String())
	}
}

// Every text of a result is cleaned, keys too; a diff keeps its lines.
func TestHostileResult(t *testing.T) {
	evil := "x\x1b[2J\nFAKE"
	answer, _ := runExample(t, `{"_ansible_diff": true}`, func(_ context.Context, c *Call, _ exampleArgs) (Result, error) {
		c.Warn("%s", evil)
		return Result{Msg: evil, Diff: []Diff{{Before: "a\nb\x1b"}}, Data: map[string]any{"lines": []string{evil}, "by": map[string]any{evil: []any{evil}}}}, nil
	})
	raw, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(raw); strings.Contains(text, `\u001b`) || strings.Contains(text, `\nFAKE`) || !strings.Contains(text, `"a\nb\\x1b"`) {
		t.Errorf("%s", text)
	}
}

// A panic anywhere gives one JSON object.
func TestHostilePanic(t *testing.T) {
	for name, run := range map[string]func(context.Context, *Call, exampleArgs) (Result, error){
		"here": func(context.Context, *Call, exampleArgs) (Result, error) { panic("x") },
		"in a goroutine": func(context.Context, *Call, exampleArgs) (Result, error) {
			var g guard.Group
			g.Go(func() { panic("x") })
			g.Wait()
			return Result{}, nil
		},
	} {
		if answer, code := runExample(t, `{}`, run); code != 1 || answer["kind"] != "internal" {
			t.Errorf("%s: %d, %v", name, code, answer)
		}
	}
}

// A path that can name no file is the caller's mistake, and the error names its argument; a full disk is not, however it was wrapped.
func TestHostilePaths(t *testing.T) {
	dir := t.TempDir()
	for link, target := range map[string]string{"loop": "loop", "file": "/dev/null"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"/a\x00b", dir + "/loop", dir + "/loop/x", dir + "/file/x", dir + "/" + strings.Repeat("n", 256), strings.Repeat("/n", 4096)} {
		raw, err := json.Marshal(map[string]string{"path": path})
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := runExample(t, string(raw), func(context.Context, *Call, exampleArgs) (Result, error) { return Result{}, nil })
		if msg, _ := answer["msg"].(string); answer["kind"] != "invalid" || !strings.Contains(msg, "argument path") || len(msg) > 1000 {
			t.Errorf("%.50q: %v", path, answer)
		}
	}
	for number, want := range map[unix.Errno]fault.Kind{unix.ENOSPC: fault.Internal, unix.EIO: fault.Internal, unix.ENOTDIR: fault.Invalid, unix.ELOOP: fault.Invalid, unix.EPERM: fault.Internal} {
		err := fault.Wrap(fault.Internal, fault.Wrap(want, &os.PathError{Op: "open", Path: "/x", Err: number}, "a"), "b")
		for _, wrapped := range []error{err, &os.PathError{Op: "open", Path: "/x", Err: number}, fault.Wrap(fault.Internal, number, "a")} {
			if fault.KindOf(wrapped) != want {
				t.Errorf("%v is %s, want %s", wrapped, fault.KindOf(wrapped), want)
			}
		}
	}
	if kind := fault.KindOf(fault.Wrap(fault.Invalid, unix.ENOSPC, "a")); kind != fault.Internal {
		t.Error("a full disk is", kind)
	}
	if kind := fault.KindOf(fault.Wrap(fault.Corrupt, unix.EIO, "a")); kind != fault.Corrupt {
		t.Error("a bad sector is", kind)
	}
}
