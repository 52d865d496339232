package plan

import (
	"fmt"
	"slices"
	"testing"

	"etcd-quorum-restore/modules/internal/plan/rows"
)

// A rule of the decision is switched off by an operator who says yes to it without looking: what the plan does then is what it would do without the
// rule, and whatever is lost was not agreed to. For "forcing.json" it is the record that nobody sees.

// decide asks as the operator does; words are the operator's.
func (q *inquiry) decide() (p Plan, lines []string, words operator) {
	p, lines = q.w.ask(q.o)
	other := slices.ContainsFunc(p.Refusals, func(r rows.Refusal) bool { return !q.w.carelessFor(r.Code) })
	if p.Action != rows.Refuse || other {
		return p, lines, q.o
	}
	words = q.o
	if q.w.careless == "etcd_lost_hosts_off" {
		words.lostHostsOff = true
	} else {
		words.acceptLoss = true
	}
	p, lines = q.w.ask(words)
	return p, lines, words
}

func (w *world) carelessFor(rule string) bool { return w.careless == rule }

// ruleNights are nights that end wrong without a rule. Of "forcing.json" none is known that raft would not end in the same way: without the record the other
// rules ask more often. What it decides is in testdata/unfinished-force.txt.
var ruleNights = map[string]uint64{
	"superseded":          43,
	"committed_elsewhere": 155,
	"survivor_older":      83,
	"log_conflict":        7589,
	"empty_cluster":       28,
	"etcd_lost_hosts_off": 22,
}

// TestModelFindsEachRule: each of these nights ends well, but not where the rule is switched off. After a change of the nights, MODEL_RULE and
// MODEL_N look for others.
func TestModelFindsEachRule(t *testing.T) {
	if rules := ruleNames(t); len(rules) > 0 {
		lookForNights(t, rules)
		return
	}
	for rule, seed := range ruleNights {
		if v := withoutRule("", seed); v != nil {
			t.Errorf("night %d: %s", seed, v)
		}
		if withoutRule(rule, seed) == nil {
			t.Errorf("night %d ends well without the rule %s; look for another: MODEL_RULE=%s MODEL_N=20000 go test ./modules/internal/plan -run FindsEachRule -v", seed, rule, rule)
		}
	}
}

func withoutRule(rule string, seed uint64) *violation {
	n := randomNight(seed)
	n.careless = rule
	return n.live(map[string]int{})
}

func lookForNights(t *testing.T, rules []string) {
	first, n := number(t, "MODEL_SEED", 1), number(t, "MODEL_N", 1000)
	for _, rule := range rules {
		var found []string
		for seed := first; seed < first+n && len(found) < 3; seed++ {
			if v := withoutRule(rule, seed); v != nil && withoutRule("", seed) == nil {
				found = append(found, fmt.Sprintf("%d (%s)", seed, v.property))
			}
		}
		t.Logf("%s: %v", rule, found)
	}
}
