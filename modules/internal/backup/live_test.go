package backup_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/member"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func stoppedMember(t *testing.T, flags ...string) *etcdtest.Member {
	t.Helper()
	m := etcdtest.New(t, 1).Members[0]
	m.StartWith(t, m.Dir, flags...)
	m.WaitHealthy(t)
	m.Must(t, 3, "put", "/v3", "3")
	m.Must(t, 2, "set", "/v2/key", "2")
	m.Stop(t)
	return m
}

// The proof is a start of the v2 backup, as the chapter does it: both stores are there, under new IDs.
func TestV2BackupStarts(t *testing.T) {
	m := stoppedMember(t)
	wal := filepath.Join(m.DataDir, "member", "wal")
	to := filepath.Join(t.TempDir(), "v2")
	files, err := backup.V2(t.Context(), etcdtest.Binary(t, "etcdctl"), m.DataDir, wal, to)
	check(t, err)
	if len(files) < 2 {
		t.Errorf("files: %v", files)
	}
	for _, f := range files {
		if f.Mode != "0600" || len(f.SHA256) != 64 {
			t.Errorf("%+v", f)
		}
	}
	before, err := member.Read(t.Context(), m.DataDir, "")
	check(t, err)
	after, err := member.Read(t.Context(), to, "")
	check(t, err)
	if before.ID == after.ID || after.V2Keys != 1 {
		t.Errorf("ID %s, then %s; %d v2 keys", before.ID, after.ID, after.V2Keys)
	}
	check(t, os.Rename(m.DataDir, m.DataDir+".before"))
	check(t, os.Rename(to, m.DataDir))
	m.StartWith(t, m.Dir, "--force-new-cluster")
	m.WaitHealthy(t)
	if out := m.Must(t, 2, "get", "/v2/key"); out != "2" {
		t.Error(out)
	}
	if out := m.Must(t, 3, "get", "--print-value-only", "/v3"); out != "3" {
		t.Error(out)
	}
}

func TestV2BackupFailures(t *testing.T) {
	m := stoppedMember(t)
	wal := filepath.Join(m.DataDir, "member", "wal")
	for name, tool := range map[string]string{"no such tool": "/nonexistent/etcdctl", "a tool that fails": "/bin/false"} {
		if _, err := backup.V2(t.Context(), tool, m.DataDir, wal, filepath.Join(t.TempDir(), "v2")); err == nil || !strings.Contains(err.Error(), tool) {
			t.Errorf("%s: %v", name, err)
		}
	}
	meddler := filepath.Join(t.TempDir(), "etcdctl") // writes to what it should only read
	check(t, os.WriteFile(meddler, []byte("#!/bin/sh\necho x >>$3/member/snap/db\n"), 0o700))
	if _, err := backup.V2(t.Context(), meddler, m.DataDir, wal, filepath.Join(t.TempDir(), "v2")); err == nil || !strings.Contains(err.Error(), "changed while") {
		t.Errorf("a source that was written to passed: %v", err)
	}
}

// ETCD_WAL_DIR lies elsewhere: the copy must be complete by itself.
func TestCopyWithTheLogElsewhere(t *testing.T) {
	wal := filepath.Join(t.TempDir(), "log")
	m := stoppedMember(t, "--wal-dir", wal)
	to := filepath.Join(t.TempDir(), "copy")
	_, err := backup.CopyMember(t.Context(), filepath.Join(m.DataDir, "member"), wal, to)
	check(t, err)
	check(t, os.Rename(m.DataDir, m.DataDir+".before"))
	check(t, os.Rename(wal, wal+".before"))
	check(t, os.Rename(to, m.DataDir))
	m.Start(t) // without --wal-dir
	m.WaitHealthy(t)
	if out := m.Must(t, 3, "get", "--print-value-only", "/v3"); out != "3" {
		t.Error(out)
	}
}
