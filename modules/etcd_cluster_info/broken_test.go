package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

// The questions of verify.yml, for clusters with a fault.
func verify(t *testing.T, m *etcdtest.Member, timeout int) moduletest.Answer {
	t.Helper()
	return moduletest.Run(t, m.Args(map[string]any{"wait_for": "joined", "compare": "values", "timeout": timeout}))
}

// One member's disk has another value, as faulty hardware can leave it: keys and revisions are equal.
func TestOneMemberHasOtherData(t *testing.T) {
	cluster := etcdtest.Start(t, 3)
	m := cluster.Members[2]
	m.Must(t, 3, "put", "/a", "value-of-all-the-members")
	verify(t, m, 60).OK(t, false)
	m.Stop(t)
	replace(t, filepath.Join(m.DataDir, "member", "snap", "db"), "value-of-all-the-members", "VALUE-of-one-of-them----")
	m.Start(t)
	m.WaitHealthy(t)
	answer := verify(t, cluster.Members[0], 60).Failed(t, "corrupt")
	says(t, answer, "DATA DIFFER between members at revision 2")
	if strings.Contains(strings.ToLower(answer.Stdout), "value-of") {
		t.Error("a value is in the answer")
	}
}

func replace(t *testing.T, path, old, new string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(old) != len(new) || !bytes.Contains(raw, []byte(old)) {
		t.Fatalf("%s holds no %q", path, old)
	}
	if err := os.WriteFile(path, bytes.ReplaceAll(raw, []byte(old), []byte(new)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAlarm(t *testing.T) {
	m := etcdtest.New(t, 1).Members[0]
	m.StartWith(t, m.Dir, "--quota-backend-bytes=65536")
	m.WaitHealthy(t)
	big := strings.Repeat("x", 40000)
	m.Await(t, "out of space", func() bool { // etcd batches the writes of 100 ms, so this may take some
		_, err := m.Etcdctl(t, 3, "put", "/a", big)
		return err != nil
	})
	answer := verify(t, m, 20).Failed(t, "timeout")
	if msg := answer.JSON["msg"].(string); !strings.Contains(msg, "alarm NOSPACE is raised by member ") {
		t.Error(msg)
	}
}

// A frozen member does not answer, and one that was just added never ran.
func TestMemberThatDoesNotTakePart(t *testing.T) {
	cluster := etcdtest.Start(t, 3)
	m := cluster.Members[0]
	cluster.Members[1].Freeze(t)
	defer cluster.Members[1].Thaw(t)
	answer := verify(t, m, 20).Failed(t, "timeout")
	if msg := answer.JSON["msg"].(string); !strings.Contains(msg, "quorum present, 2 of 3; member etcd-1.example.com") {
		t.Error(msg)
	}
}

// v2 keys are written, overwritten and deleted all the time, and the members are read at different moments.
func TestV2KeysUnderAWriter(t *testing.T) {
	cluster := etcdtest.Start(t, 3)
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			for _, m := range cluster.Members {
				select {
				case <-stop:
					return
				default:
				}
				_, _ = m.Etcdctl(t, 2, "set", "/flannel/a", m.Name)
				_, _ = m.Etcdctl(t, 2, "set", "/flannel/"+m.Name, "1")
				_, _ = m.Etcdctl(t, 2, "rm", "/flannel/"+m.Name)
			}
		}
	}()
	for range 5 {
		answer := verify(t, cluster.Members[1], 60).OK(t, false)
		says(t, answer, "v2 keys, equal too")
	}
	close(stop)
	<-done
}
