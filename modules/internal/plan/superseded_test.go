package plan

import (
	"slices"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/rows"
)

// The refusal says whose writes would be lost and what to do; with the consent they are in what is given up.
func TestSupersededIsGivenUp(t *testing.T) {
	for name, c := range map[string]struct {
		c           *cluster
		action, who string
	}{
		"started together": {lost(3).off(0).lostFor(host(0), 1, 2), rows.Start, host(0)},
		"forced":           {lost(3).off(0).wiped(2).lostFor(host(0), 1), rows.Force, host(0)},
		"not recorded":     {lost(3).off(0).lostFor(facts.UnknownSurvivor, 1, 2), rows.Start, host(0)},
	} {
		t.Run(name, func(t *testing.T) {
			refused := Make(c.c.Request)
			if r := refused.Refusals[0]; r.Code != "superseded" || !strings.Contains(r.Msg, host(1)) || !strings.HasSuffix(r.Hint, " -e etcd_accept_loss=yes") {
				t.Errorf("%+v", r)
			}
			accepted := Make(c.c.accept().Request)
			given := strings.Join(accepted.Lines, " ")
			if accepted.Action != c.action || !strings.Contains(given, "Given up    what "+c.who+" acknowledged since") {
				show(t, accepted)
				t.Errorf("%s: %+v", accepted.Action, accepted.Discarded)
			}
		})
	}
}

// In no case is superseded data started, kept for a start, or forced without consent.
func TestSupersededIsNeverStartedUnasked(t *testing.T) {
	tried := 0
	eachRandom(t, func(t *testing.T, c *cluster, p Plan) {
		for _, n := range histories.Look(c.Request.Input()).Nodes {
			if !n.Superseded() {
				continue
			}
			tried++
			for _, s := range []rows.Step{rows.StepStart, rows.StepStartFirst, rows.StepUnfenceKeepData, rows.StepForce, rows.StepFinishForce} {
				if slices.Contains(p.Plays[string(s)], n.Name) && !c.AcceptLoss {
					t.Errorf("%s is in %s", n.Name, s)
				}
			}
		}
	})
	if tried < trials/20 {
		t.Errorf("only %d hosts with superseded data", tried)
	}
}
