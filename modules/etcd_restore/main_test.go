package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, ansible.Rules{}) }

// stopped is a copy of a stopped member of real etcd, with a snapshot beside it, and the manifest that etcd_backup writes.
func stopped(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	m := etcdtest.Start(t, 1).Members[0]
	m.Must(t, 3, "put", "/v3", "3")
	m.Must(t, 2, "set", "/v2/key", "2")
	m.Must(t, 3, "snapshot", "save", filepath.Join(dir, "snapshot.db"))
	m.Stop(t)
	files, err := backup.CopyMember(t.Context(), filepath.Join(m.DataDir, "member"), filepath.Join(m.DataDir, "member", "wal"), filepath.Join(dir, "copy"))
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := backup.VerifySnapshot(filepath.Join(dir, "snapshot.db"))
	if err != nil {
		t.Fatal(err)
	}
	snapshot.Mode = "0600"
	one := int64(1)
	manifest := backup.Manifest{Created: "2026-11-23T03:14:00Z", Files: append(files, snapshot), Backups: []backup.Entry{
		{Method: "copy", Path: filepath.Join(dir, "copy"), V2Keys: &one}, {Method: "snapshot", Path: filepath.Join(dir, "snapshot.db"), V2LeftOut: &one}}}
	if err := manifest.Write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func text(a moduletest.Answer) string { return strings.Join(strings.Fields(a.Stdout), " ") }

func TestBadInput(t *testing.T) {
	h := hosttest.New(t)
	h.Wipe()
	before := h.Tree()
	for name, c := range map[string]struct {
		args map[string]any
		want string
	}{
		"no such backup": {h.Args("backup", "/nonexistent"), "there is no backup /nonexistent"},
		"not a backup":   {h.Args("backup", t.TempDir()), "is no backup"},
		"timeout":        {h.Args("backup", "/x", "timeout", 0), "argument timeout"},
		"method":         {h.Args("backup", "/x", "method", "tape"), "tape"},
		"name":           {h.Args("backup", "/x", "name", "other"), "ETCD_NAME=m0"},
		"none":           {h.Args("backup_dir", "/nonexistent"), "backup is not given"},
	} {
		a := moduletest.Run(t, c.args).Failed(t, "invalid")
		if !strings.Contains(a.Stdout, c.want) {
			t.Errorf("%s: %s", name, a.Stdout)
		}
	}
	if h.Tree() != before {
		t.Error("something was changed")
	}
}

func TestLists(t *testing.T) {
	h := hosttest.New(t)
	dir := stopped(t)
	a := moduletest.Run(t, h.Args("state", "listed", "backup_dir", filepath.Dir(dir))).OK(t, false)
	if out := text(a); !strings.Contains(out, dir+"/copy") || !strings.Contains(out, "no (1)") {
		t.Error(out)
	}
}

func TestRefusals(t *testing.T) {
	h := hosttest.New(t)
	h.Wipe()
	dir := stopped(t)
	before := h.Tree()
	a := moduletest.Run(t, h.Args("backup", filepath.Join(dir, "snapshot.db"))).Failed(t, "refused")
	if !strings.Contains(a.Stdout, "1 v2 keys") || !strings.Contains(a.Stdout, "etcd_accept_loss") {
		t.Error(a.Stdout)
	}
	if h.Tree() != before {
		t.Error("something was changed")
	}
	if err := os.CopyFS(h.DataDir, os.DirFS(filepath.Join(dir, "copy"))); err != nil {
		t.Fatal(err)
	}
	before = h.Tree()
	a = moduletest.Run(t, h.Args("backup", dir)).Failed(t, "refused")
	if !strings.Contains(a.Stdout, "can be read") || !strings.Contains(a.Stdout, "restore_quorum.yml") {
		t.Error(a.Stdout)
	}
	if h.Tree() != before {
		t.Error("something was changed")
	}
	if err := os.Truncate(filepath.Join(dir, "copy", "member", "snap", "db"), 4096); err != nil {
		t.Fatal(err)
	}
	h.Wipe()
	before = h.Tree()
	moduletest.Run(t, h.Args("backup", dir)).Failed(t, "corrupt")
	if h.Tree() != before {
		t.Error("something was changed")
	}
}

// An etcd that started by itself on a wiped host has made a new cluster: its data is set aside, unless somebody has written to it.
func TestNewbornMember(t *testing.T) {
	dir := stopped(t)
	h := hosttest.New(t)
	for name, c := range map[string]struct {
		write   func(m *etcdtest.Member)
		refused bool
	}{
		"empty": {func(*etcdtest.Member) {}, false},
		"v3":    {func(m *etcdtest.Member) { m.Must(t, 3, "put", "/v3", "3") }, true},
		"v2":    {func(m *etcdtest.Member) { m.Must(t, 2, "set", "/v2", "2") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			m := etcdtest.Start(t, 1).Members[0]
			m.WaitHealthy(t)
			c.write(m)
			m.Stop(t)
			h.Wipe()
			if err := os.CopyFS(filepath.Join(h.DataDir, "member"), os.DirFS(filepath.Join(m.DataDir, "member"))); err != nil {
				t.Fatal(err)
			}
			a := moduletest.Run(t, h.Args("backup", dir, "_ansible_check_mode", true))
			if c.refused {
				a.Failed(t, "refused")
			} else {
				a.OK(t, true)
			}
		})
	}
}

// The host dies in the start: the member is in place and fenced. A second run goes on with it, and does not make another one.
func TestInterrupted(t *testing.T) {
	h := hosttest.New(t) // its own data cannot be read: set aside
	h.Mode(hosttest.Exits)
	dir := stopped(t)
	before := h.Tree()
	check := moduletest.Run(t, h.Args("backup", dir, "_ansible_check_mode", true, "_ansible_diff", true)).OK(t, true)
	if h.Tree() != before || !strings.Contains(check.Stdout, "Would put back: "+dir+"/copy") || check.JSON["diff"] == nil {
		t.Errorf("check mode: %s", check.Stdout)
	}
	args := h.Args("backup", dir, "rehearse", false, "timeout", 20)
	first := moduletest.Run(t, args)
	if first.Code == 0 || first.JSON["changed"] != true || !h.Exists("etc/etcd/fenced.json") {
		t.Fatal(first.Stdout)
	}
	if aside, _ := filepath.Glob(filepath.Join(h.DataDir, "set-aside-*", "member")); len(aside) != 1 {
		t.Error("the data that were there are not set aside: ", aside)
	}
	record := readRecord(t, h)
	if _, cluster, err := member.Identity(filepath.Join(h.DataDir, "member", "wal")); err != nil || record.ClusterID == 0 || cluster == 0 {
		t.Fatal(record, err)
	}
	again := moduletest.Run(t, args)
	if now := readRecord(t, h); again.Code == 0 || now != record || h.Exists("var/lib/etcd/restoring") {
		t.Errorf("%+v, then %+v", record, now)
	}
	other := moduletest.Run(t, h.Args("backup", t.TempDir())).Failed(t, "refused")
	if !strings.Contains(other.Stdout, "is under way here") {
		t.Error(other.Stdout)
	}
	moduletest.Run(t, h.Args("state", "finished", "_ansible_check_mode", true)).OK(t, true)
	moduletest.Run(t, h.Args("state", "finished")).OK(t, true)
	moduletest.Run(t, h.Args("state", "finished")).OK(t, false)
}

func readRecord(t *testing.T, h *hosttest.Host) (r facts.Restoring) {
	t.Helper()
	if err := json.Unmarshal([]byte(h.Read("etc/etcd/restoring.json")), &r); err != nil {
		t.Fatal(err)
	}
	return r
}
