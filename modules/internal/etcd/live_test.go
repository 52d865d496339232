package etcd_test

import (
	"context"
	"crypto/sha256"
	"io"
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

// config is the configuration by which a module on m's host speaks to m.
func config(t *testing.T, m *etcdtest.Member) etcd.Config {
	t.Helper()
	cfg, err := etcd.Access{}.Config(m.Conf)
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
	if !live.Serves || !live.Quorum || live.Leader == 0 || live.Revision != 3 || live.Keys != 2 || live.Error != "" {
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

func checkPeers(t *testing.T, cluster *etcdtest.Cluster, clusterID facts.ID, members []facts.ClusterMember) {
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

// The answers of a member that has run since before the loss, and the calls that must end by themselves.
func TestQuorumLost(t *testing.T) {
	cluster := etcdtest.Start(t, 3)
	m := cluster.Members[0]
	m.Must(t, 3, "put", "/a", "1")
	cluster.Members[1].Kill(t)
	cluster.Members[2].Kill(t)
	cfg := config(t, m)
	cfg.Call = time.Second
	c := dial(t, cfg)
	m.Await(t, "without a leader", func() bool { return c.Probe(context.Background()).Leader == 0 })

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
	m.Stop(t) // by SIGTERM: after a kill the log may not know yet that its last entries, the names, are committed
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
	if !strings.Contains(err.Error(), "answers nothing") {
		t.Error(err)
	}
}
