package etcd_test

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/fault"
)

// A hanging endpoint with a limit of an hour: the test ends only if the other endpoint does not wait for it.
func TestHangingEndpointCostsNothing(t *testing.T) {
	m := etcdtest.Start(t, 1).Members[0]
	hang := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	defer hang.Close()
	cfg := config(t, m).At("https://"+hang.Addr().String(), m.ClientURL)
	cfg.Connect = time.Hour
	c := must[*etcd.Client](t)(etcd.DialQuorum(t.Context(), cfg))
	defer c.Close()
	if c.Endpoint != m.ClientURL {
		t.Errorf("connected to %s", c.Endpoint)
	}
}

func TestOutOfSpaceIsAnAnswer(t *testing.T) {
	cluster := etcdtest.New(t, 1)
	m := cluster.Members[0]
	conf := must[[]byte](t)(os.ReadFile(m.Conf))
	if err := os.WriteFile(m.Conf, append(conf, "ETCD_QUOTA_BACKEND_BYTES=8192\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	m.Start(t)
	m.WaitHealthy(t)
	c := dial(t, config(t, m))
	if err := c.ProbeWrite(t.Context()); err != nil {
		t.Fatal(err)
	}
	alarms := must[[]etcd.Alarm](t)(c.Alarms(t.Context()))
	if len(alarms) != 1 || alarms[0].Alarm != "NOSPACE" {
		t.Errorf("the test's own condition does not hold: alarms are %v", alarms)
	}
}

func TestMembershipCalls(t *testing.T) {
	m := etcdtest.Start(t, 1).Members[0]
	c := dial(t, config(t, m))
	added, list, err := c.MemberAdd(t.Context(), []string{"https://127.0.0.9:2380"})
	if err != nil || len(list) != 2 || added.Name != "" {
		t.Fatalf("%+v, %v, %v", added, list, err)
	}
	if last := list[1]; last.ID != added.ID {
		t.Errorf("the unnamed member is not last: %v", list)
	}
}

// A member that freezes while it sends must not block a backup for ever, and a backup has a limit of its own as well.
func TestSnapshotOfAFrozenMember(t *testing.T) {
	m := etcdtest.Start(t, 1).Members[0]
	cfg := config(t, m)
	cfg.Stall = 500 * time.Millisecond
	c := dial(t, cfg)
	must[etcd.State](t)(c.State(t.Context())) // the connection is open
	m.Freeze(t)
	defer m.Thaw(t)
	_, err := readSnapshot(t.Context(), c)
	wantKind(t, err, fault.Timeout)
	if !strings.Contains(err.Error(), "brought nothing") {
		t.Error(err)
	}
	cfg.Stall = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	m.Thaw(t)
	c = dial(t, cfg)
	m.Freeze(t)
	_, err = readSnapshot(ctx, c)
	wantKind(t, err, fault.Timeout)
}

func readSnapshot(ctx context.Context, c *etcd.Client) ([]byte, error) {
	stream, err := c.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	return io.ReadAll(stream)
}

// The rehearsal speaks through a unix socket, without TLS.
func TestUnixSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "etcd") // short: a socket's path is limited to 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	cluster := etcdtest.New(t, 1)
	m := cluster.Members[0]
	socket := filepath.Join(dir, "localhost:1")
	m.StartWith(t, dir, "--listen-client-urls", "unix://localhost:1", "--advertise-client-urls", "http://127.0.0.1:1")
	var c *etcd.Client
	m.Await(t, "serving", func() (serves bool) {
		var err error
		if c, err = etcd.Dial(t.Context(), etcd.Config{}.At("unix://"+socket)); err != nil {
			return false
		}
		if serves = c.Probe(t.Context()).Quorum; !serves {
			c.Close()
		}
		return serves
	})
	t.Cleanup(func() { c.Close() })
	if healthy := must[bool](t)(c.V2().Healthy(t.Context())); !healthy {
		t.Error("unhealthy")
	}
}
