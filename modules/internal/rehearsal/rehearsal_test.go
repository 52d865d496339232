package rehearsal

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/force"
	"etcd-quorum-restore/modules/internal/freeport"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/program"
)

// realEtcd is etcd 3.2.32, built by `make unit` before the tests; without it these tests fail, since they would prove nothing.
func realEtcd(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../../.cache/bin/etcd-3.2.32/etcd")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("etcd 3.2.32 is not built: run `make unit`, which builds it first (%v)", err)
	}
	return path
}

// killedMember returns a data directory as a power cut leaves it: one member, m0, of a cluster that made so many writes and ended by SIGKILL; and
// the peer addresses of the others.
func killedMember(t *testing.T, writes, others int) (dir string, peers []string) {
	t.Helper()
	base := t.TempDir()
	var initial []string
	for i := range 1 + others {
		url := freeport.URL(t)
		initial = append(initial, fmt.Sprintf("m%d=%s", i, url))
		if i > 0 {
			peers = append(peers, strings.TrimPrefix(url, "http://"))
		}
	}
	var client string
	for i, each := range initial {
		name, url, _ := strings.Cut(each, "=")
		client = freeport.URL(t)
		cmd := exec.Command(realEtcd(t), "--name", name, "--data-dir", filepath.Join(base, name), "--listen-client-urls", client, "--advertise-client-urls", client,
			"--listen-peer-urls", url, "--initial-advertise-peer-urls", url, "--initial-cluster", strings.Join(initial, ","))
		if err := cmd.Start(); err != nil {
			t.Fatal(i, err)
		}
		defer cmd.Wait() //nolint:errcheck // it is killed below
		defer cmd.Process.Kill()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c := dial(ctx, t, client)
	defer c.Close()
	for range writes {
		if err := c.ProbeWrite(ctx); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(base, "m0"), peers
}

func dial(ctx context.Context, t *testing.T, url string) *etcd.Client {
	t.Helper()
	for {
		c, err := etcd.DialQuorum(ctx, etcd.Config{Endpoints: []string{url}})
		if err == nil {
			return c
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
}

// listing is every file with its time, mode and contents.
func listing(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		out[strings.TrimPrefix(path, dir)] = fmt.Sprintf("%v %v %x", info.ModTime(), info.Mode(), sha256.Sum256(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRehearsalOnRealEtcd(t *testing.T) {
	dir, _ := killedMember(t, 50, 0)
	before := listing(t, dir)
	state, err := member.Read(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	want := force.Expected{MemberID: state.ID, ClusterID: state.ClusterID, Revision: 101}
	result, err := Run(ctx, Options{Etcd: realEtcd(t), Copy: dir, Name: "m0", KeepTail: true, Expect: want})
	if err != nil {
		t.Fatal(err)
	}
	if result.Revision != 101 || result.Kept.To != state.LastIndex || result.Discarded != "" || result.Name != "m0" {
		t.Fatalf("%+v", result)
	}
	if diff := cmp.Diff(before, listing(t, dir)); diff != "" {
		t.Fatalf("the copy changed:\n%s", diff)
	}
	// A second rehearsal on the same copy gives the same: nothing was left behind, nothing was used up.
	again, err := Run(ctx, Options{Etcd: realEtcd(t), Copy: dir, Name: "m0", KeepTail: true, Expect: result.Expectation()})
	if err != nil || again.Revision != result.Revision {
		t.Fatalf("%+v, %v", again, err)
	}
}

// slowEtcd is set in the stand-in for an etcd that loads a large database: its socket exists, and for a while nothing answers.
const slowEtcd = "REHEARSAL_SLOW_ETCD"

func TestMain(m *testing.M) {
	if binary := os.Getenv(slowEtcd); binary != "" {
		fmt.Fprintln(os.Stderr, loadThenServe(binary))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// loadThenServe becomes the real etcd after the first client has given up.
func loadThenServe(binary string) error {
	l, err := net.Listen("unix", clientSocket)
	if err != nil {
		return err
	}
	c, err := l.Accept()
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		return err
	}
	if err := l.Close(); err != nil {
		return err
	}
	return syscall.Exec(binary, append([]string{binary}, os.Args[1:]...), nil)
}

func TestEtcdThatLoadsForLong(t *testing.T) {
	dir, _ := killedMember(t, 1, 0)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	files := forAll(t, map[string]string{"self": self, "real": realEtcd(t)})
	slow := script(t, fmt.Sprintf("%s='%s/real' exec '%s/self' \"$@\"", slowEtcd, files, files))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if result, err := Run(ctx, Options{Etcd: slow, Copy: dir, Name: "m0", KeepTail: true}); err != nil || result.Name != "m0" {
		t.Fatalf("%+v %v", result, err)
	}
}

// forAll copies programs to a place where every user may run them: the directory where they were built may be closed to others.
func forAll(t *testing.T, programs map[string]string) (dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "rehearsal-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for name, from := range programs {
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "etcd")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// The binary runs as etcd's user, or as nobody, without a capability or a way to one, and enters no other user's directory.
func TestHostileBinaryHasNoRights(t *testing.T) {
	dir, _ := killedMember(t, 1, 0)
	files := forAll(t, map[string]string{"real": realEtcd(t)})
	for uid, as := range map[int]program.Account{1234: {UID: 1234, GID: 1235}, 65534: {}} {
		strict := script(t, fmt.Sprintf(`has() { grep -q "^$1:[[:space:]]*$2" /proc/self/status || { echo "$1 is not $2: $(cat /proc/self/status)"; exit 1; }; }
has Uid '%[1]d[[:space:]]%[1]d[[:space:]]%[1]d[[:space:]]%[1]d$'
has CapEff '0*$'; has CapPrm '0*$'; has NoNewPrivs 1; has Groups ' *$'
ls %[2]s && exit 1
exec %[3]s/real "$@"`, uid, dir, files))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := Run(ctx, Options{Etcd: strict, As: as, Copy: dir, Name: "m0", KeepTail: true}); err != nil {
			t.Error(uid, err)
		}
	}
}

func TestRehearsalFailsOnTheWrongExpectation(t *testing.T) {
	dir, _ := killedMember(t, 1, 0)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := Run(ctx, Options{Etcd: realEtcd(t), Copy: dir, Name: "m0", KeepTail: true, Expect: force.Expected{Revision: 1000}})
	if err == nil || !strings.Contains(err.Error(), "expected at least 1000") {
		t.Fatalf("error %v", err)
	}
	left, err := filepath.Glob("/run/etcd-rehearsal-*")
	if err != nil || len(left) != 0 {
		t.Fatalf("left behind: %v, %v", left, err)
	}
}

// The cause of an end stands above the stack that Go prints, and the run goes no further: so the hint names both ways on.
func TestRehearsalSaysWhyEtcdEnded(t *testing.T) {
	dir, _ := killedMember(t, 1, 0)
	_, err := Run(t.Context(), Options{Etcd: script(t, `[ "$1" = --version ] && { echo "etcd Version: 3.2.32"; exit; }
echo "2026-01-02 03:04:05.678901 I | raft: a1 became follower at term 7"
echo "panic: freepages: failed to get all reachable pages (page 12: multiple references)"
echo; echo "goroutine 1 [running]:"; echo "main.main()"; echo "	/src/main.go:12"; exit 2`), Copy: dir, Name: "m0", KeepTail: true})
	for _, word := range []string{"freepages: failed to get all reachable pages", "etcd_survivor=HOST -e etcd_accept_loss=yes", "run the same command again"} {
		if err == nil || !strings.Contains(err.Error()+fault.HintOf(err), word) {
			t.Errorf("%q is not in %v (%s)", word, err, fault.HintOf(err))
		}
	}
}

func TestRehearsalNeedsALog(t *testing.T) {
	dir := t.TempDir()
	for _, sub := range []string{"member/wal", "member/snap"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Run(context.Background(), Options{Etcd: realEtcd(t), Copy: dir, Name: "m0"})
	if err == nil || !strings.Contains(err.Error(), "no log segment") {
		t.Fatalf("error %v", err)
	}
}
