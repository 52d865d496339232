package plan

import (
	"testing"

	"etcd-quorum-restore/modules/internal/facts"
)

// empty is the log of wiped hosts that formed a new cluster: the same first entries, then a history of its own.
func empty(last uint64) *facts.Log { return history("empty", run{2, last}) }

// newborn puts the facts of an empty cluster on hosts. IDs are the same as before: they are made from names, URLs and token.
func (c *cluster) newborn(last uint64, hosts ...int) *cluster {
	for _, i := range hosts {
		c.log(i, empty(last))
		if last <= 8 {
			c.edit(i, func(h *Host) { h.Database.Revision = 1 })
		}
	}
	return c
}

// What the logs say: issue "the log decides".
var byLog = []testCase{
	{"the newest log survives", lost(5).off(2, 3, 4).log(0, history("real", run{2, 900})).log(1, history("real", run{2, 1000})).consent(),
		want{action: Force, who: host(1), groups: map[string]string{"fence": "0", "rejoin": "0"}, out: "2 3 4"}},
	{"a stale leader with the longer log", lost(5).off(2, 3, 4).consent().
		log(0, history("real", run{2, 900}, run{3, 1100})).log(1, history("real", run{2, 900}, run{4, 960})).commit(0, 900).commit(1, 900),
		want{action: Refuse, who: "log_conflict"}},
	{"the same, accepted", lost(5).off(2, 3, 4).consent().accept().
		log(0, history("real", run{2, 900}, run{3, 1100})).log(1, history("real", run{2, 900}, run{4, 960})).commit(0, 900).commit(1, 900),
		want{action: Force, who: host(1), groups: map[string]string{"fence": "0", "rejoin": "0"}, out: "2 3 4"}},
	{"a stale leader whose entries another one knows to be overruled", lost(5).off(2, 3, 4).consent().
		log(0, history("real", run{2, 900}, run{3, 1100})).log(1, history("real", run{2, 900}, run{4, 960})).commit(0, 900),
		want{action: Force, who: host(1), groups: map[string]string{"fence": "0", "rejoin": "0"}, out: "2 3 4"}},
	{"the overruling entry is the last that is known to be committed", lost(5).off(2, 3, 4).consent().
		log(0, history("real", run{2, 900}, run{3, 1100})).log(1, history("real", run{2, 900}, run{4, 960})).commit(0, 900).commit(1, 901),
		want{action: Force, who: host(1), groups: map[string]string{"fence": "0", "rejoin": "0"}, out: "2 3 4"}},
	{"a higher term in the HardState alone means nothing", lost(5).off(2, 3, 4).consent().
		log(0, history("real", run{2, 900})).edit(0, func(h *Host) { h.Log.Term = 178 }),
		want{action: Force, who: host(1), out: "2 3 4"}},
	{"a higher revision alone means nothing", lost(5).off(2, 3, 4).consent().
		log(0, history("real", run{2, 990})).edit(0, func(h *Host) { h.Database.Revision = 990 }).edit(1, func(h *Host) { h.Database.Revision = 100 }),
		want{action: Force, who: host(1), out: "2 3 4"}},
	{"equal logs: the one that serves", lost(5).running(1).off(2, 3, 4).consent(), want{action: Force, who: host(1), out: "2 3 4"}},
	{"a torn last record is usable", lost(3).wiped(1, 2).edit(0, func(h *Host) { h.Log.Torn = true }), want{action: Force, who: host(0)}},
	{"a follower far behind, after a snapshot", lost(3).wiped(2).
		log(0, from(history("real", run{2, 20000}), 15000)).log(1, from(history("real", run{2, 9000}), 8500)),
		want{action: Force, who: host(0), groups: map[string]string{"fence": "1 2", "rejoin": "1 2"}}},
	{"a majority with usable data, and one that conflicts", lost(3).
		log(0, history("real", run{2, 900}, run{3, 1100})).log(1, history("real", run{2, 900}, run{4, 960})).log(2, history("real", run{2, 900}, run{4, 950})).commit(0, 900),
		want{action: Start, who: host(1), groups: map[string]string{"start": "1 2", "fence": "0", "rejoin": "0", "remove_member": "0"}}},
	{"split brain: two histories, both committed", lost(3).off(2).
		log(0, history("real", run{2, 900}, run{3, 1100})).log(1, history("real", run{2, 900}, run{4, 1000})),
		want{action: Refuse, who: "split_brain"}},
	{"split brain, one side chosen", lost(3).off(2).accept().prefer(0).
		log(0, history("real", run{2, 900}, run{3, 1100})).log(1, history("real", run{2, 900}, run{4, 1000})),
		want{action: Force, who: host(0), groups: map[string]string{"fence": "1", "rejoin": "1"}, out: "2"}},
	{"different clusters", lost(3).off(2).foreign(1), want{action: Refuse, who: "different_clusters"}},
	{"different clusters, one chosen", lost(3).off(2).foreign(1).prefer(0).accept(),
		want{action: Force, who: host(0), groups: map[string]string{"fence": "1", "rejoin": "1"}, out: "2"}},
	{"another cluster's data on a host, with quorum", lost(3).healthy(0, 1).foreign(2),
		want{action: FinishJoin, who: host(0), groups: map[string]string{"remove_member": "2", "fence": "2", "rejoin": "2"}}},
	{"another cluster's copied host runs beside a lone survivor", lost(3).running(0).off(2).foreign(1).prefer(1), want{action: Refuse, who: "different_clusters"}},

	{"damage: the next one", lost(3).running(0).damaged(0).wiped(2),
		want{action: Force, who: host(1), groups: map[string]string{"fence": "0 2", "rejoin": "0 2"}}},
	{"damage on the one that knows more", lost(3).damaged(0).wiped(2).log(1, history("real", run{2, 500})), want{action: Refuse, who: "survivor_older"}},
	{"the same, accepted", lost(3).damaged(0).wiped(2).log(1, history("real", run{2, 500})).accept(), want{action: Force, who: host(1), groups: map[string]string{"fence": "0 2", "rejoin": "0 2"}}},
	{"files that could not be read while they were copied", lost(3).wiped(2).startFailed().unreadable(0),
		want{action: Force, who: host(1), groups: map[string]string{"fence": "0 2", "rejoin": "2"}, out: "0"}},
	{"a log without database", lost(3).wiped(1, 2).edit(0, func(h *Host) { h.Database = nil }), want{action: Refuse, who: "no_usable_data"}},
	{"its own removal is in the tail", lost(3).wiped(1, 2).edit(0, func(h *Host) {
		h.Log.ConfChanges = []facts.ConfChange{{Index: 999, Type: "remove", MemberID: memberID(0)}}
	}), want{action: Refuse, who: "no_usable_data"}},
	{"the removal of another is in the tail", lost(3).wiped(1, 2).edit(0, func(h *Host) {
		h.Log.ConfChanges = []facts.ConfChange{{Index: 999, Type: "remove", MemberID: memberID(1)}}
	}), want{action: Force, who: host(0)}},
	{"a removed member's data", lost(3).list(memberList(2), 0, 1).running(0).wiped(1), want{action: Force, who: host(0), groups: map[string]string{"fence": "1 2", "rejoin": "1 2"}}},

	{"prefer one that is older", lost(5).off(2, 3, 4).consent().log(1, history("real", run{2, 900})).prefer(1), want{action: Refuse, who: "prefer_older"}},
	{"prefer one that is older, accepted", lost(5).off(2, 3, 4).consent().log(1, history("real", run{2, 900})).prefer(1).accept(),
		want{action: Force, who: host(1), groups: map[string]string{"fence": "0", "rejoin": "0"}, out: "2 3 4"}},
	{"prefer one of equal logs", lost(5).off(2, 3, 4).consent().prefer(1), want{action: Force, who: host(1), out: "2 3 4"}},
	{"prefer a wiped one", lost(3).running(0).wiped(1, 2).prefer(1), want{action: Refuse, who: "prefer_not_usable"}},
	{"prefer a stranger", lost(3).running(0).wiped(1, 2).prefer(9), want{action: Refuse, who: "prefer_unknown"}},

	{"two wiped hosts formed an empty cluster, the survivor is down", lost(3).healthy(1, 2).newborn(8, 1, 2),
		want{action: Force, who: host(0), groups: map[string]string{"fence": "1 2", "rejoin": "1 2", "force": "0"}}},
	{"the same, and nobody ever wrote to it", lost(3).healthy(1, 2).log(1, empty(3600)).log(2, empty(3600)).v2(1, 2).revisions(1, 1, 2),
		want{action: Force, who: host(0), groups: map[string]string{"fence": "1 2", "rejoin": "1 2"}}},
	{"the same, clients made a few writes", lost(3).healthy(1, 2).newborn(50, 1, 2),
		want{action: Force, who: host(0), groups: map[string]string{"fence": "1 2", "rejoin": "1 2"}}},
	{"the same, more than a few: which one came first?", lost(3).healthy(1, 2).newborn(300, 1, 2), want{action: Refuse, who: "two_histories"}},
	{"it outgrew the young one that it replaced", lost(3).healthy(1, 2).newborn(3600, 1, 2), want{action: Refuse, who: "two_histories"}},
	{"the same, all stand still", lost(3).newborn(3600, 1, 2), want{action: Refuse, who: "two_histories"}},
	{"the same, the operator is sure", lost(3).healthy(1, 2).newborn(3600, 1, 2).prefer(0).accept(),
		want{action: Force, who: host(0), groups: map[string]string{"fence": "1 2", "rejoin": "1 2"}}},
	{"the empty cluster stands still again", lost(3).newborn(8, 1, 2),
		want{action: Force, who: host(0), groups: map[string]string{"fence": "1 2", "rejoin": "1 2"}}},
	{"the real log is old and long", lost(3).healthy(1, 2).newborn(900, 1, 2).log(0, from(history("real", run{2, 90000}), 60000)),
		want{action: Force, who: host(0), groups: map[string]string{"fence": "1 2", "rejoin": "1 2"}}},
	{"the empty cluster had more elections", lost(3).healthy(1, 2).newborn(8, 1, 2).log(1, history("empty", run{2, 6}, run{9, 9})).log(2, history("empty", run{2, 6}, run{9, 9})),
		want{action: Force, who: host(0)}},
	{"two of five real, three formed an empty one", lost(5).healthy(2, 3, 4).newborn(8, 2, 3, 4),
		want{action: Force, who: host(0), groups: map[string]string{"fence": "1 2 3 4", "rejoin": "1 2 3 4"}}},
	{"three of five real", lost(5).healthy(3, 4).newborn(8, 3, 4),
		want{action: Start, who: host(0), groups: map[string]string{"start": "0 1 2", "fence": "3 4", "rejoin": "3 4", "remove_member": "3 4"}}},
	{"one wiped host that could not form a cluster", lost(3).healthy(0, 1).log(2, bootstrap()),
		want{action: FinishJoin, who: host(0), groups: map[string]string{"remove_member": "2", "fence": "2", "rejoin": "2"}}},
	{"two young histories, one ten times the other: still, which one came first?", lost(3).healthy(1, 2).newborn(300, 1, 2).log(0, history("real", run{2, 5000})),
		want{action: Refuse, who: "two_histories"}},
	{"an empty cluster that has served for long beside a long log", lost(3).healthy(1, 2).newborn(30000, 1, 2).log(0, from(history("real", run{2, 90000}), 60000)),
		want{action: Refuse, who: "two_histories"}},
	{"another cluster's data with a member's ID", lost(3).healthy(1, 2).foreign(0).edit(0, func(h *Host) { h.Member.ID = memberID(2) }),
		want{action: FinishJoin, who: host(1), groups: map[string]string{"remove_member": "0", "fence": "0", "rejoin": "0"}}},
	{"all of the young cluster's own logs", lost(3).healthy(0, 1, 2).log(0, history("real", run{2, 8})).log(1, history("real", run{2, 8})).log(2, history("real", run{2, 7})),
		want{action: Nothing}},
	{"a straggler of a real cluster is no empty cluster", lost(3).healthy(0, 1).fenced(2).
		log(0, from(history("real", run{2, 90000}), 60000)).log(1, from(history("real", run{2, 90000}), 60000)).log(2, history("real", run{2, 5000})),
		want{action: FinishJoin, who: host(0), groups: map[string]string{"unfence_keep_data": "2", "start": "2"}}},
}

// bootstrap is a log that holds nothing but what every cluster of this configuration begins with.
func bootstrap() *facts.Log {
	l := history("empty", run{2, 3})
	l.Terms, l.LastTerm = l.Terms[:1], 1
	return l
}

func TestByLog(t *testing.T) {
	for _, tc := range byLog {
		t.Run(tc.name, func(t *testing.T) { check(t, tc) })
	}
}

// Entries that every cluster has prove nothing.
func TestCompare(t *testing.T) {
	real := history("real", run{2, 1000}, run{5, 1500})
	cases := []struct {
		name string
		a, b *facts.Log
		want relation
	}{
		{"itself", real, real, relation{common: 1500}},
		{"a prefix", real, history("real", run{2, 700}), relation{common: 640}},
		{"a prefix that ends at an election", real, history("real", run{2, 1000}, run{5, 1001}), relation{common: 960}},
		{"another tail", real, history("real", run{2, 1000}, run{4, 1200}), relation{common: 960, conflict: 1001}},
		{"the same term forked", real, history("fork", run{2, 1000}, run{5, 1500}), relation{conflict: 64}},
		{"an empty cluster", real, empty(9), relation{}},
		{"an empty cluster beside a young one", history("real", run{2, 50}), empty(9), relation{conflict: 5}},
		{"no place in common", from(history("real", run{2, 1000}), 900), history("real", run{2, 800}), relation{}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if got := compare(tc.a, tc.b); got != tc.want {
				t.Fatalf("got %+v, want %+v", got, tc.want)
			}
			if got := compare(tc.b, tc.a); got != tc.want {
				t.Fatalf("the other way round: got %+v, want %+v", got, tc.want)
			}
		})
	}
}
