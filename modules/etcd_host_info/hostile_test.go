package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

// Each place belongs to user etcd, who can put a pipe without a writer there, or a link to an endless device.
func TestHostilePipes(t *testing.T) {
	for _, name := range []string{
		"etc/etcd/etcd.conf", "etc/etcd/fenced.json", "etc/etcd/forcing.json", "etc/etcd/restoring.json", "etc/etcd/ca.crt", "etc/etcd/peer.key",
		"var/lib/etcd/member/snap/db", "var/lib/etcd/member/snap/0000000000000001-0000000000000001.snap", "var/lib/etcd/member/wal/0000000000000001-0000000000000099.wal",
	} {
		for kind, put := range map[string]func(path string) error{
			"pipe": func(path string) error { return unix.Mkfifo(path, 0o666) },
			"zero": func(path string) error { return os.Symlink("/dev/zero", path) },
		} {
			t.Run(kind+" "+filepath.Base(name), func(t *testing.T) {
				h := hosttest.New(t)
				path := filepath.Join(h.Root, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.RemoveAll(path); err != nil {
					t.Fatal(err)
				}
				if err := put(path); err != nil {
					t.Fatal(err)
				}
				before := h.Tree()
				moduletest.Run(t, h.Args("timeout", 3)).Bounded(t, 30*time.Second)
				if h.Tree() != before {
					t.Error("it touched something")
				}
			})
		}
	}
}
