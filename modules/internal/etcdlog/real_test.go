package etcdlog_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/etcdlog"
	"etcd-quorum-restore/modules/internal/etcdtest"
)

// What etcd 3.2.32 itself writes in each of the failures that one can bring about here. Two cannot be: the clock of a test is the
// machine's [rafthttp/probing_status.go: "the clock difference against peer %s is too high [%v > %v]"], and this kernel has no SELinux
// [the kernel's audit records, ausearch(8)]; their lines are in TestExplain.

// explains waits until a member's log, from an offset on, shows the failure.
func explains(t *testing.T, m *etcdtest.Member, from int, code string) {
	t.Helper()
	m.Await(t, "telling "+code, func() bool { return slices.Contains(codes(t, m, from), code) })
}

func codes(t *testing.T, m *etcdtest.Member, from int) []string {
	t.Helper()
	var entries []etcdlog.Entry
	for _, line := range strings.Split(logOf(t, m)[from:], "\n") {
		entries = append(entries, etcdlog.Entry{Text: line})
	}
	var found []string
	for _, p := range etcdlog.Explain(entries) {
		if strings.ContainsAny(p.Line+p.Advice, "\n") || p.Line == "" || p.Advice == "" {
			t.Errorf("%s is not one line and an advice: %q, %q", p.Code, p.Line, p.Advice)
		}
		found = append(found, p.Code)
	}
	return found
}

func logOf(t *testing.T, m *etcdtest.Member) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(m.Dir, "etcd.log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestHealthyClusterHasNoProblem(t *testing.T) {
	m := etcdtest.Start(t, 1).Members[0]
	m.Must(t, 3, "put", "/a", "1")
	if found := codes(t, m, 0); len(found) > 0 && !slices.Equal(found, []string{"slow_disk"}) { // the machine may really be slow
		t.Errorf("%v\n%s", found, logOf(t, m))
	}
}

func TestCertificates(t *testing.T) {
	cluster := etcdtest.Start(t, 3)
	a, c := cluster.Members[0], cluster.Members[2]
	for code, issue := range map[string]func(){
		"certificate_expired": func() {
			cluster.PKI.IssueUntil(t, c.Dir, "peer", true, time.Now().Add(-time.Hour), c.IP, "127.0.0.1")
		},
		"certificate_wrong_name": func() { cluster.PKI.Issue(t, c.Dir, "peer", true, "192.0.2.1") },
		"bad_certificate":        func() { etcdtest.NewPKI(t).Issue(t, c.Dir, "peer", true, c.IP, "127.0.0.1") },
	} {
		c.Stop(t)
		issue()
		from := len(logOf(t, a))
		c.Start(t)
		explains(t, a, from, code)
	}
}

// Member b answers at the address where a expects c.
func TestMemberIDMismatch(t *testing.T) {
	cluster := etcdtest.Start(t, 3)
	b, c := cluster.Members[1], cluster.Members[2]
	c.Stop(t)
	b.Stop(t) // last, so that nothing was committed without it: it would panic at the commit index of a message meant for c
	cluster.PKI.Issue(t, b.Dir, "peer", true, b.IP, c.IP, "127.0.0.1")
	b.StartWith(t, b.Dir, "--listen-peer-urls="+c.PeerURL)
	explains(t, b, 0, "member_id_mismatch")
}

// c was reinstalled, from an inventory with another token.
func TestClusterIDMismatch(t *testing.T) {
	cluster := etcdtest.Start(t, 3)
	a, c := cluster.Members[0], cluster.Members[2]
	c.Stop(t)
	if err := os.RemoveAll(filepath.Join(c.DataDir, "member")); err != nil {
		t.Fatal(err)
	}
	c.StartWith(t, c.Dir, "--initial-cluster-token=another")
	explains(t, a, 0, "cluster_id_mismatch")
}

func TestWipedMember(t *testing.T) {
	cluster := etcdtest.Start(t, 3)
	c := cluster.Members[2]
	c.Kill(t)
	if err := os.RemoveAll(filepath.Join(c.DataDir, "member")); err != nil {
		t.Fatal(err)
	}
	from := len(logOf(t, c))
	c.Start(t)
	explains(t, c, from, "already_bootstrapped")
}

func TestRemovedMember(t *testing.T) {
	cluster := etcdtest.Start(t, 3)
	a, c := cluster.Members[0], cluster.Members[2]
	id, _, _ := strings.Cut(grep(a.Must(t, 3, "member", "list"), c.Name), ",")
	a.Await(t, "allowed to change the list", func() bool { // etcd refuses for 5 s after the start
		_, err := a.Etcdctl(t, 3, "member", "remove", id)
		return err == nil
	})
	explains(t, c, 0, "permanently_removed")
}

func grep(text, word string) string {
	for _, line := range strings.Split(text, "\n") {
		if strings.Contains(line, word) {
			return line
		}
	}
	return ""
}

func TestNoSpace(t *testing.T) {
	m := etcdtest.New(t, 1).Members[0]
	m.StartWith(t, m.Dir, "--quota-backend-bytes=65536")
	m.WaitHealthy(t)
	big := strings.Repeat("x", 40000)
	m.Await(t, "out of space", func() bool {
		_, err := m.Etcdctl(t, 3, "put", "/a", big)
		return err != nil
	})
	explains(t, m, 0, "nospace")
	if out, err := m.Etcdctl(t, 3, "put", "/a", big); err == nil || explanation(out) != "nospace" {
		t.Errorf("what the client hears is not explained: %s, %v", out, err)
	}
}

func explanation(line string) string {
	for _, p := range etcdlog.Explain([]etcdlog.Entry{{Text: line}}) {
		return p.Code
	}
	return ""
}

// etcd 3.2 refuses such a request without a line in its own log: the line is the client's, as the master API logs it.
func TestRequestTooLarge(t *testing.T) {
	m := etcdtest.Start(t, 1).Members[0]
	var text strings.Builder
	for range 20 { // a command line's argument ends at 128 KiB, so a transaction of many
		fmt.Fprintf(&text, "put /a%d %s\n", text.Len(), strings.Repeat("x", 100000))
	}
	cmd := exec.Command(etcdtest.Binary(t, "etcdctl"), "--cacert", m.CA, "--cert", m.Cert, "--key", m.Key, "--endpoints", m.ClientURL, "txn")
	cmd.Env = []string{"ETCDCTL_API=3"}
	cmd.Stdin = strings.NewReader("\n" + text.String() + "\n\n")
	out, err := cmd.CombinedOutput()
	if err == nil || explanation(string(out)) != "request_too_large" {
		t.Errorf("%.300s, %v", out, err)
	}
}

// To the others, a process that stops for some heartbeats looks like a disk that takes that long.
func TestSlow(t *testing.T) {
	cluster := etcdtest.Start(t, 3)
	m := leader(t, cluster)
	m.Await(t, "late", func() bool {
		m.Freeze(t)
		time.Sleep(300 * time.Millisecond) // the stimulus itself: three heartbeats
		m.Thaw(t)
		return slices.Contains(codes(t, m, 0), "slow_disk")
	})
}

func leader(t *testing.T, cluster *etcdtest.Cluster) *etcdtest.Member {
	t.Helper()
	for _, m := range cluster.Members {
		if strings.Contains(m.Must(t, 3, "endpoint", "status"), "true") {
			return m
		}
	}
	t.Fatal("no leader")
	return nil
}

// etcd runs as its own user, and the data directory is root's, as after a copy by hand.
func TestWrongOwner(t *testing.T) {
	m := etcdtest.New(t, 1).Members[0]
	for dir := m.DataDir; dir != os.TempDir(); dir = filepath.Dir(dir) {
		if dir == m.DataDir {
			continue
		}
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program, err := os.ReadFile(etcdtest.Binary(t, "etcd")) // the directory where it was built may be closed to other users
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(m.Dir, "etcd"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(m.Dir, "etcd"), "--data-dir", m.DataDir, "--listen-client-urls", "http://127.0.0.1:0", "--advertise-client-urls", "http://127.0.0.1:1",
		"--listen-peer-urls", "http://127.0.0.1:0")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatal("it started")
	}
	var found []string
	for _, line := range strings.Split(string(out), "\n") {
		found = append(found, explanation(line))
	}
	if !slices.Contains(found, "wrong_owner") {
		t.Errorf("%s", out)
	}
}
