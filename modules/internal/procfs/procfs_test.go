package procfs

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// A table of a real host: etcd on 192.0.2.11, a wildcard, IPv6, and a connection that is no listener.
const table4 = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0B0200C0:094C 00000000:0000 0A 00000000:00000000 00:00000000 00000000   995        0 16891 1 0000000000000000 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 14001 1 0000000000000000 100 0 0 10 0
   2: 0B0200C0:094C 0C0200C0:C350 01 00000000:00000000 00:00000000 00000000   995        0 16999 1 0000000000000000 20 4 30 10 -1
`

const table6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:094B 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 17000 1 0000000000000000 100 0 0 10 0
   1: B80D0120000000000000000001000000:094B 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 17001 1 0000000000000000 100 0 0 10 0
`

func TestParseListeners(t *testing.T) {
	got4, err4 := parseListeners(table4)
	got6, err6 := parseListeners(table6)
	if err4 != nil || err6 != nil {
		t.Fatal(err4, err6)
	}
	want := []Listener{
		{netip.MustParseAddrPort("192.0.2.11:2380"), 16891, 995}, {netip.MustParseAddrPort("0.0.0.0:22"), 14001, 0},
		{netip.MustParseAddrPort("[::]:2379"), 17000, 0}, {netip.MustParseAddrPort("[2001:db8::1]:2379"), 17001, 0},
	}
	if diff := cmp.Diff(want, append(got4, got6...), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		listener, addr string
		want           bool
	}{
		{"192.0.2.11:2380", "192.0.2.11:2380", true},
		{"192.0.2.11:2380", "192.0.2.12:2380", false},
		{"192.0.2.11:2380", "192.0.2.11:2379", false},
		{"0.0.0.0:2380", "192.0.2.11:2380", true},
		{"[::]:2380", "192.0.2.11:2380", true},
		{"192.0.2.11:2380", "0.0.0.0:2380", true},
	} {
		l := Listener{Addr: netip.MustParseAddrPort(c.listener)}
		if got := l.Covers(netip.MustParseAddrPort(c.addr)); got != c.want {
			t.Errorf("%s covers %s: %v", c.listener, c.addr, got)
		}
	}
	if l := (Listener{Addr: netip.MustParseAddrPort("192.0.2.11:2380")}); !l.Covers(netip.AddrPortFrom(netip.Addr{}, 2380)) {
		t.Error("a URL with a host name may mean any address")
	}
}

func TestListenersAndOwners(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	all, err := Listeners()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(all, func(x Listener) bool { return x.Addr.String() == l.Addr().String() })
	if at < 0 {
		t.Fatalf("%s is not among %v", l.Addr(), all)
	}
	if owners := Owners(all[at].Inode); !slices.Contains(owners, os.Getpid()) {
		t.Errorf("owners %v, this is %d", owners, os.Getpid())
	}
}

func TestProcesses(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a (b) c") // a comm may look like the fields behind it
	if err := os.Symlink("/bin/sleep", name); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(name, "600")
	cmd.Env = []string{"ETCD_DATA_DIR=/var/lib/etcd/", "EMPTY="}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	var found []Process
	for len(found) == 0 || found[0].ReadSettings() != nil || len(found[0].Env) == 0 { // amid its exec: its name changes first
		var err error
		if found, err = Processes(func(comm string) bool { return comm == "a (b) c" }); err != nil {
			t.Fatal(err)
		}
		if time.Since(begin) > 10*time.Second {
			t.Fatal("not found")
		}
	}
	p := found[0]
	if p.PID != cmd.Process.Pid || p.Parent != os.Getpid() || p.Zombie() {
		t.Errorf("%+v", p)
	}
	if at, err := p.StartedAt(); err != nil || at.Sub(begin).Abs() > 5*time.Second {
		t.Errorf("started at %v, %v; it is %v", at, err, begin)
	}
	if same, err := p.SameFile("/", "/"); err != nil || !same {
		t.Errorf("its root is not ours: %v, %v", same, err)
	}
	if err := p.ReadSettings(); err != nil || p.Env["ETCD_DATA_DIR"] != "/var/lib/etcd/" || p.EnvErr != nil {
		t.Errorf("%+v", p)
	}
	if _, err := Read(1 << 22); !Gone(err) {
		t.Error("a process that cannot exist was read")
	}
}

// TestHostileSettings: a process decides how long its arguments and its environment are, and how long it takes to read them.
func TestHostileSettings(t *testing.T) {
	long := strings.Repeat("x", 120_000) // one string has at most 128 kB
	cmd := exec.Command("/bin/sleep", "600")
	for i := range mostSettings/len(long) + 1 {
		cmd.Env = append(cmd.Env, fmt.Sprintf("V%d=%s", i, long))
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	p, err := Read(cmd.Process.Pid)
	for begin := time.Now(); err == nil && p.EnvErr == nil && time.Since(begin) < 10*time.Second; { // amid its exec: it has no environment yet
		p, err = Read(cmd.Process.Pid)
	}
	if err != nil || p.EnvErr != errTooLong || len(p.Env) > 0 || len(p.Args) != 2 {
		t.Errorf("%v, %v, %d variables, arguments %q", err, p.EnvErr, len(p.Env), p.Args)
	}

	pipe := filepath.Join(t.TempDir(), "pipe") // nobody writes into it
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	defer func(old time.Duration) { patience = old }(patience)
	patience = time.Millisecond
	if raw, err := ofMemory(pipe); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%q, %v", raw, err)
	}
}

// TestMain can also run as a program whose first thread ends while others go on, and which prints a line when that has happened.
func TestMain(m *testing.M) {
	if os.Getenv("FIRST_THREAD") != "ends" {
		os.Exit(m.Run())
	}
	go func() {
		for {
			if p, err := Read(os.Getpid()); err == nil && p.State == "Z" {
				break
			}
		}
		os.Stdout.WriteString("ended\n")
		select {}
	}()
	unix.Syscall(unix.SYS_EXIT, 0, 0, 0) // ends this thread only
}

// The main goroutine starts on the first thread, and stays there.
func init() { runtime.LockOSThread() }

func TestZombie(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{"FIRST_THREAD=ends"}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	line, err := bufio.NewReader(out).ReadString('\n')
	p, readErr := Read(cmd.Process.Pid)
	cmd.Process.Kill()
	if err != nil || line != "ended\n" || readErr != nil || p.State != "Z" || p.Zombie() {
		t.Errorf("%q, %v: a process whose other threads run is taken for one that has ended: %+v, %v", line, err, p, readErr)
	}
	for end := time.Now().Add(10 * time.Second); readErr == nil && !p.Zombie(); p, readErr = Read(cmd.Process.Pid) {
		if time.Now().After(end) {
			t.Fatalf("killed and not waited for, it is no zombie: %+v", p)
		}
	}
	if readErr != nil {
		t.Error(readErr)
	}
}

func TestWords(t *testing.T) {
	for raw, want := range map[string][]string{"": nil, "\x00": nil, "a\x00": {"a"}, "a\x00\x00b c\x00": {"a", "", "b c"}} {
		if diff := cmp.Diff(want, words([]byte(raw))); diff != "" {
			t.Errorf("%q: %s", raw, diff)
		}
	}
}

func TestFlag(t *testing.T) {
	for _, c := range []struct {
		args  []string
		value string
		ok    bool
	}{
		{[]string{"etcd", "--data-dir=/a"}, "/a", true},
		{[]string{"etcd", "-data-dir", "/a", "--name", "x"}, "/a", true},
		{[]string{"etcd", "--data-dir=/a", "--data-dir=/b"}, "/b", true},
		{[]string{"etcd", "--data-dir", "--name=x"}, "", true},
		{[]string{"etcd", "--data-directory=/a", "data-dir=/b"}, "", false},
		{[]string{"--data-dir=/a"}, "", false},
		{nil, "", false},
	} {
		if value, ok := (Process{Args: c.args}).Flag("data-dir"); value != c.value || ok != c.ok {
			t.Errorf("%q: %q, %v", c.args, value, ok)
		}
	}
}

func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if held, err := Locked(path); held || err != nil {
		t.Errorf("no such file: %v, %v", held, err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if held, err := Locked(path); held || err != nil {
		t.Errorf("nobody holds it: %v, %v", held, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if held, err := Locked(path); !held || err != nil {
		t.Errorf("flock: %v, %v", held, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}); err != nil {
		t.Fatal(err)
	}
	for range 3 { // the test itself holds no lock
		if held, err := Locked(path); !held || err != nil {
			t.Errorf("open-file-description lock: %v, %v", held, err)
		}
	}
}

func FuzzParseListeners(f *testing.F) {
	f.Add(table4)
	f.Add(table6)
	f.Fuzz(func(t *testing.T, text string) {
		found, err := parseListeners(text)
		for _, l := range found {
			if err == nil && !l.Addr.IsValid() {
				t.Errorf("an invalid address in %v", found)
			}
		}
	})
}

func FuzzStat(f *testing.F) {
	f.Add("1 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20")
	f.Fuzz(func(t *testing.T, text string) {
		var p Process
		if p.stat(text) == nil && p.State == "" {
			t.Error("accepted without a state")
		}
	})
}
