// Package moduletest builds the module of the current directory once and runs the real binary, as Ansible does.
package moduletest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

var (
	build     sync.Once
	binary    string
	buildFail error
)

// Binary is the path of the built module; the module is the package of the test's own directory.
func Binary(t *testing.T) string {
	t.Helper()
	build.Do(func() { binary, buildFail = compile() })
	if buildFail != nil {
		t.Fatal(buildFail)
	}
	return binary
}

// watch reads the directories that a module is built from. `go test` reuses a result while the test's own binary and what it opened are the
// same, and the linker drops a module's unused code from that binary: without this a broken module would pass as "(cached)".
func watch() error {
	if _, err := os.ReadDir("."); err != nil {
		return err
	}
	return filepath.WalkDir(filepath.Join("..", "internal"), func(_ string, _ fs.DirEntry, err error) error { return err })
}

func compile() (string, error) {
	if err := watch(); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "moduletest-*")
	if err != nil {
		return "", err
	}
	wd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, filepath.Base(wd))
	cmd := exec.Command("go", "build", "-tags", "grpcnotrace", "-o", out, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, text)
	}
	return out, nil
}

// Clean removes what Binary built; call it from TestMain: os.Exit(moduletest.Clean(m.Run())).
func Clean(code int) int {
	if binary != "" {
		if err := os.RemoveAll(filepath.Dir(binary)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

// Answer is what a run of a module gave.
type Answer struct {
	Code   int
	JSON   map[string]any // numbers are json.Number
	Stdout string
	Stderr string
}

// Run writes args to a file and runs the module on it. The answer is always one JSON object, and exit code and `failed` agree.
func Run(t *testing.T, args map[string]any, env ...string) Answer {
	t.Helper()
	raw, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	return RunRaw(t, raw, env...)
}

// RunRaw is Run with the bytes of the arguments file.
func RunRaw(t *testing.T, raw []byte, env ...string) Answer {
	t.Helper()
	answer := Exec(t, []string{argsFile(t, raw)}, env...)
	answer.decode(t)
	return answer
}

func argsFile(t *testing.T, raw []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "args.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// KillAfter runs the module with these arguments, kills it after the delay, and returns how it ended: it may have done so by itself before.
func KillAfter(t *testing.T, delay time.Duration, args map[string]any) *os.ProcessState {
	t.Helper()
	raw, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(Binary(t), argsFile(t, raw))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(delay, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	_ = cmd.Wait() // the state says it
	return cmd.ProcessState
}

// Exec runs the binary with the given command line.
func Exec(t *testing.T, argv []string, env ...string) Answer {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(Binary(t), argv...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return Answer{Code: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
}

func (a *Answer) decode(t *testing.T) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader([]byte(a.Stdout)))
	d.UseNumber()
	if err := d.Decode(&a.JSON); err != nil || d.More() {
		t.Fatalf("stdout is not one JSON object (%v):\n%s\nstderr:\n%s", err, a.Stdout, a.Stderr)
	}
	if failed := a.JSON["failed"] == true; failed != (a.Code != 0) {
		t.Fatalf("exit code %d, but failed is %v: %s", a.Code, a.JSON["failed"], a.Stdout)
	}
}

// OK fails the test unless the module succeeded with the given changed.
func (a Answer) OK(t *testing.T, changed bool) Answer {
	t.Helper()
	if a.Code != 0 || a.JSON["changed"] != changed {
		t.Fatalf("want success and changed=%v, got exit %d: %s", changed, a.Code, a.Stdout)
	}
	return a
}

// Failed fails the test unless the module failed with the given kind, and changed=false.
func (a Answer) Failed(t *testing.T, kind string) Answer {
	t.Helper()
	if a.Code != 1 || a.JSON["kind"] != kind || a.JSON["changed"] != false {
		t.Fatalf("want a failure of kind %s that changed nothing, got exit %d: %s", kind, a.Code, a.Stdout)
	}
	return a
}

// Msg is the answer's msg.
func (a Answer) Msg() string { s, _ := a.JSON["msg"].(string); return s }
