package main

import (
	"path/filepath"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/moduletest"
)

// After a kill at any moment the host is untouched or fenced, and the next run puts the single member in place; earlier data is set aside once.
func TestKilledAtAnyMoment(t *testing.T) {
	dir, killed := stopped(t), 0
	for delay := 30 * time.Millisecond; delay < 4*time.Second; delay += delay / 2 {
		t.Run(delay.String(), func(t *testing.T) {
			h := hosttest.New(t)
			h.Mode(hosttest.Exits) // the start fails, and the member stays as it was put in place
			before := h.Tree()
			if !moduletest.KillAfter(t, delay, h.Args("backup", dir, "rehearse", false, "timeout", 20)).Exited() {
				killed++
			}
			if h.Tree() != before && len(h.Calls()) == 0 && h.Exists("var/lib/etcd/restoring") {
				t.Error("something was laid before the fence")
			}
			moduletest.Run(t, h.Args("backup", dir, "rehearse", false, "timeout", 20)) // ends in the start
			record := readRecord(t, h)
			id, cluster, err := member.Identity(filepath.Join(h.DataDir, "member", "wal"))
			if err != nil || id != record.MemberID || cluster != record.ClusterID {
				t.Errorf("member %s of cluster %s is in place (%v), the record has %+v", id, cluster, err, record)
			}
			if aside, _ := filepath.Glob(filepath.Join(h.DataDir, "set-aside-*", "member")); len(aside) != 1 {
				t.Error("set aside: ", aside)
			}
			if !h.Exists("etc/etcd/fenced.json") || h.Exists("var/lib/etcd/restoring") {
				t.Errorf("the fence, or what is left of the laying:\n%s", h.Tree())
			}
		})
	}
	if killed < 3 {
		t.Errorf("the test's own condition does not hold: killed %d times", killed)
	}
}
