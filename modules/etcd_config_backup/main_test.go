package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestMain(m *testing.M) { os.Exit(moduletest.Clean(m.Run())) }

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, ansible.Rules{}) }

// site is a host's directories below one temporary directory.
type site struct{ etc, conf, dest, data, pods string }

func newSite(t *testing.T) site {
	t.Helper()
	base := t.TempDir()
	s := site{etc: filepath.Join(base, "etcd"), dest: filepath.Join(base, "backup"), data: filepath.Join(base, "data"), pods: filepath.Join(base, "pods")}
	s.conf = filepath.Join(s.etc, "etcd.conf")
	for _, dir := range []string{filepath.Join(s.etc, "ca"), s.data, s.pods} {
		check(t, os.MkdirAll(dir, 0o700))
	}
	// A manifest makes it a static pod's host, so that no systemd is asked.
	check(t, os.WriteFile(filepath.Join(s.pods, "etcd.yaml"), []byte("kind: Pod\n"), 0o600))
	text := fmt.Sprintf("ETCD_NAME=a\nETCD_DATA_DIR=%s\nETCD_LISTEN_PEER_URLS=https://127.0.0.1:1\n", s.data)
	check(t, os.WriteFile(s.conf, []byte(text), 0o644))
	check(t, os.WriteFile(filepath.Join(s.etc, "peer.key"), []byte("PRIVATE"), 0o600))
	check(t, os.WriteFile(filepath.Join(s.etc, "ca", "ca.key"), []byte("PRIVATE"), 0o400))
	check(t, os.Symlink("peer.key", filepath.Join(s.etc, "link.key")))
	check(t, os.WriteFile(filepath.Join(s.etc, "fenced.json"), []byte("{}"), 0o600))
	return s
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s site) args(more map[string]any) map[string]any {
	out := map[string]any{"etcd_conf": s.conf, "dest": s.dest, "manifest_dir": s.pods}
	for k, v := range more {
		out[k] = v
	}
	return out
}

// listing is the output of `ls` and `sha256sum`, independent of the module.
func listing(t *testing.T, dir string) string {
	t.Helper()
	out, err := exec.Command("sh", "-c", `cd "$1" && find . -printf '%p %m %u %g %y %l\n' | sort && find . -type f | sort | xargs sha256sum`, "sh", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func saved(t *testing.T, s site) string {
	t.Helper()
	answer := moduletest.Run(t, s.args(nil)).OK(t, true)
	backups := answer.JSON["backups"].([]any)
	entry := backups[0].(map[string]any)
	if len(backups) != 1 || entry["verified"] != true || strings.Contains(answer.Stdout, "PRIVATE") {
		t.Fatalf("unexpected answer: %s", answer.Stdout)
	}
	return entry["path"].(string)
}

func TestBackup(t *testing.T) {
	s := newSite(t)
	before := listing(t, s.etc)
	moduletest.Run(t, s.args(map[string]any{"_ansible_check_mode": true})).OK(t, true)
	if _, err := os.Stat(s.dest); err == nil {
		t.Error("check mode made the directory")
	}
	first, second := saved(t, s), saved(t, s)
	if filepath.Base(second) != filepath.Base(first)+"-2" {
		t.Errorf("%s and %s", first, second)
	}
	for _, dir := range []string{first, second} {
		if diff := cmp.Diff(before, listing(t, filepath.Join(dir, "etcd"))); diff != "" {
			t.Errorf("%s differs: %s", dir, diff)
		}
		if info, err := os.Stat(filepath.Join(dir, "backup.json")); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
	}
	if diff := cmp.Diff(before, listing(t, s.etc)); diff != "" {
		t.Errorf("the source was changed: %s", diff)
	}
}

func TestBadInput(t *testing.T) {
	s := newSite(t)
	for name, c := range map[string]struct {
		args map[string]any
		kind string
	}{
		"no backup":     {map[string]any{"state": "restored"}, "refused"},
		"no such src":   {map[string]any{"state": "restored", "src": "/nonexistent"}, "invalid"},
		"no etcd.conf":  {map[string]any{"etcd_conf": "/nonexistent/etcd.conf"}, "invalid"},
		"into itself":   {map[string]any{"dest": s.etc + "/backup"}, "refused"},
		"into the data": {map[string]any{"dest": s.data + "/backup"}, "refused"},
		"relative dest": {map[string]any{"dest": "backup"}, "invalid"},
		"timeout":       {map[string]any{"timeout": -1}, "invalid"},
		"unknown":       {map[string]any{"source": "x"}, "invalid"},
	} {
		t.Run(name, func(t *testing.T) { moduletest.Run(t, s.args(c.args)).Failed(t, c.kind) })
	}
	if _, err := os.Stat(s.dest); err == nil {
		t.Error("a refusal made the directory")
	}
}

func TestRestore(t *testing.T) {
	s := newSite(t)
	src := saved(t, s)
	want := listing(t, s.etc)
	args := s.args(map[string]any{"state": "restored", "src": src})
	moduletest.Run(t, args).OK(t, false)

	check(t, os.RemoveAll(filepath.Join(s.etc, "ca")))
	check(t, os.WriteFile(filepath.Join(s.etc, "peer.key"), []byte("ANOTHER"), 0o600))
	check(t, os.Chmod(s.conf, 0o600))
	check(t, os.Remove(filepath.Join(s.etc, "link.key")))
	check(t, os.WriteFile(filepath.Join(s.etc, ".safefile-A"), []byte("left by a crash"), 0o600))
	broken := listing(t, s.etc)
	preview := moduletest.Run(t, s.args(map[string]any{"state": "restored", "src": src, "_ansible_check_mode": true})).OK(t, true)
	if diff := cmp.Diff(broken, listing(t, s.etc)); diff != "" {
		t.Errorf("check mode changed files: %s", diff)
	}
	answer := moduletest.Run(t, args).OK(t, true)
	if diff := cmp.Diff(preview.JSON["restored"], answer.JSON["restored"]); diff != "" {
		t.Errorf("check mode said something else: %s", diff)
	}
	aside, _ := answer.JSON["set_aside"].(string)
	if content, err := os.ReadFile(filepath.Join(aside, "peer.key")); err != nil || string(content) != "ANOTHER" {
		t.Errorf("the replaced file is not set aside: %q, %v", content, err)
	}
	moduletest.Run(t, args).OK(t, false)
	check(t, os.RemoveAll(aside))
	if diff := cmp.Diff(want, listing(t, s.etc)); diff != "" {
		t.Errorf("not as before: %s", diff)
	}
}

// A backup neither lifts nor sets a fence: today's state stays.
func TestFenceStaysAsItIs(t *testing.T) {
	s := newSite(t)
	src := saved(t, s)
	fence := filepath.Join(s.etc, "fenced.json")
	args := s.args(map[string]any{"state": "restored", "src": src})
	check(t, os.Remove(fence))
	moduletest.Run(t, args).OK(t, false)
	if _, err := os.Stat(fence); err == nil {
		t.Error("a fence came out of the backup")
	}
	check(t, os.WriteFile(fence, []byte(`{"why":"today"}`), 0o600))
	check(t, os.Remove(filepath.Join(s.etc, "peer.key")))
	moduletest.Run(t, args).OK(t, true)
	if content, err := os.ReadFile(fence); err != nil || string(content) != `{"why":"today"}` {
		t.Errorf("the fence was replaced: %q, %v", content, err)
	}
}

func TestRestoreRefuses(t *testing.T) {
	spoil := func(path, text string) func(*testing.T, site, string) {
		return func(t *testing.T, _ site, src string) {
			check(t, os.WriteFile(filepath.Join(src, path), []byte(text), 0o600))
		}
	}
	for name, c := range map[string]struct {
		prepare func(t *testing.T, s site, src string)
		kind    string
		says    string
	}{
		"a damaged file": {spoil("etcd/peer.key", "PRIVATf"), "corrupt", "peer.key"},
		"another host's": {func(t *testing.T, _ site, src string) {
			check(t, os.Remove(filepath.Join(src, "backup.json")))
			spoil("etcd/etcd.conf", "ETCD_NAME=b\nETCD_LISTEN_PEER_URLS=https://192.0.2.99:2380\n")(t, site{}, src)
		}, "refused", "192.0.2.99"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			src := saved(t, s)
			check(t, os.Remove(filepath.Join(s.etc, "peer.key")))
			c.prepare(t, s, src)
			before := listing(t, s.etc)
			answer := moduletest.Run(t, s.args(map[string]any{"state": "restored", "src": src})).Failed(t, c.kind)
			if !strings.Contains(answer.Msg(), c.says) || strings.Contains(answer.Stdout, "PRIVAT") {
				t.Error(answer.Stdout)
			}
			if diff := cmp.Diff(before, listing(t, s.etc)); diff != "" {
				t.Errorf("a refusal changed files: %s", diff)
			}
		})
	}
}

// What the chapter's `cp -R /etc/etcd/ DEST` left can be put back too, with a warning that it cannot be checked.
func TestRestoreOfAHandMadeCopy(t *testing.T) {
	s := newSite(t)
	hand := filepath.Join(t.TempDir(), "etcd-config-20261123")
	check(t, os.Mkdir(hand, 0o700))
	if out, err := exec.Command("cp", "-R", s.etc, hand).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	check(t, os.Remove(filepath.Join(s.etc, "peer.key")))
	answer := moduletest.Run(t, s.args(map[string]any{"state": "restored", "src": hand})).OK(t, true)
	if !strings.Contains(answer.Stdout, "could not be verified") {
		t.Errorf("no warning: %s", answer.Stdout)
	}
}

// A running etcd reads its certificates at every handshake, so half a set would cut it off.
func TestRestoreUnderARunningEtcd(t *testing.T) {
	m := etcdtest.Start(t, 1).Members[0]
	s := newSite(t)
	raw, err := os.ReadFile(m.Conf)
	check(t, err)
	check(t, os.WriteFile(s.conf, raw, 0o644))
	src := saved(t, s) // a backup needs no stop
	check(t, os.Remove(filepath.Join(s.etc, "peer.key")))
	args := s.args(map[string]any{"state": "restored", "src": src})
	answer := moduletest.Run(t, args).Failed(t, "refused")
	if hint, _ := answer.JSON["hint"].(string); !strings.Contains(hint, "etcd_service state=stopped") {
		t.Errorf("hint %q", hint)
	}
	m.Stop(t)
	moduletest.Run(t, args).OK(t, true)
}
