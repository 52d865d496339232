package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/membertest"
	"etcd-quorum-restore/modules/internal/moduletest"
	"etcd-quorum-restore/modules/internal/restore"
)

// "Verified" means "can be restored": a copy of damaged data is a failure, and with accept_loss a visible finding.
func TestHostileDataAreNotVerified(t *testing.T) {
	m := etcdtest.New(t, 1).Members[0]
	var data, db string
	data = membertest.AMember(membertest.Good()).Write(t)
	good := moduletest.Run(t, arguments(t, m, map[string]any{"method": "copy", "data_dir": data, "dest": filepath.Join(t.TempDir(), "backup")})).OK(t, true)
	if e := entry(t, good, "copy"); e["verified"] != true {
		t.Fatal(good.Stdout)
	}
	for name, spoil := range map[string]func(*testing.T){
		"database of zeros": func(t *testing.T) {
			st, err := os.Stat(db)
			check(t, err)
			check(t, os.WriteFile(db, make([]byte, st.Size()), 0o600))
		},
		"no database":     func(t *testing.T) { check(t, os.Remove(db)) },
		"database, cut":   func(t *testing.T) { check(t, os.Truncate(db, 3<<10)) },
		"database, empty": func(t *testing.T) { check(t, os.Truncate(db, 0)) },
		"log of garbage": func(t *testing.T) {
			check(t, os.WriteFile(segment(t, data), bytes.Repeat([]byte("garbage!"), 8192), 0o600))
		},
		"log, empty":          func(t *testing.T) { check(t, os.Truncate(segment(t, data), 0)) },
		"no log":              func(t *testing.T) { check(t, os.Rename(segment(t, data), segment(t, data)+".tmp")) },
		"log, zeroed in part": func(t *testing.T) { zero(t, segment(t, data), 200, 512) },
	} {
		t.Run(name, func(t *testing.T) {
			data = membertest.AMember(membertest.Good()).Write(t)
			db = filepath.Join(data, "member/snap/db")
			spoil(t)
			before := listing(t, data)
			dest := filepath.Join(t.TempDir(), "backup")
			if name == "no log" { // nothing that a start would use
				moduletest.Run(t, arguments(t, m, map[string]any{"method": "copy", "data_dir": data, "dest": dest})).Failed(t, "refused")
				return
			}
			a := moduletest.Run(t, arguments(t, m, map[string]any{"method": "copy", "data_dir": data, "dest": dest})).Failed(t, "corrupt")
			if !strings.Contains(a.Msg(), "damaged") || !strings.Contains(a.Stdout, "accept_loss") {
				t.Error(a.Stdout)
			}
			if left, err := os.ReadDir(dest); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
			a = moduletest.Run(t, arguments(t, m, map[string]any{"method": "copy", "data_dir": data, "dest": dest, "accept_loss": true})).OK(t, true)
			e := entry(t, a, "copy")
			if e["verified"] != false || e["damage"] == "" || !strings.Contains(a.Stdout, "The data is damaged") {
				t.Error(a.Stdout)
			}
			if _, err := restore.Find(t.Context(), a.JSON["path"].(string), "auto"); fault.KindOf(err) != fault.Corrupt {
				t.Errorf("etcd_restore would say: %v", err)
			}
			if listing(t, data) != before {
				t.Error("the data was changed")
			}
		})
	}
}

func segment(t *testing.T, dataDir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dataDir, "member/wal/*.wal"))
	if err != nil || len(found) == 0 {
		t.Fatal(found, err)
	}
	return found[len(found)-1]
}

func zero(t *testing.T, path string, from int64, n int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	check(t, err)
	defer f.Close()
	_, err = f.WriteAt(make([]byte, n), from)
	check(t, err)
}
