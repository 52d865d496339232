package etcdtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Member is one etcd.
type Member struct {
	Name, IP           string
	Dir, DataDir, Conf string
	PeerURL, ClientURL string
	CA, Cert, Key      string // of a client
	cmd                *exec.Cmd
	exited             chan struct{}
}

// Configure writes etcd.conf as the installer does.
func (m *Member) Configure(t *testing.T, initialCluster, state string) {
	t.Helper()
	text := strings.Join([]string{
		"ETCD_NAME=" + m.Name,
		"ETCD_LISTEN_PEER_URLS=" + m.PeerURL,
		"ETCD_DATA_DIR=" + m.DataDir + "/",
		"ETCD_HEARTBEAT_INTERVAL=100",
		"ETCD_ELECTION_TIMEOUT=1000",
		"ETCD_LISTEN_CLIENT_URLS=" + m.ClientURL,
		"#[cluster]",
		"ETCD_INITIAL_ADVERTISE_PEER_URLS=" + m.PeerURL,
		"ETCD_INITIAL_CLUSTER=" + initialCluster,
		"ETCD_INITIAL_CLUSTER_STATE=" + state,
		"ETCD_INITIAL_CLUSTER_TOKEN=etcd-cluster-1",
		"ETCD_ADVERTISE_CLIENT_URLS=" + m.ClientURL,
		"ETCD_TRUSTED_CA_FILE=" + m.CA,
		"ETCD_CLIENT_CERT_AUTH=true",
		"ETCD_CERT_FILE=" + filepath.Join(m.Dir, "server.crt"),
		"ETCD_KEY_FILE=" + filepath.Join(m.Dir, "server.key"),
		"ETCD_PEER_TRUSTED_CA_FILE=" + m.CA,
		"ETCD_PEER_CLIENT_CERT_AUTH=true",
		"ETCD_PEER_CERT_FILE=" + m.Cert,
		"ETCD_PEER_KEY_FILE=" + m.Key,
	}, "\n")
	if err := os.WriteFile(m.Conf, []byte(text+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Start starts the process and does not wait: without quorum there would be nothing to wait for.
func (m *Member) Start(t *testing.T) { t.Helper(); m.StartWith(t, m.Dir) }

// StartWith starts it in a working directory and with more flags, which win over etcd.conf.
func (m *Member) StartWith(t *testing.T, dir string, flags ...string) {
	t.Helper()
	raw, err := os.ReadFile(m.Conf)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.OpenFile(filepath.Join(m.Dir, "etcd.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	m.cmd = exec.Command(Binary(t, "etcd"), flags...)
	m.cmd.Dir = dir
	m.cmd.Env = []string{"PATH=/usr/bin:/bin"}
	for _, line := range strings.Split(string(raw), "\n") {
		if strings.HasPrefix(line, "ETCD_") {
			m.cmd.Env = append(m.cmd.Env, line)
		}
	}
	m.cmd.Stdout, m.cmd.Stderr = log, log
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	m.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) {
		_ = cmd.Wait() // it always ends by a signal
		close(exited)
	}(m.cmd, m.exited)
}

// Stop does what systemctl stop does, and Kill is like a power cut. Both return when the process is gone.
func (m *Member) Stop(t *testing.T) { t.Helper(); m.end(t, syscall.SIGTERM) }

// Kill ends it without warning.
func (m *Member) Kill(t *testing.T) { t.Helper(); m.end(t, syscall.SIGKILL) }

func (m *Member) end(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if m.cmd == nil {
		return
	}
	_ = m.cmd.Process.Signal(signal) // it may have ended by itself
	select {
	case <-m.exited:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s did not end within 20 s of %v", m.Name, signal)
	}
	m.cmd = nil
}

// Freeze halts the process, Thaw lets it go on.
func (m *Member) Freeze(t *testing.T) { t.Helper(); m.signal(t, syscall.SIGSTOP) }

// Thaw ends a Freeze.
func (m *Member) Thaw(t *testing.T) { t.Helper(); m.signal(t, syscall.SIGCONT) }

func (m *Member) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := m.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// Etcdctl runs etcdctl against this member and returns its output.
func (m *Member) Etcdctl(t *testing.T, api int, args ...string) (string, error) {
	t.Helper()
	flags := []string{"--cacert", m.CA, "--cert", m.Cert, "--key", m.Key, "--endpoints", m.ClientURL}
	if api == 2 {
		flags = []string{"--ca-file", m.CA, "--cert-file", m.Cert, "--key-file", m.Key, "--endpoints", m.ClientURL}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, Binary(t, "etcdctl"), append(flags, args...)...)
	cmd.Env = []string{fmt.Sprintf("ETCDCTL_API=%d", api)}
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// Must is Etcdctl, and fails the test on an error.
func (m *Member) Must(t *testing.T, api int, args ...string) string {
	t.Helper()
	out, err := m.Etcdctl(t, api, args...)
	if err != nil {
		t.Fatalf("etcdctl %v: %v: %s", args, err, out)
	}
	return out
}

// WaitHealthy waits until the member takes part in a quorum.
func (m *Member) WaitHealthy(t *testing.T) {
	t.Helper()
	m.Await(t, "healthy", func() bool {
		out, err := m.Etcdctl(t, 3, "--command-timeout=1s", "endpoint", "health")
		return err == nil && strings.Contains(out, "is healthy")
	})
}

// Await polls until a condition holds, for at most 30 s.
func (m *Member) Await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if holds() {
			return
		}
	}
	log, err := os.ReadFile(filepath.Join(m.Dir, "etcd.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Fatalf("%s is not %s within 30 s; its log ends: %s", m.Name, what, log[max(0, len(log)-2000):])
}

// Args are a module's arguments on this member's host.
func (m *Member) Args(more map[string]any) map[string]any {
	out := map[string]any{"etcd_conf": m.Conf}
	for k, v := range more {
		out[k] = v
	}
	return out
}
