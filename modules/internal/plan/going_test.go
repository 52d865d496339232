package plan

import (
	"slices"
	"strings"
	"testing"
)

// What a run prints that carries the plan out leaves away what is typed or printed at its end, and only where it gets there.
func TestGoing(t *testing.T) {
	asked := func() *cluster { return lost(3).running(0).off(1, 2).consent() }
	for name, one := range map[string]struct {
		c                *cluster
		command, leftOut bool
	}{
		"asked":      {c: asked(), command: true, leftOut: true},
		"agreed":     {c: asked().confirmed()},
		"check mode": {c: func() *cluster { c := asked().confirmed(); c.Simulate = true; return c }(), command: true, leftOut: true},
	} {
		p := Make(one.c.Request)
		text := strings.Join(p.Going, "\n")
		if got := strings.Contains(text, "playbooks/restore_quorum.yml"); got != one.command {
			t.Errorf("%s: has the command: %v\n%s", name, got, text)
		}
		if got := strings.Contains(text, "playbooks/fence.yml"); got != one.leftOut {
			t.Errorf("%s: has the way back of hosts that are left out: %v\n%s", name, got, text)
		}
		for _, always := range []string{p.ID, "Given up", "WHAT HAPPENS", "playbooks/undo.yml"} {
			if !strings.Contains(text, always) {
				t.Errorf("%s: %q is missing in\n%s", name, always, text)
			}
		}
	}
	refused := Make(lost(3).running(0).off(1, 2).confirmed().Request)
	if !slices.Equal(refused.Going, refused.Lines) {
		t.Errorf("a refusal is not the whole text: %q", refused.Going)
	}
}

// What the end prints says the same as the plan, with the warning that two hosts are not powered on together.
func TestAfterwardsWarns(t *testing.T) {
	p := Make(lost(3).running(0).off(1, 2).consent().Request)
	whole, after := strings.Join(p.Lines, "\n"), strings.Join(p.AtEnd, "\n")
	if !strings.Contains(after, "never power on two of them together") || !strings.HasSuffix(whole, after) {
		t.Errorf("at the end:\n%s\nin the plan:\n%s", after, whole)
	}
}

// A plan has one command, so that nobody has to find the difference of two long lines. It has the plan's ID, behind all else.
func TestOneCommandUnderThePlan(t *testing.T) {
	p := Make(lost(3).running(0).wiped(1, 2).Request)
	text := strings.Join(p.Lines, "\n")
	if got := strings.Count(text, "playbooks/restore_quorum.yml"); got != 1 {
		t.Errorf("%d commands:\n%s", got, text)
	}
	if !strings.Contains(text, " -e etcd_confirm="+p.ID+"\n") {
		t.Errorf("the plan's ID does not end the command:\n%s", text)
	}
}

func TestSavedAs(t *testing.T) {
	for _, c := range []*cluster{lost(3).running(0).wiped(1, 2), lost(3).running(0).off(1, 2).consent().confirmed(), lost(3).healthy(0).fence(1)} {
		p := Make(c.Request)
		whole := slices.Equal(p.Lines, p.Going)
		p.SavedAs("/r/plan.txt")
		if slices.Equal(p.Lines, p.Going) != whole {
			t.Errorf("the whole plan ends in other words where it is printed by a run: %q", p.Going)
		}
		for _, lines := range [][]string{p.Lines, p.Going} {
			if last := lines[len(lines)-1]; !strings.HasSuffix(last, " /r/plan.txt") || p.File != "/r/plan.txt" {
				t.Errorf("the last line does not name the file: %s", last)
			}
		}
	}
}
