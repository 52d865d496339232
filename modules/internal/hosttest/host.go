package hosttest

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/freeport"
	"etcd-quorum-restore/modules/internal/membertest"
	"etcd-quorum-restore/modules/internal/root"
)

// Host is a fresh host with an etcd.service that is not running and has data.
type Host struct {
	t              *testing.T
	Root, Conf     string
	DataDir        string
	Manifests      string
	Peer, Client   string // URLs
	memberID, clus uint64
}

// Modes of the etcd stand-in.
const (
	Serves   = "serves"
	NoQuorum = "no quorum" // the peer port answers, clients hang, systemd never hears that it is ready
	Exits    = "exits"     // at once, with status 1
	Stubborn = "stubborn"  // SIGTERM does nothing
	Loops    = "loops"     // it ends when a client asks, and systemd is always about to start it again
)

// Identity in the data of a new Host.
const (
	MemberID  = "8e9e05c52164694d"
	ClusterID = "cdf818194e3a8c32"
)

// New makes the host anew. What ran on the last one ends with its test.
func New(t *testing.T) *Host {
	t.Helper()
	h := &Host{t: t, Root: root.Dir, memberID: 0x8e9e05c52164694d, clus: 0xcdf818194e3a8c32}
	for _, dir := range []string{"etc", "run", "var", "fake", "usr/lib", "proc", "root"} {
		h.must(os.RemoveAll(filepath.Join(h.Root, dir)))
	}
	h.Conf = h.path("etc/etcd/etcd.conf")
	h.DataDir = h.path("var/lib/etcd")
	h.Manifests = h.path("etc/origin/node/pods")
	h.Peer, h.Client = freeport.URL(t), freeport.URL(t)
	h.Write("run/systemd/system/.keep", "")
	h.Write("usr/lib/systemd/system/etcd.service", "[Service]\nType=notify\n")
	h.Write("etc/etcd/etcd.conf", fmt.Sprintf(`ETCD_NAME=m0
ETCD_DATA_DIR=%s
ETCD_LISTEN_PEER_URLS=%s
ETCD_LISTEN_CLIENT_URLS=%s
ETCD_INITIAL_ADVERTISE_PEER_URLS=%s
ETCD_ADVERTISE_CLIENT_URLS=%s
ETCD_INITIAL_CLUSTER=m0=%s,m1=http://127.0.0.1:1
ETCD_INITIAL_CLUSTER_STATE=new
`, h.DataDir, h.Peer, h.Client, h.Peer, h.Client, h.Peer))
	h.Write("var/lib/etcd/member/wal/0000000000000000-0000000000000000.wal", string(append(*membertest.NewLogOf(h.memberID, h.clus).Last(), make([]byte, 512)...)))
	h.Write("var/lib/etcd/member/snap/db", "database")
	h.Mode(Serves)
	h.must(os.Chmod(h.DataDir, 0o700))
	t.Cleanup(h.end)
	return h
}

func (h *Host) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *Host) path(name string) string { return filepath.Join(h.Root, name) }

// Write writes a file below the root.
func (h *Host) Write(name, text string) string {
	h.t.Helper()
	h.must(os.MkdirAll(filepath.Dir(h.path(name)), 0o755))
	h.must(os.WriteFile(h.path(name), []byte(text), 0o644))
	return h.path(name)
}

// Read reads a file below the root; "" where there is none.
func (h *Host) Read(name string) string {
	text, _ := os.ReadFile(h.path(name))
	return string(text)
}

// Exists tells whether there is a file of that name below the root.
func (h *Host) Exists(name string) bool {
	_, err := os.Lstat(h.path(name))
	return err == nil
}

// Mode says how the next etcd behaves.
func (h *Host) Mode(mode string) { h.Write("fake/mode", mode) }

// Wipe removes the member's data.
func (h *Host) Wipe() { h.must(os.RemoveAll(filepath.Join(h.DataDir, "member"))) }

// Args are a module's arguments: the common ones, and pairs of name and value.
func (h *Host) Args(pairs ...any) map[string]any {
	out := map[string]any{"etcd_conf": h.Conf, "manifest_dir": h.Manifests}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[pairs[i].(string)] = pairs[i+1]
	}
	return out
}

// Start starts etcd as an administrator would, and waits until it listens.
func (h *Host) Start() {
	h.t.Helper()
	systemctl(h.Root, []string{"start", "--no-block", "etcd.service"})
	h.until("etcd to listen", func() bool { return dialable(h.Peer) && dialable(h.Client) })
}

// StartByHand starts an etcd on the data directory that systemd does not know, and returns its PID.
func (h *Host) StartByHand() int {
	h.t.Helper()
	pid, err := spawn(h.Root, h.environment(nil))
	h.must(err)
	h.t.Cleanup(func() { kill(pid) })
	h.until("etcd to listen", func() bool { return dialable(h.Peer) && dialable(h.Client) })
	return pid
}

// Running tells whether the unit's etcd runs, and with which environment it was started.
func (h *Host) Running() (bool, string) {
	pid := loadState(h.Root).PID
	for _, p := range loadPods(h.Root) {
		pid = p.PID
	}
	if !alive(pid) {
		return false, ""
	}
	env, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return true, strings.ReplaceAll(string(env), "\x00", "\n")
}

// State is what the systemctl stand-in has recorded, as JSON; tests compare it before and after.
func (h *Host) State() string {
	raw, err := json.Marshal(loadState(h.Root))
	h.must(err)
	return string(raw)
}

// Calls are the systemctl commands that change something, in order.
func (h *Host) Calls() []string { return strings.Fields(h.Read("fake/calls")) }

// Tree lists all files of the host with size and mode, so that "touched nothing" can be compared.
func (h *Host) Tree() string {
	var out strings.Builder
	for _, dir := range []string{"etc", "run", "var"} {
		h.must(filepath.Walk(h.path(dir), func(path string, info os.FileInfo, err error) error {
			if err == nil {
				fmt.Fprintf(&out, "%s %d %v\n", path, info.Size(), info.Mode())
			}
			return err
		}))
	}
	return out.String()
}

func (h *Host) until(what string, ok func() bool) {
	h.t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("waited 10 s for %s", what)
		}
	}
}

// end kills what was started and waits until it is gone, so that the next test finds free ports.
func (h *Host) end() {
	s := loadState(h.Root)
	kill(s.PID)
	h.until("the stand-in to end", func() bool { return !alive(s.PID) })
	h.endPods()
	h.endUnrecorded()
}

// endUnrecorded ends stand-ins that no record names, as after a module, or systemctl, was killed amid a start: they would run for ever.
func (h *Host) endUnrecorded() {
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	h.must(err)
	for _, file := range all {
		command, _ := os.ReadFile(file)
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if strings.HasPrefix(string(command), h.path("usr/bin/etcd")+"\x00") {
			kill(pid)
		}
	}
}

func kill(pid int) {
	if pid > 0 {
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

func dialable(url string) bool {
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err == nil {
		c.Close()
	}
	return err == nil
}
