package etcd_test

import (
	"context"
	"crypto/sha256"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
)

// config is how a module on m's host speaks to m.
func config(t *testing.T, m *etcdtest.Member) etcd.Config {
	t.Helper()
	cfg, err := etcd.Access{EtcdConf: m.Conf}.Config()
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func dial(t *testing.T, cfg etcd.Config) *etcd.Client {
	t.Helper()
	c, err := etcd.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantKind(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		t.Fatalf("want an error of kind %s, got %v (%s)", kind, err, fault.KindOf(err))
	}
}

func TestHealthyCluster(t *testing.T) {
	cluster := etcdtest.Start(t, 3)
	m := cluster.Members[0]
	m.Must(t, 3, "put", "/a", "1")
	m.Must(t, 3, "put", "/b", "2")
	m.Must(t, 2, "set", "/openshift.com/network/config", "{}")
	c := dial(t, config(t, m))
	members := must[[]facts.ClusterMember](t)(c.MemberList(t.Context()))
	if diff := cmp.Diff(members, must[[]facts.ClusterMember](t)(c.V2().Members(t.Context()))); diff != "" {
		t.Errorf("v2 lists other members: %s", diff)
	}
	if got, want := etcd.InitialCluster(members), initialCluster(cluster); got != want {
		t.Errorf("initial cluster %s, want %s", got, want)
	}
	live := c.Probe(t.Context())
	if !live.Serves || !live.Quorum || live.Leader == "" || live.Revision != 3 || live.Keys != 2 || live.Error != "" {
		t.Errorf("unexpected facts: %+v", live)
	}
	if c.Version != "3.2.32" {
		t.Errorf("version %q", c.Version)
	}
	if healthy := must[bool](t)(c.V2().Healthy(t.Context())); !healthy {
		t.Error("v2 says unhealthy")
	}
	if n, present, err := c.V2().UserKeys(t.Context()); n != 1 || !present || err != nil {
		t.Errorf("v2 keys: %d, %v, %v", n, present, err)
	}
	checkPeers(t, cluster, live.ClusterID, members)
	checkProbeWrite(t, m, c)
	checkEqualSums(t, cluster, live.Revision)
}

func initialCluster(c *etcdtest.Cluster) string {
	var parts []string
	for _, m := range c.Members {
		parts = append(parts, m.Name+"="+m.PeerURL)
	}
	return strings.Join(parts, ",")
}

func checkPeers(t *testing.T, cluster *etcdtest.Cluster, clusterID string, members []facts.ClusterMember) {
	t.Helper()
	var urls []string
	want := map[string]facts.Seen{}
	for i, m := range cluster.Members {
		urls = append(urls, m.PeerURL)
		want[m.PeerURL] = facts.Seen{ID: members[i].ID, ClusterID: clusterID, Members: 3}
	}
	if diff := cmp.Diff(want, etcd.SeesPeers(t.Context(), urls, config(t, cluster.Members[0]))); diff != "" {
		t.Errorf("peer ports: %s", diff)
	}
}

// The probe's key must be gone afterwards, whoever looks.
func checkProbeWrite(t *testing.T, m *etcdtest.Member, c *etcd.Client) {
	t.Helper()
	if err := c.ProbeWrite(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out := m.Must(t, 3, "get", "--prefix", "--keys-only", "/"); strings.Contains(out, "probe") {
		t.Errorf("the probe's key is still there: %s", out)
	}
}

func checkEqualSums(t *testing.T, cluster *etcdtest.Cluster, revision int64) {
	t.Helper()
	for _, values := range []bool{false, true} {
		var sums []string
		for _, m := range cluster.Members {
			sum, keys, err := dial(t, config(t, m)).SumKeys(t.Context(), revision, values)
			if err != nil || keys != 2 {
				t.Fatalf("%d keys, %v", keys, err)
			}
			sums = append(sums, sum)
		}
		if len(slices.Compact(sums)) != 1 {
			t.Errorf("sums differ: %v", sums)
		}
	}
}

// What a member answers that has run since before the loss, and what must end by itself.
func TestQuorumLost(t *testing.T) {
	cluster := etcdtest.Start(t, 3)
	m := cluster.Members[0]
	m.Must(t, 3, "put", "/a", "1")
	cluster.Members[1].Kill(t)
	cluster.Members[2].Kill(t)
	cfg := config(t, m)
	cfg.Call = time.Second
	c := dial(t, cfg)
	m.Await(t, "without a leader", func() bool { return c.Probe(context.Background()).Leader == "" })

	live := c.Probe(t.Context())
	if !live.Serves || live.Quorum || live.Keys != 1 || live.Error == "" {
		t.Errorf("unexpected facts: %+v", live)
	}
	if members := must[[]facts.ClusterMember](t)(c.MemberList(t.Context())); len(members) != 3 {
		t.Errorf("members: %v", members)
	}
	if healthy := must[bool](t)(c.V2().Healthy(t.Context())); healthy {
		t.Error("v2 says healthy")
	}
	checkSnapshot(t, c)
	_, err := c.LinearizableRead(context.Background())
	wantKind(t, err, fault.Timeout)
	wantKind(t, c.ProbeWrite(context.Background()), fault.Timeout)
	_, _, err = c.MemberAdd(context.Background(), []string{"https://127.0.0.1:1"})
	wantKind(t, err, fault.Timeout)
	_, err = etcd.DialQuorum(context.Background(), cfg)
	wantKind(t, err, fault.Timeout)
}

func checkSnapshot(t *testing.T, c *etcd.Client) {
	t.Helper()
	stream := must[io.ReadCloser](t)(c.Snapshot(t.Context()))
	defer stream.Close()
	all := must[[]byte](t)(io.ReadAll(stream))
	sum := sha256.Sum256(all[:len(all)-32])
	if len(all)%512 != 32 || string(sum[:]) != string(all[len(all)-32:]) {
		t.Errorf("%d bytes, and the sum behind them does not fit", len(all))
	}
}

// 3.2.32 restarted without quorum: the client port accepts and hangs, only the peer port answers.
func TestRestartedWithoutQuorum(t *testing.T) {
	cluster := etcdtest.Start(t, 3)
	m := cluster.Members[0]
	before := must[[]facts.ClusterMember](t)(dial(t, config(t, m)).MemberList(t.Context()))
	m.Stop(t) // in good order: after a kill the log may not know yet that its last entries, the names, are committed
	cluster.Members[1].Kill(t)
	cluster.Members[2].Kill(t)
	m.Start(t)
	cfg := config(t, m)
	cfg.Connect = time.Second
	var peer etcd.Peer
	m.Await(t, "answering on its peer port", func() bool {
		var err error
		peer, err = etcd.AskPeer(context.Background(), m.PeerURL, cfg)
		return err == nil
	})
	if diff := cmp.Diff(before, peer.Members); diff != "" {
		t.Errorf("the peer port lists other members: %s", diff)
	}
	_, err := etcd.Dial(context.Background(), cfg)
	wantKind(t, err, fault.Timeout)
	if live := etcd.Probe(context.Background(), cfg); live.Serves || !strings.Contains(live.Error, "answers nothing") {
		t.Errorf("unexpected facts: %+v", live)
	}
}

// A hanging endpoint with a limit of an hour: the test ends only if the other one does not wait for it.
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
	_, err = etcd.ParseID("not hex")
	wantKind(t, err, fault.Invalid)
}

// A member that freezes while it sends must not hold a backup for ever, and a backup has its own end as well.
func TestSnapshotOfAFrozenMember(t *testing.T) {
	m := etcdtest.Start(t, 1).Members[0]
	cfg := config(t, m)
	cfg.Stall = 500 * time.Millisecond
	c := dial(t, cfg)
	must[etcd.State](t)(c.State(t.Context())) // the connection stands
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
	m.Await(t, "serving", func() bool { return etcd.Probe(context.Background(), etcd.Config{}.At("unix://"+socket)).Quorum })
	c := dial(t, etcd.Config{}.At("unix://"+socket))
	if healthy := must[bool](t)(c.V2().Healthy(t.Context())); !healthy {
		t.Error("unhealthy")
	}
}
