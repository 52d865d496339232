// Package moduletest builds the module of the current directory once and runs the real binary, as Ansible does.
package moduletest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
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

// watch reads the directories that a module is built from. `go test` reuses a result while the test's own binary and the files that it opened are
// the same, and the linker drops a module's unused code from that binary: without this, tests of a broken module would pass as "(cached)".
func watch(dirs ...string) error {
	for _, dir := range dirs {
		if err := filepath.WalkDir(dir, func(_ string, _ fs.DirEntry, err error) error { return err }); err != nil {
			return err
		}
	}
	return nil
}

func compile() (string, error) {
	if err := watch(".", filepath.Join("..", "internal")); err != nil {
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

// Answer is the result of a module's run.
type Answer struct {
	Code   int
	JSON   map[string]any // numbers are json.Number
	Stdout string
	Stderr string
	Took   time.Duration
	PeakMB int64 // greatest resident memory
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

// EmptyConf is an etcd.conf that says nothing, so that a test does not depend on the one of its machine.
func EmptyConf(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "etcd.conf")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func argsFile(t *testing.T, raw []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "args.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// KillAfter runs the module with these arguments, kills it after the delay, and returns how it ended: it may have ended by itself before.
func KillAfter(t *testing.T, delay time.Duration, args map[string]any) *os.ProcessState {
	t.Helper()
	cmd := Command(t, args)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(delay, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	_ = cmd.Wait() // the state has the result
	return cmd.ProcessState
}

// longest is when a run counts as hanging.
const longest = 3 * time.Minute

// Bounded fails the test when the run took longer than the limit, or more memory than a module may. The limit is the module's own timeout plus
// what a busy machine adds.
func (a Answer) Bounded(t *testing.T, limit time.Duration) Answer {
	t.Helper()
	if a.Took > limit {
		t.Errorf("it took %v, more than %v", a.Took, limit)
	}
	if a.PeakMB > mostMB {
		t.Errorf("it took %d MB of memory, more than %d", a.PeakMB, mostMB)
	}
	return a
}

const mostMB = 300

// Exec runs the binary with the given command line.
func Exec(t *testing.T, argv []string, env ...string) Answer {
	t.Helper()
	return execute(t, Binary(t), argv, env...)
}

func execute(t *testing.T, binary string, argv []string, env ...string) Answer {
	t.Helper()
	var stdout, stderr bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, argv...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second // a child that keeps the streams open is a fault of the module, not a reason to wait for ever
	began := time.Now()
	err := cmd.Start()
	peak := make(chan int64, 1)
	if err == nil {
		ended := make(chan struct{})
		go func() { peak <- watchMemory(cmd.Process.Pid, ended) }()
		err = cmd.Wait()
		close(ended)
	}
	if ctx.Err() != nil {
		t.Fatalf("the module did not end within %v; stderr: %s", longest, stderr.String())
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	answer := Answer{Code: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String(), Took: time.Since(began)}
	answer.PeakMB = <-peak
	return answer
}

// watchMemory is the greatest resident memory of the process, in MB. wait(2)'s figure is no use: it is never less than that of the process that
// forked, and a test may need more memory than the module.
func watchMemory(pid int, ended <-chan struct{}) (peak int64) {
	for {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // it may have ended
		if _, rest, ok := strings.Cut(string(status), "VmHWM:"); ok {
			if kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64); err == nil {
				peak = max(peak, kb>>10)
			}
		}
		select {
		case <-ended:
			return peak
		case <-time.After(10 * time.Millisecond):
		}
	}
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
	a.documented(t)
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
