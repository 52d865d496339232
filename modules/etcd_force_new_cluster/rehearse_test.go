package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

// stoppedCopy is what etcd_backup method=copy makes of a host's data.
func stoppedCopy(t *testing.T, h *hosttest.Host) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "backup")
	copied := filepath.Join(dir, "copy")
	check(t, os.Mkdir(dir, 0o700))
	files, err := backup.CopyMember(t.Context(), filepath.Join(h.DataDir, "member"), filepath.Join(h.DataDir, "member/wal"), copied)
	check(t, err)
	check(t, backup.Manifest{Files: files, Backups: []backup.Entry{{Method: "copy", Path: copied}}}.Write(dir))
	return copied
}

func TestRehearsedThenForced(t *testing.T) {
	h := fencedHost(t)
	path := "PATH=" + filepath.Dir(etcdtest.Binary(t, "etcd"))
	copied := stoppedCopy(t, h)
	before := h.Tree()
	a := moduletest.Run(t, h.Args("rehearse", copied), path).OK(t, false)
	result, ok := a.JSON["rehearsal"].(map[string]any)
	if !ok || result["keys"] != json.Number("8") || h.Tree() != before {
		t.Fatalf("%s", a.Stdout)
	}
	// Its result is the expectation: a number of keys that differs from the rehearsal's is noticed before the member serves for good.
	wrong := map[string]any{}
	for k, v := range result {
		wrong[k] = v
	}
	wrong["keys"] = 7
	b := moduletest.Run(t, h.Args("expect", wrong))
	if b.Code == 0 || !strings.Contains(b.Msg(), "there are 8 keys at revision") || !h.Exists("etc/etcd/fenced.json") {
		t.Fatalf("%s", b.Stdout)
	}
	if runs, _ := h.Running(); runs {
		t.Error("a member that does not hold what was rehearsed goes on running")
	}
	moduletest.Run(t, h.Args("expect", result)).OK(t, true)
	restored(t, h)
	moduletest.Run(t, h.Args("expect", result)).OK(t, false)
}

// A binary that another user can replace is never run; the login shell's PATH does not choose one.
func TestHostileBinaryIsNotRehearsed(t *testing.T) {
	h := fencedHost(t)
	copied := stoppedCopy(t, h)
	mallory := filepath.Join(t.TempDir(), "mallory")
	check(t, os.Mkdir(mallory, 0o755))
	text, err := os.ReadFile(etcdtest.Binary(t, "etcd"))
	check(t, err)
	check(t, os.WriteFile(filepath.Join(mallory, "etcd"), text, 0o755))
	check(t, os.Chown(mallory, 1234, 1234))
	h.RealEtcd(filepath.Join(mallory, "etcd"))
	before := h.Tree()
	a := moduletest.Run(t, h.Args("rehearse", copied), "PATH="+filepath.Dir(etcdtest.Binary(t, "etcd"))).Failed(t, "refused")
	for _, want := range []string{"is not run", mallory + " belongs to user 1234"} {
		if !strings.Contains(a.Msg(), want) {
			t.Errorf("want %q: %s", want, a.Stdout)
		}
	}
	if h.Tree() != before {
		t.Error("something was changed")
	}
}

// TestRehearsalOfADamagedCopy: the copy's sums are compared after the rehearsal, also those of files that etcd only reads.
func TestRehearsalOfADamagedCopy(t *testing.T) {
	h := fencedHost(t)
	path := "PATH=" + filepath.Dir(etcdtest.Binary(t, "etcd"))
	for name, file := range map[string]string{"database": "member/snap/db", "a file that is only read": "member/snap/0000000000000001-0000000000000001.snap"} {
		t.Run(name, func(t *testing.T) {
			membership := filepath.Join(h.DataDir, "member/snap/0000000000000001-0000000000000001.snap")
			check(t, os.WriteFile(membership, []byte("a snapshot that is not whole: etcd passes over it"), 0o600))
			copied := stoppedCopy(t, h)
			f, err := os.OpenFile(filepath.Join(copied, file), os.O_WRONLY|os.O_APPEND, 0)
			check(t, err)
			_, err = f.WriteString("more")
			check(t, err)
			check(t, f.Close())
			a := moduletest.Run(t, h.Args("rehearse", copied), path).Failed(t, "corrupt")
			if !strings.Contains(a.Msg(), filepath.Base(file)) || !strings.Contains(a.Msg(), "expected") {
				t.Errorf("%s", a.Stdout)
			}
		})
	}
}
