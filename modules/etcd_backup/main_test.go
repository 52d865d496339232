package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestMain(m *testing.M) { os.Exit(moduletest.Clean(m.Run())) }

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, ansible.Rules{}) }

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// arguments run the module on m's host; a manifest makes it a static pod's host, so that no systemd is asked.
func arguments(t *testing.T, m *etcdtest.Member, more map[string]any) map[string]any {
	t.Helper()
	pods := filepath.Join(m.Dir, "pods")
	check(t, os.MkdirAll(pods, 0o700))
	check(t, os.WriteFile(filepath.Join(pods, "etcd.yaml"), []byte("kind: Pod\n"), 0o600))
	out := m.Args(map[string]any{"dest": filepath.Join(m.Dir, "backup"), "manifest_dir": pods})
	for k, v := range more {
		out[k] = v
	}
	return out
}

// listing is the output of `find` and `sha256sum` for the data.
func listing(t *testing.T, dir string) string {
	t.Helper()
	out, err := exec.Command("sh", "-c", `cd "$1" && find . -printf '%p %m %u %g %s %T@\n' | sort && find . -type f | sort | xargs sha256sum`, "sh", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// entry is the only backup by a method in an answer.
func entry(t *testing.T, a moduletest.Answer, method string) map[string]any {
	t.Helper()
	for _, each := range a.JSON["backups"].([]any) {
		if e := each.(map[string]any); e["method"] == method {
			return e
		}
	}
	t.Fatalf("no backup by %s: %s", method, a.Stdout)
	return nil
}

func seeded(t *testing.T, n int) *etcdtest.Cluster {
	t.Helper()
	c := etcdtest.Start(t, n)
	for i := range 5 {
		c.Members[0].Must(t, 3, "put", fmt.Sprintf("/key%d", i), "secret-value")
	}
	c.Members[0].Must(t, 2, "set", "/openshift.com/network/config", "secret-value")
	return c
}

func TestBadInput(t *testing.T) {
	m := etcdtest.New(t, 1).Members[0]
	for name, c := range map[string]struct {
		more map[string]any
		kind string
		says string
	}{
		"method":              {map[string]any{"method": "tar"}, "invalid", "tar"},
		"relative dest":       {map[string]any{"dest": "backup"}, "invalid", "argument dest"},
		"timeout":             {map[string]any{"timeout": 0}, "invalid", "argument timeout"},
		"stopped, no data":    {nil, "refused", "holds no member"},
		"no data, all":        {map[string]any{"method": "all"}, "refused", "nothing to back up"},
		"snapshot of stopped": {map[string]any{"method": "snapshot"}, "refused", "etcd is stopped"},
		"unknown":             {map[string]any{"destination": "/x"}, "invalid", "destination"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := moduletest.Run(t, arguments(t, m, c.more)).Failed(t, c.kind)
			if !strings.Contains(answer.Msg(), c.says) {
				t.Errorf("%q does not say %q", answer.Msg(), c.says)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(m.Dir, "backup")); err == nil {
		t.Error("a refusal made the directory")
	}
}

// A snapshot of a member that has lost its quorum; `etcdctl snapshot status`, another reader, must agree.
func TestSnapshotWithoutQuorum(t *testing.T) {
	cluster := seeded(t, 3)
	m := cluster.Members[0]
	cluster.Members[1].Kill(t)
	cluster.Members[2].Kill(t)
	preview := moduletest.Run(t, arguments(t, m, map[string]any{"_ansible_check_mode": true})).OK(t, true)
	if _, err := os.Stat(filepath.Join(m.Dir, "backup")); err == nil {
		t.Error("check mode made the directory")
	}
	entry(t, preview, "snapshot")

	answer := moduletest.Run(t, arguments(t, m, nil)).OK(t, true)
	e := entry(t, answer, "snapshot")
	if fmt.Sprint(e["v2_left_out"]) != "1" {
		t.Errorf("the v2 key that a snapshot does not hold is not told: %v", e)
	}
	if fmt.Sprintf("%v %v %v", e["revision"], e["keys"], e["verified"]) != "6 5 true" {
		t.Errorf("%v", e)
	}
	if !strings.Contains(answer.Stdout, "the v2 store holds 1 key,") || strings.Contains(answer.Stdout, "secret-value") {
		t.Errorf("no warning of the v2 store, or a value: %s", answer.Stdout)
	}
	followed := moduletest.Run(t, arguments(t, m, map[string]any{"method": "snapshot", "required": false, "dest": filepath.Join(m.Dir, "first")})).OK(t, true)
	if strings.Contains(followed.Stdout, "the v2 store holds") {
		t.Errorf("somebody is told to take a copy that the same run takes: %s", followed.Stdout)
	}
	path := e["path"].(string)
	for _, each := range []string{path, filepath.Dir(path), filepath.Join(filepath.Dir(path), "backup.json")} {
		info, err := os.Stat(each)
		check(t, err)
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s can be read by others: %v", each, info.Mode())
		}
	}
	if _, err := backup.Verify(t.Context(), filepath.Dir(path)); err != nil {
		t.Error(err)
	}
	private := filepath.Join(t.TempDir(), "db") // 3.2's `snapshot status` may write to the file
	raw, err := os.ReadFile(path)
	check(t, err)
	check(t, os.WriteFile(private, raw, 0o600))
	if out := m.Must(t, 3, "snapshot", "status", private); !strings.Contains(out, ", 6, 5, ") && !strings.Contains(out, ", 6, ") {
		t.Errorf("etcdctl says %s", out)
	}
}

// One member that runs and serves, then runs and does not, then is stopped.
func TestWhatAStateAllows(t *testing.T) {
	cluster := seeded(t, 3)
	m := cluster.Members[0]
	all := moduletest.Run(t, arguments(t, m, map[string]any{"method": "all"})).OK(t, true)
	entry(t, all, "snapshot")
	if missing := all.JSON["missing"].([]any); len(missing) != 2 {
		t.Errorf("missing: %v", missing)
	}
	moduletest.Run(t, arguments(t, m, map[string]any{"method": "copy"})).Failed(t, "refused")

	for _, each := range cluster.Members {
		each.Kill(t)
	}
	m.Start(t)
	m.Await(t, "listening", func() bool {
		answer := moduletest.Run(t, arguments(t, m, map[string]any{"method": "copy"}))
		return strings.Contains(answer.Msg(), "serves no client")
	})
	hung := moduletest.Run(t, arguments(t, m, nil)).Failed(t, "refused")
	if hint, _ := hung.JSON["hint"].(string); !strings.Contains(hint, "etcd_service state=stopped") {
		t.Errorf("hint %q", hint)
	}
	checkNotRequired(t, m)
	m.Kill(t)
	checkStopped(t, m)
}

// checkNotRequired: a run that copies the stopped member later goes on without a snapshot where the member serves none.
func checkNotRequired(t *testing.T, m *etcdtest.Member) {
	t.Helper()
	asked := map[string]any{"method": "snapshot"}
	moduletest.Run(t, arguments(t, m, asked)).Failed(t, "timeout")
	before := listing(t, filepath.Join(m.Dir, "backup"))
	asked["required"] = false
	answer := moduletest.Run(t, arguments(t, m, asked)).OK(t, false)
	if missing := answer.JSON["missing"].([]any); len(missing) != 1 || !strings.Contains(answer.Stdout, "snapshot not taken: no snapshot can be taken") {
		t.Errorf("it does not tell what is missing: %s", answer.Stdout)
	}
	if diff := cmp.Diff(before, listing(t, filepath.Join(m.Dir, "backup"))); diff != "" {
		t.Errorf("something was left: %s", diff)
	}
}

// Only an etcd that stopped answering is excused, not a full disk or damaged data.
func TestStoppedServing(t *testing.T) {
	for kind, want := range map[fault.Kind]bool{
		fault.Unreachable: true, fault.Timeout: true, fault.Corrupt: false, fault.Refused: false, fault.Internal: false,
	} {
		if got := stoppedServing(fault.New(kind, "x")); got != want {
			t.Errorf("%s: %v", kind, got)
		}
	}
	if stoppedServing(nil) {
		t.Error("no error is excused")
	}
}

func checkStopped(t *testing.T, m *etcdtest.Member) {
	t.Helper()
	before := listing(t, m.DataDir)
	answer := moduletest.Run(t, arguments(t, m, nil)).OK(t, true)
	e := entry(t, answer, "copy")
	if fmt.Sprintf("%v %v %v", e["revision"], e["v2_keys"], e["verified"]) != "6 1 true" {
		t.Errorf("%v", e)
	}
	if diff := cmp.Diff(before, listing(t, m.DataDir)); diff != "" {
		t.Errorf("the data was changed: %s", diff)
	}
	if diff := cmp.Diff(listing(t, filepath.Join(m.DataDir, "member")), listing(t, filepath.Join(e["path"].(string), "member"))); diff != "" {
		t.Errorf("the copy differs: %s", diff)
	}
	if _, err := backup.Verify(t.Context(), answer.JSON["path"].(string)); err != nil {
		t.Error(err)
	}
	second := moduletest.Run(t, arguments(t, m, nil)).OK(t, true)
	if second.JSON["path"] == answer.JSON["path"] {
		t.Error("the second backup went over the first")
	}
	unsupported := moduletest.Run(t, arguments(t, m, map[string]any{"method": "copy", "dest": filepath.Join(m.DataDir, "x")})).Failed(t, "refused")
	if !strings.Contains(unsupported.Msg(), "inside the data directory") {
		t.Error(unsupported.Msg())
	}
	if _, err := os.Stat("/dev/full"); err == nil {
		noRoom := moduletest.Run(t, arguments(t, m, map[string]any{"dest": "/proc/backup"}))
		if noRoom.Code == 0 {
			t.Error("a backup was written to /proc")
		}
	}
}

// Only a start of the copied member proves that the copy is complete.
func TestCopyStarts(t *testing.T) {
	cluster := seeded(t, 1)
	m := cluster.Members[0]
	m.Stop(t)
	e := entry(t, moduletest.Run(t, arguments(t, m, map[string]any{"method": "copy"})).OK(t, true), "copy")
	check(t, os.Rename(m.DataDir, m.DataDir+".before"))
	check(t, os.Rename(e["path"].(string), m.DataDir))
	m.Start(t)
	m.WaitHealthy(t)
	if out := m.Must(t, 3, "get", "--prefix", "--keys-only", "/key"); strings.Count(out, "/key") != 5 {
		t.Error(out)
	}
	if out := m.Must(t, 2, "get", "/openshift.com/network/config"); out != "secret-value" {
		t.Error(out)
	}
}

// A file that the disk cannot read: the copy fails, names it, and leaves nothing that looks like a backup.
func TestBadSector(t *testing.T) {
	m := seeded(t, 1).Members[0]
	m.Stop(t)
	db := filepath.Join(m.DataDir, "member", "snap", "bad.db")
	check(t, os.WriteFile(db, nil, 0o600))
	check(t, unix.Mount("/proc/self/mem", db, "", unix.MS_BIND, ""))
	t.Cleanup(func() { check(t, unix.Unmount(db, 0)) })
	answer := moduletest.Run(t, arguments(t, m, map[string]any{"method": "copy"})).Failed(t, "corrupt")
	if !strings.Contains(answer.Msg(), db) {
		t.Errorf("%q does not name the file", answer.Msg())
	}
	if left, err := os.ReadDir(filepath.Join(m.Dir, "backup")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
