package plan

import (
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/rows"
)

// A member that is merely stopped has its data: it has to be started, not replaced by a new member.
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

// Where a member that has just joined serves already, its data is not called damaged.
func TestJustJoined(t *testing.T) {
	p := Make(lost(3).healthy(0, 1, 2).edit(2, func(h *Host) { h.Log = &facts.Log{} }).Request)
	text := strings.Join(p.Lines, "\n")
	if p.Action != rows.Nothing || !strings.Contains(text, "empty log") || strings.Contains(text, "damaged") {
		t.Error(p.Action, text)
	}
}

// What was agreed to is done only while the decision is still the same.
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
			c.now.Decided = Decided{Action: rows.Force, Survivor: host(0)}
			p := Make(c.now.Request)
			if c.want == "" {
				if p.Action != rows.Force || len(p.Plays["fence"]) == 0 {
					t.Error(p.Action, p.Plays)
				}
			} else if p.Action != rows.Refuse || p.Refusals[0].Code != c.want || len(p.Plays["fence"]) > 0 {
				t.Error(p.Action, strings.Join(p.Lines, "\n"))
			}
		})
	}
}

// A consent covers what was named when it was asked for, and no more.
func TestConsentCoversNoMore(t *testing.T) {
	behind := func() *cluster { return lost(5).log(0, history("real", run{2, 900})).wiped(2, 3, 4).prefer(0).accept() }
	asked := Make(behind().Request)
	if asked.Action != rows.Force || len(asked.Discarded) != 1 {
		t.Fatal(asked.Action, asked.Discarded)
	}
	again := behind()
	again.Decided = Decided{Action: rows.Force, Survivor: host(0), Discarded: asked.Discarded}
	if p := Make(again.Request); p.Action != rows.Force {
		t.Error("the same: ", p.Action, p.Refusals)
	}
	for name, decided := range map[string]Decided{"after the question": again.Decided, "after the fences": {Discarded: asked.Discarded}} {
		more := behind().log(1, history("real", run{2, 1200}))
		more.Decided = decided
		if p := Make(more.Request); p.Action != rows.Refuse || p.Refusals[0].Code != "changed_meanwhile" || !strings.Contains(p.Refusals[0].Msg, "300 entries") {
			t.Errorf("%s: %s %+v", name, p.Action, p.Refusals)
		}
	}
}

// An answer to the question covers what was shown, and no more, though it is no consent to a loss. An empty cluster that grows is still the same.
func TestAnswerCoversNoMore(t *testing.T) {
	straggler := func(last uint64) *cluster {
		return lost(3).log(0, from(history("real", run{2, 1000}), 500)).log(1, history("real", run{2, last})).wiped(2)
	}
	for name, c := range map[string]struct {
		then, now *cluster
		action    string
	}{
		"the same":           {straggler(100), straggler(100), rows.Force},
		"a longer log":       {straggler(100), straggler(200), rows.Refuse},
		"a shorter log":      {straggler(200), straggler(100), rows.Force},
		"an empty cluster":   {lost(3).wiped(1).bootstrap(2).revisions(1, 2), lost(3).wiped(1).bootstrap(2).revisions(1, 2), rows.Force},
		"one that went on":   {lost(3).wiped(1).bootstrap(2).revisions(1, 2), lost(3).wiped(1).log(2, history("young", run{2, 9})).revisions(1, 2), rows.Force},
		"data that was none": {lost(3).wiped(1, 2), lost(3).wiped(1).foreign(2).accept().prefer(0), rows.Refuse},
	} {
		asked := Make(c.then.Request)
		if asked.Action != rows.Force {
			t.Fatal(name, asked.Action, asked.Refusals)
		}
		c.now.Decided = Decided{Action: rows.Force, Survivor: asked.Survivor, Discarded: asked.Discarded}
		if p := Make(c.now.Request); p.Action != c.action {
			t.Errorf("%s: %s, want %s; %+v then, %+v now", name, p.Action, c.action, asked.Discarded, p.Refusals)
		}
	}
}

// A restore that finds nothing to do waits for nobody; one that has a step for any host does.
func TestChangesSomething(t *testing.T) {
	simulated := lost(3).running(0).wiped(1, 2)
	simulated.Simulate = true
	for name, c := range map[string]struct {
		of   *cluster
		want bool
	}{
		"healthy": {lost(3).healthy(0, 1, 2), false}, "refused": {lost(3).healthy(0, 1).off(2), false}, "started": {lost(3).running(0).off(2), true},
		"forced": {lost(3).running(0).wiped(1, 2), true}, "check mode": {simulated, false},
	} {
		if got := Make(c.of.Request); got.Changes != c.want {
			t.Errorf("%s: changes %v, want %v; %s %v", name, got.Changes, c.want, got.Action, got.Plays)
		}
	}
}

// Runs of two control nodes meet on every host that answers, whatever each of them decides.
func TestLocksAreOfAllThatAnswer(t *testing.T) {
	for want, c := range map[string]*cluster{"0 1 2": lost(3).healthy(0, 1, 2), "0 1": lost(3).off(2), "": lost(3).off(0, 1, 2)} {
		if got := numbers(Make(c.Request).Lock); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		c.Simulate = true
		if got := Make(c.Request).Lock; len(got) > 0 {
			t.Errorf("check mode: %v", got)
		}
	}
}
