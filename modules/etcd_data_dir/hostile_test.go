package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

// User etcd owns both places of the record. A file of root's that it names there must not be copied to where that user can read it, and is refused
// before anything has moved.
func TestHostileRecord(t *testing.T) {
	for name, put := range map[string]func(victim, path string) error{"a link": os.Symlink, "a hard link": os.Link} {
		for _, state := range []string{"set_aside", "restored"} {
			t.Run(name+" "+state, func(t *testing.T) {
				h := hosttest.New(t)
				victim, record := h.Write("root/secret", "the secret"), filepath.Join(h.Root, "etc/etcd/forcing.json")
				if state == "restored" {
					a := moduletest.Run(t, h.Args("state", "set_aside")).OK(t, true)
					path, _ := a.JSON["path"].(string)
					record = filepath.Join(filepath.Dir(path), "forcing.json")
				}
				if err := errors.Join(put(victim, record), os.Chown(filepath.Dir(record), 65534, 65534)); err != nil {
					t.Fatal(err)
				}
				before := h.Tree()
				a := moduletest.Run(t, h.Args("state", state)).Failed(t, "refused")
				if h.Tree() != before || !strings.Contains(a.Msg(), record) || a.JSON["hint"] == nil {
					t.Errorf("%s\n%s\n%s", a.Stdout, before, h.Tree())
				}
			})
		}
	}
}
