package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/facts"
)

// want is what a case expects: the action, the survivor or the first refusal's code, and the groups without their prefix.
type want struct {
	action string
	who    string
	groups map[string]string // step: hosts by number, such as "1 2"
	out    string
}

type testCase struct {
	name string
	c    *cluster
	want want
}

// Every row of the decision, in its order, and what a row must not take for its own.
var decisions = []testCase{
	{"nobody answers", lost(3).off(0, 1, 2), want{action: Refuse, who: "no_host_answered"}},
	{"only a host that is not in yet answers", lost(3).off(0, 1, 2).newHost(3), want{action: Refuse, who: "no_host_answered"}},
	{"quorum without a member list", lost(1).healthy(0).listAll([]facts.ClusterMember{}), want{action: Refuse, who: "membership_unknown"}},
	{"a host without facts", lost(3).edit(1, func(h *Host) { *h = Host{Failed: true, Msg: "module not found"} }),
		want{action: Refuse, who: "facts_missing"}},
	{"facts that say nothing are not an empty host", lost(3).edit(1, func(h *Host) { *h = Host{} }), want{action: Refuse, who: "facts_missing"}},

	{"a member answers its peers but not Ansible", lost(3).running(0).off(2).sees(0, 2), want{action: Refuse, who: "network"}},
	{"the same, with consent: it is not off", lost(3).running(0).off(1, 2).sees(0, 2).consent(), want{action: Refuse, who: "network"}},
	{"one host reaches a running member, the other does not", lost(3).running(0, 1).off(2).blind(0, 1).wiped(0).seesAlso(2, 1), want{action: Refuse, who: "network"}},
	{"a member serves and none of the others reaches it", lost(3).running(0, 1).blind(1, 0).blind(0, 1).off(2), want{action: Refuse, who: "network"}},
	{"a majority has quorum, the third is cut off", lost(3).healthy(0, 1).running(2).blind(2, 0).blind(2, 1).blind(0, 2).blind(1, 2), want{action: Refuse, who: "network"}},
	{"a hung etcd that nobody reaches is no network", lost(3).running(0).off(2).wiped(1).blind(1, 0).edit(0, func(h *Host) { h.Live = facts.Live{} }),
		want{action: Force, who: host(0), groups: map[string]string{"force": "0", "fence": "1", "rejoin": "1"}, out: "2"}},

	{"a host whose own certificate is bad says nothing of the network", lost(3).running(0).off(2).wiped(1).edit(1, func(h *Host) {
		h.Sees[peerURL(0)] = facts.Seen{Error: "remote error: tls: bad certificate"}
	}), want{action: Force, who: host(0), groups: map[string]string{"fence": "1", "rejoin": "1"}, out: "2"}},
	{"two quorums", lost(3).healthy(0, 1, 2).list(memberList(1), 0), want{action: Refuse, who: "network"}},

	{"a forcing record", lost(3).fenced(0, 1, 2).forcing(1),
		want{action: FinishForce, who: host(1), groups: map[string]string{"finish_force": "1", "fence": "0 2", "rejoin": "0 2", "final": "0 1 2", "masters": "m"}}},
	{"a forcing record, and the word for its host", lost(3).fenced(0, 1, 2).forcing(1).prefer(1), want{action: FinishForce, who: host(1)}},
	{"a forcing record, and the word for another host", lost(3).fenced(0, 1, 2).forcing(1).prefer(0), want{action: Refuse, who: "forcing_elsewhere"}},
	{"two forcing records", lost(3).forcing(0).forcing(1), want{action: Refuse, who: "two_forcings"}},
	{"force flag in the process, one member", lost(3).healthy(0).list(memberList(1), 0).flag(0),
		want{action: FinishForce, who: host(0), groups: map[string]string{"finish_force": "0", "fence": "1 2", "rejoin": "1 2", "snapshot": "0"}}},
	{"force flag in the process, more members", lost(3).healthy(0, 1, 2).flag(0),
		want{action: FinishForce, who: host(0), groups: map[string]string{"restart": "0", "flags": "0", "final": "0 1 2"}}},
	{"force flag in the process, one joined, one to come", lost(3).healthy(0, 1).list(memberList(2), 0, 1).flag(0).fenced(2),
		want{action: FinishForce, who: host(0), groups: map[string]string{"restart": "0", "fence": "2", "rejoin": "2"}}},

	{"force flag in a process that never got so far", lost(3).running(0).flag(0).wiped(1, 2),
		want{action: Force, who: host(0), groups: map[string]string{"flags": "0", "force": "0", "fence": "1 2", "rejoin": "1 2"}}},

	{"added and never started, no quorum", lost(3).running(0).list(unstarted(2, 1), 0).wiped(1, 2).fenced(1, 2),
		want{action: FinishJoin, who: host(0), groups: map[string]string{"join_started": "1", "fence": "2", "rejoin": "2", "masters": "m", "final": "0 1 2"}}},
	{"the same after the survivor went down too", lost(3).list(unstarted(2, 1), 0).wiped(1, 2).fenced(1, 2),
		want{action: FinishJoin, who: host(0), groups: map[string]string{"start_first": "0", "join_started": "1", "fence": "2", "rejoin": "2"}}},
	{"the same, but its old data is still there", lost(3).running(0).list(unstarted(2, 1), 0).fenced(1, 2).edit(1, func(h *Host) { h.Member.ID = "0dd" }),
		want{action: FinishJoin, who: host(0), groups: map[string]string{"join_started": "1", "fence": "2", "rejoin": "2"}}},
	{"added, started, not yet named", lost(3).running(0).list(unstarted(2, 1), 0, 1).off(2).fenced(1),
		want{action: Start, who: host(0), groups: map[string]string{"start": "0 1", "unfence_keep_data": "1", "stop_copy": "1"}}},
	{"added, started, not yet named, and too few for quorum even so", lost(5).running(0).listAll(unstarted(5, 1)).off(2, 3, 4).fenced(1),
		want{action: Refuse, who: "etcd_lost_hosts_off"}},
	{"added in a quorum, host there", lost(3).healthy(0, 1).list(unstarted(3, 2), 0, 1).wiped(2).fenced(2),
		want{action: FinishJoin, who: host(0), groups: map[string]string{"join_started": "2"}}},
	{"added in a quorum, host gone", lost(3).healthy(0, 1).list(unstarted(3, 2), 0, 1).off(2),
		want{action: FinishJoin, who: host(0), out: "2"}},
	{"added, host gone, no quorum", lost(2).running(0).list(unstarted(2, 1), 0).off(1), want{action: Refuse, who: "etcd_lost_hosts_off"}},
	{"the same with consent", lost(2).running(0).list(unstarted(2, 1), 0).off(1).consent(),
		want{action: Force, who: host(0), groups: map[string]string{"force": "0"}, out: "1"}},

	{"quorum, a fenced member with its data", lost(3).healthy(0, 1).fenced(2),
		want{action: FinishJoin, who: host(0), groups: map[string]string{"unfence_keep_data": "2", "start": "2", "final": "0 1 2"}}},
	{"quorum, a fenced host that is no member", lost(3).healthy(0, 1).list(memberList(2), 0, 1).fenced(2),
		want{action: FinishJoin, who: host(0), groups: map[string]string{"fence": "2", "rejoin": "2", "masters": "m", "final": "0 1 2"}}},
	{"quorum, a member without data", lost(3).healthy(0, 1).wiped(2),
		want{action: FinishJoin, who: host(0), groups: map[string]string{"remove_member": "2", "fence": "2", "rejoin": "2"}}},
	{"quorum, a member with damaged data", lost(3).healthy(0, 1).damaged(2),
		want{action: FinishJoin, who: host(0), groups: map[string]string{"remove_member": "2", "fence": "2", "rejoin": "2"}}},
	{"one fenced, one merely stopped", lost(5).healthy(0, 1, 2).fenced(3),
		want{action: FinishJoin, who: host(0), groups: map[string]string{"unfence_keep_data": "3", "start": "3 4"}}},
	{"a host to join, a dead member in the way", lost(5).healthy(0, 1, 2).wiped(3).off(4), want{action: Refuse, who: "member_down"}},
	{"dropped by a forced start and out of reach", lost(3).healthy(0).list(memberList(1), 0).off(1, 2),
		want{action: FinishJoin, who: host(0), groups: map[string]string{"masters": "m", "final": "0"}, out: "1 2"}},

	{"all healthy", lost(3).healthy(0, 1, 2), want{action: Nothing}},
	{"all healthy, one not reached by Ansible", lost(3).healthy(0, 1).off(2).sees(0, 2), want{action: Nothing}},
	{"all healthy, a flag left in a file", lost(3).healthy(0, 1, 2).flagFile(1), want{action: Nothing, groups: map[string]string{"flags": "1"}}},
	{"quorum, a member stopped", lost(3).healthy(0, 1), want{action: Refuse, who: "member_down"}},
	{"quorum, a member off", lost(3).healthy(0, 1).off(2), want{action: Refuse, who: "member_down"}},

	{"a loss that is seconds old", lost(3).running(0).wiped(1, 2).before(func(c *cluster) { c.healthy(0) }), want{action: Refuse, who: "just_lost"}},

	{"all down, all data there", lost(3),
		want{action: Start, who: host(0), groups: map[string]string{"start": "0 1 2", "stop_copy": "0 1 2"}}},
	{"one wiped, one merely stopped", lost(3).running(0).wiped(1),
		want{action: Start, who: host(0), groups: map[string]string{"start": "0 2", "stop_copy": "2", "fence": "1", "remove_member": "1", "rejoin": "1"}}},
	{"a minority off", lost(5).off(3, 4), want{action: Start, who: host(0), groups: map[string]string{"start": "0 1 2"}}},
	{"a minority off, one wiped: nobody can be added yet", lost(5).off(4).wiped(3),
		want{action: Start, who: host(0), groups: map[string]string{"start": "0 1 2", "fence": "3"}}},
	{"fenced hosts with data", lost(3).fenced(0, 1, 2), want{action: Start, who: host(0), groups: map[string]string{"start": "0 1 2", "unfence_keep_data": "0 1 2"}}},
	{"all run, no leader yet", lost(3).running(0, 1, 2), want{action: Start, who: host(0), groups: map[string]string{"start": "0 1 2"}}},
	{"the start was tried in vain", lost(3).startFailed(),
		want{action: Force, who: host(0), groups: map[string]string{"force": "0", "fence": "1 2", "rejoin": "1 2"}}},

	{"two of three off", lost(3).running(0).off(1, 2), want{action: Refuse, who: "etcd_lost_hosts_off"}},
	{"two of three off, with consent", lost(3).running(0).off(1, 2).consent(),
		want{action: Force, who: host(0), groups: map[string]string{"snapshot": "0", "fence_survivor": "0", "stop_copy": "0", "force": "0", "masters": "m", "final": "0"}, out: "1 2"}},
	{"dropped members off, still a majority of the old cluster", lost(3).running(0).list(memberList(1), 0).off(1, 2), want{action: Start}},
	{"members that a forced start dropped are off, and were a majority", lost(5).listAll(memberList(2)).running(0).wiped(1).off(2, 3, 4),
		want{action: Refuse, who: "etcd_lost_hosts_off"}},
	{"one of three off, one wiped", lost(3).running(0).wiped(1).off(2), want{action: Force, who: host(0), groups: map[string]string{"fence": "1", "rejoin": "1"}, out: "2"}},
	{"two crashed, data gone", lost(3).running(0).wiped(1, 2),
		want{action: Force, who: host(0), groups: map[string]string{"fence": "1 2", "rejoin": "1 2", "final": "0 1 2", "backup_config": "0 1 2"}}},
	{"two wiped, no rejoin", lost(3).running(0).wiped(1, 2).alone(),
		want{action: Force, who: host(0), groups: map[string]string{"fence": "1 2", "final": "0"}, out: "1 2"}},
	{"three of five lost", lost(5).running(0, 1).wiped(2, 3, 4),
		want{action: Force, who: host(0), groups: map[string]string{"fence": "1 2 3 4", "rejoin": "1 2 3 4"}}},
	{"three of five off", lost(5).running(0, 1).off(2, 3, 4), want{action: Refuse, who: "etcd_lost_hosts_off"}},

	{"nobody has data", lost(3).wiped(0, 1, 2), want{action: RestoreBackup}},
	{"nobody reachable has data, one is off", lost(3).wiped(0, 1).off(2), want{action: Refuse, who: "etcd_lost_hosts_off"}},
	{"the same with consent", lost(3).wiped(0, 1).off(2).consent(), want{action: RestoreBackup}},
	{"all data is damaged", lost(3).wiped(0, 1).damaged(2), want{action: Refuse, who: "no_usable_data"}},
}

func TestDecision(t *testing.T) {
	for _, tc := range decisions {
		t.Run(tc.name, func(t *testing.T) { check(t, tc) })
	}
}

func check(t *testing.T, tc testCase) {
	t.Helper()
	p := Make(tc.c.Request)
	fail := func(format string, a ...any) {
		t.Helper()
		show(t, p)
		t.Fatalf(format, a...)
	}
	if p.Action != tc.want.action {
		fail("action %s, want %s", p.Action, tc.want.action)
	}
	who := p.Survivor
	if p.Action == Refuse {
		who = p.Refusals[0].Code
	}
	if tc.want.who != "" && who != tc.want.who {
		fail("%s, want %s", who, tc.want.who)
	}
	groups := groupsOf(p)
	for step, hosts := range tc.want.groups {
		if groups[step] != hosts {
			fail("%s is %q, want %q; all: %v", step, groups[step], hosts, groups)
		}
	}
	if tc.want.groups != nil {
		for _, step := range []string{"fence", "rejoin", "join_started", "remove_member", "start", "start_first", "restart", "unfence_keep_data"} {
			if tc.want.groups[step] != "" || step == "remove_member" {
				continue
			}
			if groups[step] != "" {
				fail("%s is %q, want nobody", step, groups[step])
			}
		}
	}
	if diff := cmp.Diff(tc.want.out, numbers(p.StaysOut)); diff != "" {
		fail("stays out: %s", diff)
	}
}

// A member that is merely stopped has its data: the way on is a start, not a new member.
func TestStoppedMemberIsToBeStarted(t *testing.T) {
	p := Make(lost(3).healthy(0, 1).Request)
	if len(p.Refusals) != 1 || !strings.HasSuffix(p.Refusals[0].Hint, "ansible etcd-2.example.com -i INVENTORY -m etcd_service -a state=started") {
		t.Errorf("%+v", p.Refusals)
	}
}

// groupsOf gives the hosts of each step by their numbers. remove_member is done by the survivor, so it is read from the members.
func groupsOf(p Plan) map[string]string {
	lists := map[string][]string{}
	for step, hosts := range p.Plays {
		if len(hosts) > 0 && step != "remove_member" {
			lists[step] = hosts
		}
	}
	for _, m := range p.Remove {
		if m.Host != "" {
			lists["remove_member"] = append(lists["remove_member"], m.Host)
		}
	}
	out := map[string]string{}
	for step, hosts := range lists {
		out[step] = numbers(hosts)
	}
	return out
}

// numbers turns "etcd-1.example.com" into "1" and a master into "m".
func numbers(hosts []string) string {
	var short []string
	for _, h := range hosts {
		h = strings.TrimSuffix(strings.TrimPrefix(h, "etcd-"), ".example.com")
		if strings.HasPrefix(h, "master") {
			h = "m"
		}
		short = append(short, h)
	}
	return strings.Join(short, " ")
}

// Where one that has just joined serves already, its data are not called damaged: nothing of them was read wrongly.
func TestJustJoined(t *testing.T) {
	p := Make(lost(3).healthy(0, 1, 2).edit(2, func(h *Host) { h.Log = &facts.Log{} }).Request)
	text := strings.Join(p.Lines, "\n")
	if p.Action != Nothing || !strings.Contains(text, "empty log") || strings.Contains(text, "damaged") {
		t.Error(p.Action, text)
	}
}

// What was agreed to is done only while it is still what would be decided.
func TestChangedMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		now  *cluster
		want string // code of the refusal
	}{
		"as it was":           {lost(3).wiped(1, 2), ""},
		"a host came back":    {lost(3).wiped(2), "changed_meanwhile"},
		"quorum came back":    {lost(3).healthy(0, 1, 2), "changed_meanwhile"},
		"another host is off": {lost(3).off(0, 1).consent(), "changed_meanwhile"},
		"it is refused now":   {lost(3).off(0, 1), "etcd_lost_hosts_off"},
	} {
		t.Run(name, func(t *testing.T) {
			c.now.Decided = Decided{Force, host(0)}
			p := Make(c.now.Request)
			if c.want == "" {
				if p.Action != Force || len(p.Plays["fence"]) == 0 {
					t.Error(p.Action, p.Plays)
				}
			} else if p.Action != Refuse || p.Refusals[0].Code != c.want || len(p.Plays["fence"]) > 0 {
				t.Error(p.Action, strings.Join(p.Lines, "\n"))
			}
		})
	}
}
