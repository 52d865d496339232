package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/moduletest"
)

// asPackaged is what the etcd package installs [etcd-3.2.32-1.el7, etcd.conf]: comments left out, and another port than 2379, at which other
// tests' etcds may listen.
const asPackaged = "ETCD_DATA_DIR=\"/var/lib/etcd/default.etcd\"\nETCD_LISTEN_CLIENT_URLS=\"http://localhost:23\"\nETCD_NAME=\"default\"\n" +
	"ETCD_ADVERTISE_CLIENT_URLS=\"http://localhost:23\"\n"

// A host that was installed again has no etcd.conf, or the package's; its backups are on a mount, beside those of others.
func TestReinstalledHost(t *testing.T) {
	for name, left := range map[string]string{"nothing": "", "the package's": asPackaged} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			older, src := saved(t, s), saved(t, s)
			check(t, os.Rename(older, filepath.Join(s.dest, "etcd-config-20200101")))
			others(t, s, "etcd-config-29990101")
			check(t, os.MkdirAll(filepath.Join(s.dest, "etcd-config-29990102.partial"), 0o700))
			check(t, os.RemoveAll(s.etc))
			if left != "" {
				check(t, os.Mkdir(s.etc, 0o755))
				check(t, os.WriteFile(s.conf, []byte(left), 0o644))
			}
			args := s.args(map[string]any{"state": "restored", "if_missing": true, "data_dir": s.data})
			answer := moduletest.Run(t, args).OK(t, true)
			if answer.JSON["from"] != src {
				t.Errorf("put back from %v, want %s", answer.JSON["from"], src)
			}
			if raw, err := os.ReadFile(s.conf); err != nil || !strings.Contains(string(raw), "ETCD_NAME=a\n") {
				t.Errorf("%s, %v", raw, err)
			}
		})
	}
}

// others makes another host's backup.
func others(t *testing.T, s site, name string) {
	t.Helper()
	dir := filepath.Join(s.dest, name, "etcd")
	check(t, os.MkdirAll(dir, 0o700))
	check(t, os.WriteFile(filepath.Join(dir, "etcd.conf"), []byte("ETCD_NAME=b\nETCD_LISTEN_PEER_URLS=https://192.0.2.99:2380\n"), 0o600))
}

// A member's configuration is never replaced unasked, whatever the backup holds.
func TestIfMissingLeavesAMember(t *testing.T) {
	s := newSite(t)
	saved(t, s)
	text := "ETCD_NAME=a\nETCD_INITIAL_ADVERTISE_PEER_URLS=https://192.0.2.11:2380\nETCD_DATA_DIR=" + s.data + "\n"
	check(t, os.WriteFile(s.conf, []byte(text), 0o644))
	before := listing(t, s.etc)
	moduletest.Run(t, s.args(map[string]any{"state": "restored", "if_missing": true})).OK(t, false)
	if diff := cmp.Diff(before, listing(t, s.etc)); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutABackup(t *testing.T) {
	s := newSite(t)
	others(t, s, "etcd-config-20261101")
	check(t, os.RemoveAll(s.etc))
	answer := moduletest.Run(t, s.args(map[string]any{"state": "restored", "if_missing": true, "ca_host": "master-0.example.com"})).Failed(t, "refused")
	moduletest.Run(t, s.args(map[string]any{"state": "restored", "if_missing": true, "if_found": true})).OK(t, false)
	for _, words := range []string{"no backup of this host's", "is of the member b at 192.0.2.99"} {
		if !strings.Contains(answer.Msg(), words) {
			t.Errorf("%q does not say %q", answer.Msg(), words)
		}
	}
	for _, words := range []string{"openshift-etcd/scaleup.yml", "master-0.example.com, which has the CA's key", "etcd_backup_dir"} {
		if hint := fmt.Sprint(answer.JSON["hint"]); !strings.Contains(hint, words) {
			t.Errorf("%q does not say %q", hint, words)
		}
	}
	if _, err := os.Stat(s.etc); err == nil {
		t.Error("a refusal made the directory")
	}
}

func TestBackupsInTheirOrder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"etcd-config-20261101-9", "etcd-config-20261101", "etcd-config-20261101-10", "etcd-config-20261102", "etcd-config-20261103.partial", "etcd-20261104"} {
		check(t, os.Mkdir(filepath.Join(dir, name), 0o700))
	}
	want := []string{"etcd-config-20261102", "etcd-config-20261101-10", "etcd-config-20261101-9", "etcd-config-20261101"}
	if diff := cmp.Diff(want, backupsIn(dir)); diff != "" {
		t.Error(diff)
	}
}
