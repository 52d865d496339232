package etcdtest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

// Cluster is a set of members. It ends with the test.
type Cluster struct {
	Members []*Member
	PKI     *PKI
}

var clusters atomic.Int32

// Start runs n members and waits until each of them is healthy.
func Start(t *testing.T, n int) *Cluster {
	t.Helper()
	c := New(t, n)
	for _, m := range c.Members {
		m.Start(t)
	}
	for _, m := range c.Members {
		m.WaitHealthy(t)
	}
	return c
}

// New makes the members' files, and starts nothing.
func New(t *testing.T, n int) *Cluster {
	t.Helper()
	c := &Cluster{PKI: NewPKI(t)}
	net := clusters.Add(1)
	var initial []string
	for i := range n {
		m := c.Add(t, fmt.Sprintf("etcd-%d.example.com", i), address(net, i+1))
		initial = append(initial, m.Name+"="+m.PeerURL)
	}
	for _, m := range c.Members {
		m.Configure(t, strings.Join(initial, ","), "new")
	}
	return c
}

// address is one of 127.0.0.0/8 that no other test process uses at the same time: it contains the process ID.
func address(cluster int32, host int) string {
	pid := os.Getpid()
	return fmt.Sprintf("127.%d.%d.%d", 64+pid>>8&127, pid&255, int(cluster)%25*10+host)
}

// Add makes the files of one more member. Configure still has to write its etcd.conf.
func (c *Cluster) Add(t *testing.T, name, ip string) *Member {
	t.Helper()
	if ip == "" {
		last := c.Members[len(c.Members)-1].IP
		dot := strings.LastIndex(last, ".") + 1
		var n int
		if _, err := fmt.Sscan(last[dot:], &n); err != nil {
			t.Fatal(err)
		}
		ip = fmt.Sprintf("%s%d", last[:dot], n+1)
	}
	m := &Member{Name: name, IP: ip, Dir: t.TempDir(), CA: c.PKI.CA}
	m.PeerURL, m.ClientURL = "https://"+ip+":2380", "https://"+ip+":2379"
	m.DataDir, m.Conf = filepath.Join(m.Dir, "data"), filepath.Join(m.Dir, "etcd.conf")
	if err := os.Mkdir(m.DataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	c.PKI.Issue(t, m.Dir, "server", false, ip)
	m.Cert, m.Key = c.PKI.Issue(t, m.Dir, "peer", true, ip, "127.0.0.1") // the member dials from there, and etcd checks that address
	c.Members = append(c.Members, m)
	t.Cleanup(func() { m.Kill(t) })
	return m
}

// Binary is etcd or etcdctl 3.2.32.
func Binary(t *testing.T, name string) string {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	path := filepath.Join(filepath.Dir(file), "../../../.cache/bin/etcd-3.2.32", name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("this test runs the real %s 3.2.32, which is not built: run `make hosts` (or `make unit`, which does)", name)
	}
	return path
}
