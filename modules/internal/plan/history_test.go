package plan

import (
	"testing"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// empty is the log of wiped hosts that formed a new cluster: the same first entries, then a history of its own.
func empty(last uint64) *facts.Log { return history("empty", run{2, last}) }

// emptyCluster puts the facts of an empty cluster on hosts. IDs are the same as before: they are made from names, URLs and token.
func (c *cluster) emptyCluster(last uint64, hosts ...int) *cluster {
	for _, i := range hosts {
		c.log(i, empty(last))
		if last <= 8 {
			c.edit(i, func(h *Host) { h.Database.Revision = 1 })
		}
	}
	return c
}

// bootstrap is a log with only those entries with which every cluster of this configuration begins.
func (c *cluster) bootstrap(i int) *cluster {
	l := history("empty", run{2, 3})
	l.Terms, l.LastTerm = l.Terms[:1], 1
	return c.log(i, l)
}

// A member whose log was cut by a snapshot does not raise the index from which another one's entries may differ.
func TestCompareWithTwoThatHoldTheSame(t *testing.T) {
	forked, whole := history("real", run{2, 1000}, run{3, 1010}), history("real", run{2, 700}, run{4, 1020})
	cut := from(whole, 900)
	r := histories.Compare(forked, cut).And(histories.Compare(forked, whole))
	if alone := histories.Compare(forked, whole); r.Forced != alone.Forced || r.Conflict != alone.Conflict || r.Apart != alone.Apart {
		t.Fatalf("with a cut log beside it %+v, alone %+v", r, alone)
	}
}

// Entries that every cluster has prove nothing.
func TestCompare(t *testing.T) {
	real := history("real", run{2, 1000}, run{5, 1500})
	cases := []struct {
		name string
		a, b *facts.Log
		want histories.Relation
	}{
		{"itself", real, real, histories.Relation{Common: 1500}},
		{"a prefix", real, history("real", run{2, 700}), histories.Relation{Common: 640}},
		{"a prefix that ends at an election", real, history("real", run{2, 1000}, run{5, 1001}), histories.Relation{Common: 960}},
		{"another tail", real, history("real", run{2, 1000}, run{4, 1200}), histories.Relation{Common: 960, Conflict: 1001, Apart: 1001, Forced: 993}},
		{"the same term forked", real, history("fork", run{2, 1000}, run{5, 1500}), histories.Relation{Conflict: 5, Apart: 5, Forced: 5}},
		{"an empty cluster", real, empty(9), histories.Relation{Conflict: 5, Apart: 5, Forced: 5}},
		{"a member that stopped when the cluster was young", real, history("real", run{2, 50}), histories.Relation{Common: 50}},
		{"an election below the first run of both", electedAt(500), electedAt(500), histories.Relation{}},
		{"an empty cluster beside a young one", history("real", run{2, 50}), empty(9), histories.Relation{Conflict: 5, Apart: 5, Forced: 5}},
		{"no place in common", from(history("real", run{2, 1000}), 900), history("real", run{2, 800}), histories.Relation{}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			hidden := cmpopts.IgnoreUnexported(histories.Relation{})
			if diff := cmp.Diff(tc.want, histories.Compare(tc.a, tc.b), hidden); diff != "" {
				t.Fatal(diff)
			}
			if diff := cmp.Diff(tc.want, histories.Compare(tc.b, tc.a), hidden); diff != "" {
				t.Fatal("the other way round: " + diff)
			}
		})
	}
}

// electedAt has one sum below its snapshot, that of the empty entry of a new leader, and no run of terms that tells so.
func electedAt(index uint64) *facts.Log {
	l := from(history("real", run{2, 1000}), 900)
	l.Terms, l.Sums = nil, []facts.EntrySum{{Index: index, Term: 2, CRC: 0x8c28b28a}}
	return l
}
