package host_test

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
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

	"etcd-quorum-restore/modules/internal/clienttls"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/procfs"
)

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

func soon(t *testing.T, limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

func load(t *testing.T, h *hosttest.Host) *host.Host {
	t.Helper()
	out, err := host.Load(soon(t, 20*time.Second), host.Options{EtcdConf: h.Conf, ManifestDir: h.Manifests})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func status(t *testing.T, h *host.Host) host.Status {
	t.Helper()
	s, err := h.Status(soon(t, 20*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func failed(t *testing.T, err error, kind fault.Kind, words ...string) {
	t.Helper()
	if fault.KindOf(err) != kind || err == nil {
		t.Fatalf("want a failure of kind %s, got %v", kind, err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error()+fault.HintOf(err), w) {
			t.Errorf("%q is not in: %v (hint: %s)", w, err, fault.HintOf(err))
		}
	}
}

func TestRuntimes(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(h *hosttest.Host)
		want    string
	}{
		"unit":                 {func(*hosttest.Host) {}, facts.Systemd},
		"manifest":             {func(h *hosttest.Host) { h.Write("etc/origin/node/pods/etcd.yaml", "") }, facts.StaticPod},
		"manifest that is out": {func(h *hosttest.Host) { h.Write("etc/origin/node/pods-stopped/etcd.yaml", "") }, facts.StaticPod},
		"manifest in /root":    {func(h *hosttest.Host) { h.Write("root/etcd.yaml", "") }, facts.Systemd},
		"and a masked unit":    {func(h *hosttest.Host) { h.Write("root/etcd.yaml", ""); mask(t, h) }, facts.StaticPod},
		"and one that is not in use, on the pod's data": {func(h *hosttest.Host) { h.Write("root/etcd.yaml", ""); podsData(h); disable(t, h) }, facts.StaticPod},
		"the same, and no manifest anywhere":            {func(h *hosttest.Host) { h.Write("etc/origin/node/pods/apiserver.yaml", ""); podsData(h); disable(t, h) }, facts.StaticPod},
		"a unit that is not in use, on data of its own": {func(h *hosttest.Host) {
			h.Write("root/etcd.yaml", "")
			h.Write("etc/origin/node/pods/apiserver.yaml", "")
			podsData(h)
			os.Chown(h.Root+"/var/lib/etcd/member", 1000, 1000)
			disable(t, h)
		}, facts.Systemd},
		"data, a kubelet, and nothing that runs etcd": {func(h *hosttest.Host) {
			h.Write("etc/origin/node/pods/apiserver.yaml", "")
			podsData(h)
			os.Remove(h.Root + "/usr/lib/systemd/system/etcd.service")
		}, facts.StaticPod},
		"docker's unit": {func(h *hosttest.Host) { h.Write("usr/lib/systemd/system/etcd_container.service", "") }, facts.Container},
		"and the pod that it became": {func(h *hosttest.Host) {
			h.Write("usr/lib/systemd/system/etcd_container.service", "")
			h.Write("etc/origin/node/pods/etcd.yaml", "")
		}, facts.StaticPod},
		"no unit":                {func(h *hosttest.Host) { os.Remove(h.Root + "/usr/lib/systemd/system/etcd.service") }, facts.None},
		"not booted by systemd":  {func(h *hosttest.Host) { os.RemoveAll(h.Root + "/run/systemd") }, facts.None},
		"all-in-one":             {func(h *hosttest.Host) { allInOne(h); os.Remove(h.Conf) }, facts.AllInOne},
		"all-in-one's left-over": {allInOne, facts.None},
	} {
		t.Run(name, func(t *testing.T) {
			h := hosttest.New(t)
			c.prepare(h)
			if got := load(t, h).Runtime.Name(); got != c.want {
				t.Errorf("runtime %s, want %s", got, c.want)
			}
		})
	}
}

func mask(t *testing.T, h *hosttest.Host) { systemctl(t, h, "mask") }

func disable(t *testing.T, h *hosttest.Host) { systemctl(t, h, "disable") }

func podsData(h *hosttest.Host) {
	h.Write("var/lib/etcd/member/snap/db", "")
	h.Write("etc/origin/node/pods/.keep", "")
}

func systemctl(t *testing.T, h *hosttest.Host, verb string) {
	t.Helper()
	if out, err := exec.Command(h.Root+"/usr/bin/systemctl", verb, "etcd.service").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func allInOne(h *hosttest.Host) {
	os.Remove(h.Root + "/usr/lib/systemd/system/etcd.service")
	h.Write("var/lib/origin/openshift.local.etcd/member/.keep", "")
}

func TestLoadReadsEtcdConf(t *testing.T) {
	h := hosttest.New(t)
	h.Write("etc/etcd/etcd.conf", `ETCD_NAME=m1
ETCD_DATA_DIR=/srv/etcd/
ETCD_LISTEN_PEER_URLS=https://192.0.2.12:2380
ETCD_LISTEN_CLIENT_URLS=https://192.0.2.12:2379,https://127.0.0.1:2379
ETCD_INITIAL_ADVERTISE_PEER_URLS=https://192.0.2.12:2380
ETCD_INITIAL_CLUSTER=m0=https://192.0.2.11:2380,m1=https://192.0.2.12:2380,old=HTTPS://192.0.2.12:2380/
ETCD_INITIAL_CLUSTER_STATE=existing
ETCD_INITIAL_CLUSTER_TOKEN=etcd-cluster-1
ETCD_ADVERTISE_CLIENT_URLS=https://192.0.2.12:2379
ETCD_TRUSTED_CA_FILE=/etc/etcd/ca.crt
ETCD_CERT_FILE=/etc/etcd/server.crt
ETCD_PEER_CERT_FILE=/etc/etcd/peer.crt
ETCD_PEER_KEY_FILE=/etc/etcd/peer.key
`)
	got := load(t, h)
	want := facts.Config{
		Path: h.Conf, Name: "m1",
		ListenPeerURLs: []string{"https://192.0.2.12:2380"}, ListenClientURLs: []string{"https://192.0.2.12:2379", "https://127.0.0.1:2379"},
		PeerURLs: []string{"https://192.0.2.12:2380"}, ClientURLs: []string{"https://192.0.2.12:2379"},
		InitialCluster:      "m0=https://192.0.2.11:2380,m1=https://192.0.2.12:2380,old=HTTPS://192.0.2.12:2380/",
		InitialClusterState: "existing", InitialClusterToken: "etcd-cluster-1",
	}
	if diff := cmp.Diff(want, got.Config); diff != "" {
		t.Error(diff)
	}
	if want := (clienttls.Files{CA: "/etc/etcd/ca.crt", Cert: "/etc/etcd/peer.crt", Key: "/etc/etcd/peer.key"}); got.TLS != want {
		t.Errorf("client certificate %+v, want the peer's: %+v", got.TLS, want)
	}
	if got.DataDir != "/srv/etcd" || got.WALDir() != "/srv/etcd/member/wal" {
		t.Errorf("data directory %s, log %s", got.DataDir, got.WALDir())
	}
	if diff := cmp.Diff([]string{"https://192.0.2.11:2380"}, got.OtherPeerURLs()); diff != "" {
		t.Error(diff)
	}
}

func TestStopEndsProcessPortsAndLocks(t *testing.T) {
	f := hosttest.New(t)
	f.Start()
	h := load(t, f)
	if s := status(t, h); s.State != facts.Running || s.Process == nil || len(s.Strangers) > 0 {
		t.Fatalf("started, and the status is %+v", s)
	}
	if e, err := h.Gone(); err != nil || e.ProcessGone || e.PortsClosed || len(e.Left) < 3 {
		t.Fatalf("it runs, and Gone finds %+v, %v", e, err)
	}
	e, err := h.Stop(soon(t, 20*time.Second))
	want := host.Evidence{WasRunning: true, Graceful: true, ProcessGone: true, PortsClosed: true, LocksFree: true}
	if diff := cmp.Diff(want, e); err != nil || diff != "" {
		t.Fatal(err, diff)
	}
	if running, _ := f.Running(); running {
		t.Error("the process is still there")
	}
	calls := len(f.Calls())
	if e, err = h.Stop(soon(t, 20*time.Second)); err != nil || e.WasRunning || e.Graceful || len(f.Calls()) != calls {
		t.Errorf("a second stop: %+v, %v, calls %v", e, err, f.Calls())
	}
}

func TestStopOfAMemberThatNeverServedIsNotGraceful(t *testing.T) {
	f := hosttest.New(t)
	f.Mode(hosttest.NoQuorum)
	f.Start()
	h := load(t, f)
	if s := status(t, h); s.State != facts.Starting {
		t.Errorf("state %s, want starting", s.State)
	}
	if e, err := h.Stop(soon(t, 20*time.Second)); err != nil || !e.WasRunning || e.Graceful {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestStopNamesWhatStays(t *testing.T) {
	f := hosttest.New(t)
	f.Mode(hosttest.Stubborn)
	f.Start()
	_, err := load(t, f).Stop(soon(t, time.Second))
	failed(t, err, fault.Timeout, "etcd process", "is listened on by etcd", "the unit is deactivating", "systemctl status")
	if running, _ := f.Running(); !running {
		t.Error("it was killed; only systemd may do that, after its own limit")
	}
}

func TestStopDoesNotKillAnEtcdThatWasStartedByHand(t *testing.T) {
	f := hosttest.New(t)
	pid := f.StartByHand()
	h := load(t, f)
	if s := status(t, h); s.State != facts.Running || len(s.Strangers) != 1 || s.Strangers[0].PID != pid {
		t.Fatalf("%+v", s)
	}
	_, err := h.Stop(soon(t, time.Second))
	failed(t, err, fault.Timeout, "kill -TERM")
	failed(t, h.MustBeIdle(soon(t, 5*time.Second)), fault.Refused, "etcd process")
	_, err = h.Start(soon(t, 5*time.Second), host.StartOptions{Wait: host.WaitServing})
	failed(t, err, fault.Refused, "did not start runs here", "kill -TERM")
}

// Any user's process can be called etcd and have etcd's environment: it blocks nothing.
func TestHostileNamesake(t *testing.T) {
	f := hosttest.New(t)
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "etcd")
	program, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, env := range [][]string{{}, {"ETCD_DATA_DIR=" + f.DataDir}} {
		cmd := exec.Command(path, "60")
		cmd.Env = env
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		h := load(t, f)
		if s := status(t, h); s.State != facts.Stopped || s.Process != nil || len(s.Strangers) > 0 ||
			!slices.ContainsFunc(s.Namesakes, func(p procfs.Process) bool { return p.PID == cmd.Process.Pid && p.Args == nil && p.Env == nil }) {
			t.Errorf("state %s, process %v, %d strangers, %d namesakes", s.State, s.Process, len(s.Strangers), len(s.Namesakes))
		}
		if e, err := h.Gone(); err != nil || !e.ProcessGone {
			t.Errorf("%+v, %v", e, err)
		}
		if err := h.MustBeIdle(soon(t, 5*time.Second)); err != nil {
			t.Error(err)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
	}
}

func TestGoneSeesALockThatAnotherProcessHolds(t *testing.T) {
	f := hosttest.New(t)
	h := load(t, f)
	if e, err := h.Gone(); err != nil || !e.LocksFree {
		t.Fatalf("%+v, %v", e, err)
	}
	for _, file := range []string{"var/lib/etcd/member/snap/db", "var/lib/etcd/member/wal/0000000000000000-0000000000000000.wal"} {
		release := flock(t, f.Root+"/"+file)
		if e, err := h.Gone(); err != nil || e.LocksFree || len(e.Left) != 1 {
			t.Errorf("%s is locked by flock, and Gone finds %+v, %v", file, e, err)
		}
		release()
	}
	release := ofdLock(t, f.Root+"/var/lib/etcd/member/wal/0000000000000000-0000000000000000.wal")
	defer release()
	if e, err := h.Gone(); err != nil || e.LocksFree {
		t.Errorf("the log is locked as etcd locks it, and Gone finds %+v, %v", e, err)
	}
}

// A directory's name is not used as a pattern: otherwise an etcd that was started by hand on such data would count as gone.
func TestGoneSeesALockBelowAnOddName(t *testing.T) {
	f := hosttest.New(t)
	odd := f.DataDir + "[1]"
	if err := os.Rename(f.DataDir, odd); err != nil {
		t.Fatal(err)
	}
	h, err := host.Load(t.Context(), host.Options{EtcdConf: filepath.Join(f.Root, "etc/etcd/etcd.conf"), DataDir: odd})
	if err != nil {
		t.Fatal(err)
	}
	release := flock(t, odd+"/member/wal/0000000000000000-0000000000000000.wal")
	defer release()
	if e, err := h.Gone(); err != nil || e.LocksFree {
		t.Errorf("%+v, %v", e, err)
	}
}

// Any user can listen on a port above 1024: that must not keep etcd's host from being fenced or started.
func TestGonePassesOverAnotherUsersPort(t *testing.T) {
	f := hosttest.New(t)
	h := load(t, f)
	for uid, gone := range map[int]bool{0: false, 65534: true} {
		release := listenAs(t, uid, h.Config.ListenClientURLs[0])
		if e, err := h.Gone(); err != nil || e.PortsClosed != gone {
			t.Errorf("user %d listens: %+v, %v", uid, e, err)
		}
		release()
	}
}

// listenAs listens on a URL's port; the socket is that user's, as the kernel has it.
func listenAs(t *testing.T, uid int, target string) (release func()) {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	addr, err := netip.ParseAddrPort(u.Host)
	if err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread() // the user ID applies to this thread only
	defer runtime.UnlockOSThread()
	as := func(uid int) { _, _, _ = unix.RawSyscall(unix.SYS_SETFSUID, uintptr(uid), 0, 0) }
	as(uid)
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	as(0)
	if err == nil {
		err = errors.Join(unix.Bind(s, &unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}), unix.Listen(s, 1))
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() { unix.Close(s) }
}
