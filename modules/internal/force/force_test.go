package force

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/membertest"
)

// These tests use the stand-in for etcd, which serves no v3 client: they end before the proof. The complete run is tested with a real etcd in
// modules/etcd_force_new_cluster, and on real hosts in the scenarios.

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

const selfID, otherID = facts.ID(membertest.SelfID), facts.ID(membertest.OtherID)

// forcer returns a host with a member's files, whose etcd is stopped, and a forcer that fails the test when it announces a change.
func forcer(t *testing.T, m *membertest.Member) (*hosttest.Host, *Forcer) {
	t.Helper()
	h := hosttest.New(t)
	h.Wipe()
	m.WriteTo(t, h.DataDir)
	loaded, err := host.Load(soon(t), host.Options{EtcdConf: h.Conf, ManifestDir: h.Manifests})
	if err != nil {
		t.Fatal(err)
	}
	return h, &Forcer{Host: loaded, KeepTail: true, OnChange: func() { t.Error("it announces a change") }}
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// cluster is the log of a member of two; the other one should be at url. Ten entries, two beyond the commit index.
func cluster(url string) *membertest.Log {
	b := membertest.NewLog().
		Change(1, 1, 0, membertest.SelfID, "http://127.0.0.1:2").
		Change(1, 2, 0, membertest.OtherID, url).
		Hard(2, membertest.SelfID, 2)
	for i := uint64(3); i <= 8; i++ {
		b.Entry(2, i, fmt.Sprint("value ", i))
	}
	return b.Hard(2, membertest.SelfID, 8).Entry(2, 9, "tail").Entry(2, 10, "tail")
}

const nobody = "http://127.0.0.1:1" // a port that nothing listens on

func twoOf() *membertest.Log { return cluster(nobody) }

// single is a member of a cluster of its own, as a forced start leaves it.
func single() *membertest.Log {
	return twoOf().Change(3, 11, 1, membertest.OtherID, "").Hard(3, membertest.SelfID, 11)
}

// sum covers names, modes and contents of a host's files.
func sum(t *testing.T, h *hosttest.Host) string {
	t.Helper()
	s := sha256.New()
	for _, dir := range []string{"etc", "run", "var"} {
		err := filepath.WalkDir(filepath.Join(h.Root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			content, err := os.ReadFile(path)
			fmt.Fprintln(s, path, d.Type(), len(content))
			s.Write(content)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf("%x\n%s\n%s", s.Sum(nil), h.Tree(), h.State())
}

// listener accepts connections at an address of its own, and answers what handle writes, if anything.
func listener(t *testing.T, handle func(net.Conn)) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			go handle(c)
		}
	}()
	return "http://" + l.Addr().String()
}
