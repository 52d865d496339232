package ansible

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
		strings.Repeat("<html>", 1<<18):         strings.Repeat("<html>", 1<<18)[:longest] + "… (1564672 more bytes)",
	} {
		if got := quotedText(text); got != want {
			t.Errorf("%.60q became %.200q", text, got)
		}
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
