package plan

import (
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/facts"
)

// Two looks give the same ID, whatever changes by itself in between.
func TestIDStaysTheSame(t *testing.T) {
	base := func() *cluster { return lost(3).running(0).wiped(1, 2) }
	want := Make(base().Request).ID
	if len(want) != IDLength {
		t.Fatalf("%q", want)
	}
	for name, c := range map[string]*cluster{
		"again":                       base(),
		"elections":                   base().edit(0, func(h *Host) { h.Live.Term += 40; h.Log.Term += 40 }),
		"a probe killed it":           base().stop(0).edit(0, func(h *Host) { h.Live = facts.Live{} }),
		"it starts":                   base().edit(0, func(h *Host) { h.State, h.Live = facts.Starting, facts.Live{} }),
		"less room on the disk":       base().edit(0, func(h *Host) { h.BackupDir.FreeBytes -= 1 << 30 }),
		"an older certificate":        base().certificate(0, 300),
		"another run":                 func() *cluster { c := base(); c.Run = "r9"; return c }(),
		"another order":               func() *cluster { c := base(); c.Order = []string{host(0), host(2), host(1)}; return c }(),
		"another way to the playbook": func() *cluster { c := base(); c.Inventory = []string{"/x"}; return c }(),
	} {
		if got := Make(c.Request).ID; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestIDTellsPlansApart(t *testing.T) {
	seen := map[string]string{}
	for name, c := range map[string]*cluster{
		"two to join":      lost(3).running(0).wiped(1, 2),
		"one is off":       lost(3).running(0).wiped(1).off(2),
		"with a consent":   lost(3).running(0).wiped(1).off(2).consent(),
		"another survivor": lost(3).running(1).wiped(0, 2),
		"start":            lost(3),
		"with a loss":      func() *cluster { c := lost(3).running(0).wiped(1, 2); c.AcceptLoss = true; return c }(),
		"at one member":    func() *cluster { c := lost(3).running(0).wiped(1, 2); c.Rejoin = false; return c }(),
		"another cluster": func() *cluster {
			c := lost(3).running(0).wiped(1, 2)
			return c.edit(0, func(h *Host) { h.Member.ClusterID, h.Live.ClusterID = 0xbeef, 0xbeef })
		}(),
		"nothing to be done": lost(3).healthy(0, 1, 2),
	} {
		id := Make(c.Request).ID
		if other := seen[id]; other != "" {
			t.Errorf("%s and %s have the same ID", name, other)
		}
		seen[id] = name
	}
}

func TestConfirmedByID(t *testing.T) {
	c := lost(3).running(0).wiped(1, 2)
	id := Make(c.Request).ID
	if p := Make(c.Request); !p.Confirm || !strings.Contains(strings.Join(p.Lines, "\n"), "-e etcd_confirm="+id) {
		t.Fatalf("somebody is asked, and told the ID: %v", p.Lines)
	}
	c.Confirmed = Confirmed{ID: id}
	if p := Make(c.Request); p.Confirm || p.Action != "force" || p.ID != id {
		t.Fatalf("the plan is agreed to: %s, asks %v, %v", p.Action, p.Confirm, p.Refusals)
	}
	c.off(2)
	p := Make(c.Request)
	if p.Action != "refuse" || p.Refusals[0].Code != "other_plan" || !strings.Contains(p.Refusals[0].Msg, id) {
		t.Fatalf("the plan is another one: %s %v", p.Action, p.Refusals)
	}
	c.Confirmed = Confirmed{}
	if now := Make(c.Request).ID; !strings.Contains(p.Refusals[0].Msg, now) {
		t.Fatalf("both IDs are named: %s, %s", p.Refusals[0].Msg, now)
	}
	c.Confirmed = Confirmed{Any: true}
	if p := Make(c.Request); p.Confirm || p.Action != "force" {
		t.Fatalf("yes takes any plan: %s", p.Action)
	}
	healthy := lost(3).healthy(0, 1, 2)
	healthy.Confirmed = Confirmed{ID: id}
	if p := Make(healthy.Request); p.Action != "nothing" {
		t.Fatalf("nothing is to be agreed to: %s", p.Action)
	}
}
