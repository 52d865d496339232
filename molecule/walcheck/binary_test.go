package walcheck

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/member"
)

const etcdBinary = "../../.cache/bin/etcd-3.2.32/etcd"

// server is a real etcd of one member.
type server struct {
	t    testing.TB
	dir  string
	url  string
	cmd  *exec.Cmd
	logs bytes.Buffer
}

// startEtcd starts a member of a cluster of its own, and waits until it serves.
func startEtcd(t testing.TB, dir string, flags ...string) *server {
	t.Helper()
	peer := freeURL(t)
	s := launch(t, dir, "m", peer, "m="+peer, flags...)
	s.serves()
	return s
}

func launch(t testing.TB, dir, name, peer, cluster string, flags ...string) *server {
	t.Helper()
	return launchAt(t, dir, name, peer, freeURL(t), cluster, flags...)
}

// launchAt is launch with the client URL given, which a member publishes in its data.
func launchAt(t testing.TB, dir, name, peer, url, cluster string, flags ...string) *server {
	t.Helper()
	binary, err := filepath.Abs(etcdBinary)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, dir: dir, url: url}
	s.cmd = exec.Command(binary, append([]string{"--name", name, "--data-dir", dir, "--listen-client-urls", s.url, "--advertise-client-urls", s.url,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", cluster, "--snapshot-count", "200"}, flags...)...)
	s.cmd.Stderr, s.cmd.Stdout = &s.logs, &s.logs
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("%v; next: make hosts", err)
	}
	t.Cleanup(s.kill)
	return s
}

// serves waits until a write succeeds.
func (s *server) serves() {
	s.t.Helper()
	for end := time.Now().Add(60 * time.Second); s.put(0, "first") != nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			s.kill()
			s.t.Fatalf("etcd does not serve: %s", s.logs.String())
		}
	}
}

func freeURL(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

// put writes a v3 key, by the JSON form of the API.
func (s *server) put(i int, value string) error {
	key := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "key-%d", i))
	body := fmt.Sprintf(`{"key":%q,"value":%q}`, key, base64.StdEncoding.EncodeToString([]byte(value)))
	resp, err := client.Post(s.url+"/v3alpha/kv/put", "application/json", bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, answer)
	}
	return err
}

var client = &http.Client{Timeout: 10 * time.Second}

func (s *server) kill() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
}

// TestBusyMember: 100 reads while four writers write are each consistent, and none is older than the one before. Killed, the member
// reads the same to etcd's own packages.
func TestBusyMember(t *testing.T) {
	dir := t.TempDir()
	s := startEtcd(t, dir)
	stop := writers(s, 4)
	var last *member.State
	for i := range 100 {
		now, err := member.Read(t.Context(), dir, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := consistent(now, last); err != nil {
			t.Fatalf("read %d: %v: %+v", i, err, *now)
		}
		last = now
	}
	if n := stop(); n < 200 {
		t.Fatalf("%d writes only: the member was not busy", n)
	}
	s.kill()
	if ours, taken := check(t, dir); !taken || len(ours.Damage) > 0 || ours.SnapshotIndex == 0 || len(ours.Members) != 1 || ours.Members[0].Name != "m" {
		t.Errorf("afterwards: taken %v, %+v", taken, *ours)
	}
}

// writers write until told to stop, and tell how much.
func writers(s *server, n int) (stop func() int64) {
	var count atomic.Int64
	var done atomic.Bool
	var group sync.WaitGroup
	for w := range n {
		group.Go(func() {
			for i := 0; !done.Load(); i++ {
				if s.put(w, fmt.Sprint(i, string(bytes.Repeat([]byte("x"), i%5000)))) == nil {
					count.Add(1)
				}
			}
		})
	}
	return func() int64 { done.Store(true); group.Wait(); return count.Load() }
}

func consistent(s, before *member.State) error {
	switch {
	case len(s.Damage) > 0 || s.Torn || len(s.BrokenSnapshots) > 0:
		return fmt.Errorf("damage in a healthy member: torn %v, %v, %v", s.Torn, s.Damage, s.BrokenSnapshots)
	case s.Database == nil || s.Database.ConsistentIndex > s.LastIndex || s.HardState.Commit > s.LastIndex || s.SnapshotIndex > s.HardState.Commit:
		return fmt.Errorf("facts that cannot be of one moment: %+v", s.Database)
	case before != nil && (s.LastIndex < before.LastIndex || s.HardState.Commit < before.HardState.Commit || s.Database.Revision < before.Database.Revision):
		return fmt.Errorf("older than the read before: %+v", *before)
	}
	return nil
}

// TestKilledMember: etcd is killed under load, again and again; its log is read as its own packages read it, and with the tail kept,
// a forced start gives nothing up.
func TestKilledMember(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		s := startEtcd(t, dir)
		stop := writers(s, 4)
		for end := time.Now().Add(30 * time.Second); s.put(9, "x") == nil; {
			if state, err := member.Read(t.Context(), dir, ""); err == nil && state.LastIndex > 300 || time.Now().After(end) {
				break
			}
		}
		s.kill()
		stop()
		check(t, dir)
	}
	before, err := member.Read(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := member.KeepTail(t.Context(), dir, ""); err != nil {
		t.Fatal(err)
	}
	s := startEtcd(t, dir, "--force-new-cluster")
	s.kill()
	if bytes.Contains(s.logs.Bytes(), []byte("discarding")) {
		t.Errorf("the forced start threw entries away:\n%s", s.logs.String())
	}
	after, _ := check(t, dir)
	if after.LastIndex <= before.LastIndex || after.ID != before.ID {
		t.Errorf("before %d, after %d", before.LastIndex, after.LastIndex)
	}
}

// TestRestoredSnapshot: a member that `etcdctl snapshot restore` has made, not yet started.
func TestRestoredSnapshot(t *testing.T) {
	s := startEtcd(t, t.TempDir())
	for i := range 50 {
		if err := s.put(i, "value"); err != nil {
			t.Fatal(err)
		}
	}
	saved, restored := filepath.Join(t.TempDir(), "saved"), filepath.Join(t.TempDir(), "restored")
	s.etcdctl("--endpoints", s.url, "snapshot", "save", saved)
	s.etcdctl("snapshot", "restore", saved, "--data-dir", restored, "--name", "r", "--initial-cluster", "r=http://127.0.0.1:1", "--initial-advertise-peer-urls", "http://127.0.0.1:1")
	d, err := member.ReadDatabase(saved)
	if err != nil {
		t.Fatal(err)
	}
	ours, taken := check(t, restored)
	if !taken || len(ours.Damage) > 0 || ours.MayKeep() != nil || ours.Database.Revision != d.Revision || d.Revision < 50 || len(ours.Members) != 1 {
		t.Errorf("saved %+v, restored %+v, %v", d, *ours, ours.MayKeep())
	}
	if kept, err := member.KeepTail(t.Context(), restored, ""); err != nil || kept.Changed {
		t.Errorf("%+v %v", kept, err)
	}
}

func (s *server) etcdctl(args ...string) {
	s.t.Helper()
	cmd := exec.Command(filepath.Join(filepath.Dir(etcdBinary), "etcdctl"), args...)
	cmd.Env = append(os.Environ(), "ETCDCTL_API=3")
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("etcdctl %s: %v: %s", args[0], err, out)
	}
}
