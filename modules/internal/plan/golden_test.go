package plan

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/facts"
)

var update = flag.Bool("update", false, "write testdata/*.txt anew")

// What a person reads, in whole. go test ./modules/internal/plan -run Golden -update writes the files anew; read the difference.
func TestGolden(t *testing.T) {
	cases := map[string]*cluster{
		"two-off":          lost(3).running(0).off(1, 2),
		"two-off-consent":  lost(3).running(0).off(1, 2).consent(),
		"two-wiped":        lost(3).running(0).wiped(1, 2),
		"power-cut":        powerCut(),
		"stale-leader":     staleLeader(),
		"stale-accepted":   staleLeader().accept(),
		"empty-cluster":    lost(3).healthy(1, 2).newborn(8, 1, 2),
		"all-there":        lost(3),
		"interrupted-join": lost(3).running(0).listAll(unstarted(2, 1)).wiped(1).fenced(1, 2),
		"healthy":          lost(3).healthy(0, 1, 2),
		"degraded":         lost(3).healthy(0, 1).off(2),
		"no-data":          lost(3).wiped(0, 1, 2),
		"long-names":       longNames(),
		"not-ready":        notReady(),
		"remove-host":      lost(3).healthy(0, 1, 2).remove(2),
		"remove-refused":   lost(3).healthy(0, 1).remove(1),
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.Inventory = []string{"/etc/ansible/hosts"}
			got := strings.Join(Make(c.Request).Lines, "\n") + "\n"
			path := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Fatal(diff)
			}
		})
	}
}

// powerCut: two of three hosts are back, one with its disk gone; the log's commit lags behind the database.
func powerCut() *cluster {
	return lost(3).wiped(1, 2).log(0, from(history("real", run{2, 50000}, run{7, 184203}), 150001)).
		edit(0, func(h *Host) {
			h.Log.Commit, h.Log.KnownCommitted, h.Log.Torn = 184190, 184198, true
			h.Database.ConsistentIndex = 184198
		})
}

func staleLeader() *cluster {
	return lost(5).off(3, 4).wiped(2).consent().
		log(0, history("real", run{2, 900}, run{3, 1100})).log(1, history("real", run{2, 900}, run{4, 960})).commit(0, 900).commit(1, 900)
}

func longNames() *cluster {
	c := lost(3).running(0).wiped(1, 2).log(0, from(history("real", run{2, 50000}, run{7041, 98184203}), 98150001))
	for i := range 3 {
		long := strings.Replace(host(i), "etcd-", "infrastructure-etcd-member-number-", 1) + ".eu-central.prod.corp"
		c.Hosts[long] = c.Hosts[host(i)]
		delete(c.Hosts, host(i))
	}
	return c
}

func notReady() *cluster {
	return lost(3).running(0).wiped(1, 2).
		edit(0, func(h *Host) { h.BackupDir.FreeBytes = 100 << 20 }).
		edit(2, func(h *Host) {
			h.Checks = []facts.Check{{Name: "certificate_peer", Status: "failed", Line: "/etc/etcd/peer.crt expired on 2026-11-01T00:00:00Z",
				Advice: "renew it with openshift-ansible's redeploy-etcd-certificates.yml"}}
		})
}
