package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/moduletest"
)

const stranger = 65534 // plays user etcd, who owns /etc/etcd; tests run as root

// Links of the directory's owner cannot redirect root's writes: one in place of a file is set aside like any file, one in place of a directory is
// refused.
func TestHostileLinks(t *testing.T) {
	s := newSite(t)
	src := saved(t, s)
	victim := filepath.Join(t.TempDir(), "victim")
	check(t, os.Mkdir(victim, 0o700))
	check(t, os.WriteFile(filepath.Join(victim, "ca.key"), []byte("root's"), 0o600))
	check(t, os.Chown(s.etc, stranger, stranger))
	args := s.args(map[string]any{"state": "restored", "src": src})

	key := filepath.Join(s.etc, "peer.key")
	check(t, os.Remove(key))
	check(t, os.Symlink(filepath.Join(victim, "ca.key"), key))
	moduletest.Run(t, args).OK(t, true)
	if info, err := os.Lstat(key); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the link was not replaced: %v, %v", info, err)
	}
	check(t, os.RemoveAll(filepath.Join(s.etc, "ca")))
	check(t, os.Symlink(victim, filepath.Join(s.etc, "ca")))
	moduletest.Run(t, args).Failed(t, "refused")
	content, err := os.ReadFile(filepath.Join(victim, "ca.key"))
	if err != nil || string(content) != "root's" {
		t.Errorf("root's file holds %q, %v", content, err)
	}
	for _, path := range []string{victim, filepath.Join(victim, "ca.key")} {
		var st unix.Stat_t
		check(t, unix.Stat(path, &st))
		if st.Uid != 0 || st.Mode&0o077 != 0 {
			t.Errorf("%s has mode %o and owner %d", path, st.Mode, st.Uid)
		}
	}
}

// Records of the present are never put back: an old one could lift a fence, begin a forced start or end a restore.
func TestHostileRecords(t *testing.T) {
	s := newSite(t)
	names := []string{"fenced.json", "forcing.json", "restoring.json"}
	for _, name := range names {
		check(t, os.WriteFile(filepath.Join(s.etc, name), []byte("{}"), 0o600))
	}
	src := saved(t, s)
	for _, name := range names {
		check(t, os.Remove(filepath.Join(s.etc, name)))
	}
	moduletest.Run(t, s.args(map[string]any{"state": "restored", "src": src})).OK(t, false)
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(s.etc, name)); err == nil {
			t.Error(name, " was put back")
		}
	}
}

// A destination that another user can write to, and a backup from there.
func TestHostileDestination(t *testing.T) {
	s := newSite(t)
	src := saved(t, s)
	for _, above := range []string{s.dest, filepath.Dir(s.dest), filepath.Dir(filepath.Dir(s.dest))} {
		check(t, os.Chmod(above, 0o755))
	}
	check(t, os.Chown(s.dest, stranger, stranger))
	moduletest.Run(t, s.args(nil)).Failed(t, "refused")
	moduletest.Run(t, s.args(map[string]any{"state": "restored", "src": src})).Failed(t, "refused")
}

// An endless file in the place of one of the backup's is set aside without being read.
func TestHostileSize(t *testing.T) {
	s := newSite(t)
	src := saved(t, s)
	key := filepath.Join(s.etc, "peer.key")
	check(t, os.Remove(key))
	check(t, os.WriteFile(key, nil, 0o600))
	check(t, os.Truncate(key, 1<<40))
	moduletest.Run(t, s.args(map[string]any{"state": "restored", "src": src})).OK(t, true).Bounded(t, 20*time.Second)
}

// A file without a sum is not put back.
func TestHostileScratch(t *testing.T) {
	s := newSite(t)
	src := saved(t, s)
	dir := filepath.Join(src, filepath.Base(s.etc), ".rehearsal-1")
	check(t, os.Mkdir(dir, 0o700))
	check(t, os.WriteFile(filepath.Join(dir, "added"), nil, 0o600))
	moduletest.Run(t, s.args(map[string]any{"state": "restored", "src": src})).OK(t, false)
}
