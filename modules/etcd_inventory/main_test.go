package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestMain(tests *testing.M) { os.Exit(moduletest.Clean(tests.Run())) }

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, rules) }

const hosts = `[OSEv3:children]
masters
etcd

[masters]
m.example.com

[etcd]
a.example.com ansible_host=192.0.2.1  # holds the CA
b.example.com ansible_host=192.0.2.2 ansible_ssh_pass=verysecret
`

type m = map[string]any

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hosts")
	put(t, path, text)
	return path
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// isGone tells whether text is hosts after b has left. The day may change while the test runs, so both days are accepted.
func isGone(text string, before time.Time) bool {
	for _, day := range []string{before.Format("2006-01-02"), time.Now().Format("2006-01-02")} {
		if text == strings.Replace(hosts, "b.example.com", "# out of [etcd] since "+day+": b.example.com", 1) {
			return true
		}
	}
	return false
}

func TestLeaveAndReturn(t *testing.T) {
	path, start := file(t, hosts), time.Now()
	leave := m{"path": path, "host": "b.example.com", "state": "absent"}

	check := moduletest.Run(t, with(leave, "_ansible_check_mode", true)).OK(t, true)
	if read(t, path) != hosts {
		t.Fatal("check mode changed the file")
	}
	got := moduletest.Run(t, with(leave, "backup", true)).OK(t, true)
	if !isGone(read(t, path), start) {
		t.Fatalf("the file is now:\n%s", read(t, path))
	}
	for _, key := range []string{"before", "after", "file", "line", "files", "msg"} {
		if diff := cmp.Diff(check.JSON[key], got.JSON[key]); diff != "" {
			t.Errorf("check mode promised another %s: %s", key, diff)
		}
	}
	want := m{"before": []any{"a.example.com", "b.example.com"}, "after": []any{"a.example.com"}, "file": path, "files": []any{path}}
	for key, value := range want {
		if diff := cmp.Diff(value, got.JSON[key]); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
	if fmt.Sprint(got.JSON["line"]) != "10" {
		t.Errorf("line %v", got.JSON["line"])
	}
	if backup, _ := got.JSON["backup_file"].(string); read(t, backup) != hosts || !strings.HasPrefix(filepath.Base(backup), ".hosts.") {
		t.Errorf("backup_file %v does not hold the old file", got.JSON["backup_file"])
	}
	moduletest.Run(t, leave).OK(t, false)

	moduletest.Run(t, m{"path": path, "host": "b.example.com", "group": "new_etcd", "from_group": "etcd"}).OK(t, true)
	if text := read(t, path); !strings.Contains(text, "\nnew_etcd  # made by etcd_inventory\n") || !strings.Contains(text, "\n[new_etcd]  # made by etcd_inventory\nb.example.com ") {
		t.Fatalf("no new_etcd:\n%s", text)
	}
	moduletest.Run(t, m{"path": path, "host": "b.example.com", "from_group": "new_etcd"}).OK(t, true)
	if diff := cmp.Diff(hosts, read(t, path)); diff != "" {
		t.Errorf("after the return: %s", diff)
	}
	moduletest.Run(t, m{"path": path, "host": "b.example.com", "from_group": "new_etcd"}).OK(t, false)
}

func with(a m, key string, value any) m {
	out := m{key: value}
	for k, v := range a {
		out[k] = v
	}
	return out
}

func TestDiffIsTheSectionWithoutSecrets(t *testing.T) {
	path := file(t, hosts)
	got := moduletest.Run(t, m{"path": path, "host": "b.example.com", "state": "absent", "_ansible_diff": true}).OK(t, true)
	if strings.Contains(got.Stdout, "verysecret") {
		t.Errorf("a password is shown: %s", got.Stdout)
	}
	diff := got.JSON["diff"].([]any)[0].(m)
	if want := "[etcd]\nb.example.com …\n"; diff["before"] != want {
		t.Errorf("before is %q, want %q", diff["before"], want)
	}
	if after, _ := diff["after"].(string); !strings.HasPrefix(after, "[etcd]\n# out of [etcd] since ") {
		t.Errorf("after is %q", after)
	}
}

func TestKeepsModeAndOwner(t *testing.T) {
	path := file(t, hosts)
	if err := os.Chmod(path, 0o604); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	moduletest.Run(t, m{"path": link, "host": "b.example.com", "state": "absent"}).OK(t, true)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o604 {
		t.Errorf("%v, mode %v", err, info.Mode())
	}
	if to, err := os.Readlink(link); err != nil || to != path {
		t.Errorf("the link is %q, %v", to, err)
	}
}

func TestBadInputChangesNothing(t *testing.T) {
	for _, c := range []struct {
		name, text string
		args       m
		kind, part string
	}{
		{"no host", hosts, m{}, "invalid", "host is required"},
		{"unknown argument", hosts, m{"host": "a.example.com", "hosts": "b"}, "invalid", `unknown argument "hosts"`},
		{"state", hosts, m{"host": "a.example.com", "state": "gone"}, "invalid", "state"},
		{"first of those who left", hosts, m{"host": "a.example.com", "state": "absent", "first": true}, "invalid", "first"},
		{"a pattern", hosts, m{"host": "*.example.com,", "state": "absent"}, "invalid", "one name"},
		{"a stranger", hosts, m{"host": "z.example.com"}, "refused", "z.example.com"},
		{"unreadable", "[etcd]\na b\n", m{"host": "a", "state": "absent"}, "invalid", "line 2"},
		{"a script", "#!/bin/sh\n", m{"host": "a", "state": "absent"}, "unsupported", "script"},
		{"encrypted", "$ANSIBLE_VAULT;1.1;AES256\n3132\n", m{"host": "a", "state": "absent"}, "unsupported", "ansible-vault"},
		{"a child that is more than a name", "[etcd:children]\nm\n[m]\na\n[m:vars]\nx=1\n[etcd:vars]\nx=2\n", m{"host": "a", "state": "absent"}, "refused", "child group"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := file(t, c.text)
			got := moduletest.Run(t, with(c.args, "path", path)).Failed(t, c.kind)
			if !strings.Contains(got.Msg(), c.part) {
				t.Errorf("msg %q does not name %q", got.Msg(), c.part)
			}
			if got.JSON["hint"] == nil {
				t.Error("no hint")
			}
			if read(t, path) != c.text {
				t.Error("the file was changed")
			}
			if list, _ := os.ReadDir(filepath.Dir(path)); len(list) != 1 {
				t.Errorf("files are left behind: %v", list)
			}
		})
	}
	moduletest.Run(t, m{"path": "/nonexistent/hosts", "host": "a"}).Failed(t, "invalid")
}

// TestReportsWhatIsLeftByHand: an inventory that cannot be edited does not end a restore.
func TestReportsWhatIsLeftByHand(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		args m
		part string
	}{
		"a script":  {"#!/bin/sh\n", m{"state": "absent"}, "script"},
		"a plugin":  {"plugin: aws_ec2\n", m{"state": "absent"}, "aws_ec2"},
		"encrypted": {"$ANSIBLE_VAULT;1.1;AES256\n3132\n", m{"state": "absent"}, "ansible-vault edit"},
		"no line":   {"[etcd]\nx\n", m{"group": "new_etcd", "from_group": "etcd"}, "a moves from [etcd] to [new_etcd]"},
		"not exact": {"[etcd:children]\nm\n[m]\na\n[m:vars]\nx=1\n[etcd:vars]\nx=2\n", m{"state": "absent"}, "child group"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "hosts.yml")
			put(t, path, c.text)
			got := moduletest.Run(t, with(with(with(c.args, "path", path), "host", "a"), "uneditable", "report")).OK(t, false)
			lines := fmt.Sprint(got.JSON["by_hand"])
			for _, part := range []string{c.part, "what the inventory has to say: the line of a "} {
				if !strings.Contains(lines, part) {
					t.Errorf("by_hand does not name %q: %s", part, lines)
				}
			}
			if read(t, path) != c.text {
				t.Error("the file was changed")
			}
		})
	}
	path := file(t, hosts)
	if got := moduletest.Run(t, m{"path": path, "host": "b.example.com", "state": "absent", "uneditable": "report"}).OK(t, true); fmt.Sprint(got.JSON["by_hand"]) != "[]" {
		t.Errorf("by_hand is %v", got.JSON["by_hand"])
	}
	moduletest.Run(t, m{"path": path, "host": "a,b", "uneditable": "report"}).Failed(t, "invalid")
	moduletest.Run(t, m{"path": "/nonexistent/hosts", "host": "a", "uneditable": "report"}).OK(t, false)
}

// Before a restore its edits are tried in check mode: where nothing can be written, that is said then.
func TestReadOnlyIsToldInCheckMode(t *testing.T) {
	path := file(t, hosts)
	readOnly(t, filepath.Dir(path))
	args := m{"path": path, "host": "b.example.com", "state": "absent", "_ansible_check_mode": true}
	if got := moduletest.Run(t, args).Failed(t, "internal"); !strings.Contains(got.Msg(), "was not changed (no file was changed)") {
		t.Error(got.Msg())
	}
	args["uneditable"] = "report"
	if lines := fmt.Sprint(moduletest.Run(t, args).OK(t, false).JSON["by_hand"]); !strings.Contains(lines, "what the inventory has to say: ") {
		t.Error(lines)
	}
}

// readOnly makes it so for this test and what it starts. Root may write everywhere else, so there it is a mount that only this thread sees, which
// is never unlocked, and ends with the test.
func readOnly(t *testing.T, directory string) {
	t.Helper()
	if os.Geteuid() != 0 {
		if err := os.Chmod(directory, 0o500); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(directory, 0o700) })
		return
	}
	runtime.LockOSThread()
	err := unix.Unshare(unix.CLONE_NEWNS)
	for _, mount := range []struct {
		from, to string
		flags    uintptr
	}{{"", "/", unix.MS_REC | unix.MS_PRIVATE}, {directory, directory, unix.MS_BIND}, {"", directory, unix.MS_REMOUNT | unix.MS_BIND | unix.MS_RDONLY}} {
		if err == nil {
			err = unix.Mount(mount.from, mount.to, "", mount.flags, "")
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(directory, unix.MNT_DETACH) })
}

// TestTwoRunsLoseNothing: runs at the same time wait for each other, and each edit is in the file at the end.
func TestTwoRunsLoseNothing(t *testing.T) {
	var text strings.Builder
	text.WriteString("[etcd]\n")
	for i := range 16 {
		fmt.Fprintf(&text, "h%d\n", i)
	}
	path := file(t, text.String())
	moduletest.Binary(t)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			got := moduletest.Run(t, m{"path": path, "host": fmt.Sprintf("h%d", i), "state": "absent"})
			if got.JSON["changed"] != true {
				t.Errorf("h%d: %s", i, got.Stdout)
			}
		})
	}
	all.Wait()
	if n := strings.Count(read(t, path), "# out of [etcd] since "); n != 16 {
		t.Errorf("%d of 16 edits are in the file:\n%s", n, read(t, path))
	}
}

func TestWaitsForAnotherRunWithinALimit(t *testing.T) {
	path := file(t, hosts)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	got := moduletest.Run(t, m{"path": path, "host": "b.example.com", "state": "absent", "timeout": 1}).Failed(t, "timeout")
	if !strings.Contains(got.Msg(), path) || read(t, path) != hosts {
		t.Errorf("msg %q", got.Msg())
	}
}

func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "group_vars"), 0o755); err != nil {
		t.Fatal(err)
	}
	first, second := filepath.Join(dir, "10-groups"), filepath.Join(dir, "20-etcd")
	put(t, first, "[OSEv3:children]\netcd\n[etcd]\na x=1\n")
	put(t, second, "[etcd]\nb x=2\n")
	put(t, second+".bak", "[etcd]\nb x=2\n")
	put(t, filepath.Join(dir, "group_vars", "etcd.yml"), "ansible_user: root\n")

	got := moduletest.Run(t, m{"path": dir, "host": "b", "state": "absent", "backup": true}).OK(t, true)
	if got.JSON["file"] != second || !strings.HasPrefix(read(t, second), "[etcd]\n# out of [etcd] since ") {
		t.Errorf("file %v:\n%s", got.JSON["file"], read(t, second))
	}
	got = moduletest.Run(t, m{"path": dir, "host": "b", "group": "new_etcd", "from_group": "etcd", "_ansible_diff": true}).OK(t, true)
	if want := "[OSEv3:children]\netcd\nnew_etcd  # made by etcd_inventory\n[etcd]\na x=1\n\n[new_etcd]  # made by etcd_inventory\nb x=2\n"; read(t, first) != want {
		t.Errorf("the group was not made beside its parent's entry:\n%s", read(t, first))
	}
	if warnings := fmt.Sprint(got.JSON["warnings"]); !strings.Contains(warnings, "group_vars/etcd.yml") {
		t.Errorf("no word of the login in group_vars: %s", warnings)
	}
	moduletest.Run(t, m{"path": dir, "host": "b", "from_group": "new_etcd"}).OK(t, true)
	if read(t, first) != "[OSEv3:children]\netcd\n[etcd]\na x=1\n" || read(t, second) != "[etcd]\nb x=2\n" {
		t.Errorf("after the return:\n%s--\n%s", read(t, first), read(t, second))
	}
	if read(t, second+".bak") != "[etcd]\nb x=2\n" || read(t, filepath.Join(dir, "group_vars", "etcd.yml")) != "ansible_user: root\n" {
		t.Error("a file that is no inventory was changed")
	}
}
