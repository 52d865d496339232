package plan

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/rows"
	"etcd-quorum-restore/modules/internal/plan/wording"
	"github.com/google/go-cmp/cmp"
)

// states are the states of a random host.
var states = []func(c *cluster, r *rand.Rand, i int){
	func(c *cluster, r *rand.Rand, i int) { c.off(i) },
	func(c *cluster, r *rand.Rand, i int) { c.wiped(i) },
	func(c *cluster, r *rand.Rand, i int) { c.running(i) },
	func(c *cluster, r *rand.Rand, i int) { c.running(i) },
	func(c *cluster, r *rand.Rand, i int) { c.healthy(i) },
	func(c *cluster, r *rand.Rand, i int) { c.fenced(i) },
	func(c *cluster, r *rand.Rand, i int) { c.wiped(i).fenced(i) },
	func(c *cluster, r *rand.Rand, i int) { c.lostFor(host(0), i) },
	func(c *cluster, r *rand.Rand, i int) { c.lostFor("unknown", i) },
	func(c *cluster, r *rand.Rand, i int) { c.forcing(i) },
	func(c *cluster, r *rand.Rand, i int) { c.damaged(i) },
	func(c *cluster, r *rand.Rand, i int) { c.emptyCluster(8, i) },
	func(c *cluster, r *rand.Rand, i int) { c.foreign(i) },
	func(c *cluster, r *rand.Rand, i int) { c.flagFile(i) },
	func(c *cluster, r *rand.Rand, i int) { c.log(i, history("real", run{2, 700 + r.Uint64N(300)})) },
	func(c *cluster, r *rand.Rand, i int) {
		c.log(i, history("real", run{2, 900}, run{3 + r.Uint64N(3), 901 + r.Uint64N(200)}))
	},
	func(c *cluster, r *rand.Rand, i int) {
		c.log(i, history("real", run{2, 900}, run{3, 950})).commit(i, 800)
	},
	func(c *cluster, r *rand.Rand, i int) {},
	func(c *cluster, r *rand.Rand, i int) {},
	func(c *cluster, r *rand.Rand, i int) {},
}

func random(seed uint64) *cluster {
	r := rand.New(rand.NewPCG(seed, 7))
	c := lost(1 + r.IntN(5))
	for i := range c.n {
		if c.Hosts[host(i)].Sees != nil {
			states[r.IntN(len(states))](c, r, i)
		}
	}
	switch r.IntN(8) {
	case 0:
		c.listAll(memberList(1 + r.IntN(c.n)))
	case 1:
		c.listAll(unstarted(c.n, r.IntN(c.n)))
	}
	named := r.IntN(2) == 0
	c.AcceptLoss, c.Rejoin = r.IntN(3) == 0, r.IntN(4) > 0
	c.StartFailed = r.IntN(8) == 0
	if r.IntN(4) == 0 {
		c.prefer(r.IntN(c.n))
	}
	if r.IntN(10) == 0 {
		c.NewHosts = []string{host(c.n - 1)}
	}
	if named {
		c.consent()
	}
	return c
}

const trials = 3000

type trial struct {
	c *cluster
	p Plan
}

var allRandom = sync.OnceValue(func() []trial {
	var all []trial
	for seed := range uint64(trials) {
		c := random(seed)
		all = append(all, trial{c, Make(c.Request)})
	}
	return all
})

// eachRandom runs a check on many clusters, and logs how many of them were forced: a check must not pass for lack of cases.
func eachRandom(t *testing.T, check func(t *testing.T, c *cluster, p Plan)) {
	t.Helper()
	seen := map[string]int{}
	for seed, tried := range allRandom() {
		p := tried.p
		seen[p.Action]++
		check(t, tried.c, p)
		if t.Failed() {
			show(t, p)
			t.Fatalf("seed %d", seed)
		}
	}
	for _, action := range []string{rows.Nothing, rows.Start, rows.FinishJoin, rows.Force, rows.RestoreBackup, rows.Refuse} {
		if seen[action] < trials/500 {
			t.Fatalf("only %d of %d cases led to %s: %v", seen[action], trials, action, seen)
		}
	}
}

func TestForceIsTheLastResort(t *testing.T) {
	eachRandom(t, func(t *testing.T, c *cluster, p Plan) {
		if p.Action != rows.Force {
			return
		}
		usableHosts := 0
		for name, h := range p.Hosts {
			if h.Data == string(histories.Usable) && c.Hosts[name].Forcing == nil { // a forced start was begun on the data: it is not started
				usableHosts++
			}
		}
		if !c.StartFailed && usableHosts >= p.Quorum.Members/2+1 {
			t.Errorf("forced although %d of %d have usable data", usableHosts, p.Quorum.Members)
		}
		if p.Quorum.Present {
			t.Error("forced beside a quorum")
		}
		gone := 0
		for _, m := range p.Members {
			if h, ok := c.Hosts[m.Host]; !ok || h.Unreachable {
				gone++
			}
		}
		if len(c.LostHosts) == 0 && gone > p.Quorum.Members/2 {
			t.Errorf("forced without consent, with %d of %d out of reach", gone, p.Quorum.Members)
		}
	})
}

func TestAllOthersAreFencedBeforeAForcedStart(t *testing.T) {
	eachRandom(t, func(t *testing.T, c *cluster, p Plan) {
		if p.Action != rows.Force {
			return
		}
		for name, h := range c.Hosts {
			fenced := slices.Contains(p.Steps[name], "fence")
			mustNot := name == p.Survivor || h.Unreachable
			empty := slices.Contains(c.NewHosts, name) && h.Member == nil && h.Log == nil && h.DataDir.Empty
			if fenced == mustNot && !empty {
				t.Errorf("%s: fence is %v", name, fenced)
			}
		}
		if first, last := slices.Index(rows.Sequence, rows.StepFenceSurvivor), slices.Index(rows.Sequence, rows.StepFence); first < last {
			t.Error("the survivor is stopped before the others are fenced")
		}
	})
}

// playing is true where a play would act on a host.
func playing(p Plan) bool {
	for _, hosts := range p.Plays {
		if len(hosts) > 0 {
			return true
		}
	}
	return false
}

// Steps that move data aside never include the survivor, nor a host that may be in use.
func TestSurvivorKeepsItsData(t *testing.T) {
	eachRandom(t, func(t *testing.T, c *cluster, p Plan) {
		for name, steps := range p.Steps {
			taken := slices.Contains(steps, "rejoin") || slices.Contains(steps, "join_started")
			if !taken {
				continue
			}
			if name == p.Survivor || slices.Contains(p.Candidates[:min(1, len(p.Candidates))], name) {
				t.Errorf("the data of the survivor %s would be set aside", name)
			}
			if slices.Contains(steps, "rejoin") && !slices.Contains(steps, "fence") {
				t.Errorf("%s joins without being fenced first", name)
			}
			if slices.Contains(steps, "start") || slices.Contains(steps, "force") || slices.Contains(steps, "unfence_keep_data") {
				t.Errorf("%s is both kept and set aside: %v", name, steps)
			}
			if h := c.Hosts[name]; h.Live.Quorum && p.Hosts[name].Data == string(histories.Usable) && p.Action == rows.FinishJoin {
				t.Errorf("%s has quorum and would lose its place", name)
			}
		}
	})
}

func TestRefusalsTouchNothing(t *testing.T) {
	eachRandom(t, func(t *testing.T, c *cluster, p Plan) {
		if (p.Action == rows.Refuse || p.Action == rows.RestoreBackup) != (len(p.Refusals) > 0) {
			t.Errorf("action %s with %d refusals", p.Action, len(p.Refusals))
		}
		if p.Action == rows.Refuse && (playing(p) || len(p.Steps) > 0 || len(p.StaysOut) > 0 || len(p.Remove) > 0) {
			t.Error("a refusal with steps")
		}
		for _, r := range p.Refusals {
			if r.Code == "" || r.Msg == "" || r.Hint == "" || r.Code == "undecided" {
				t.Errorf("refusal %+v", r)
			}
		}
		if (p.Code == 0) != (p.Action == rows.Nothing) {
			t.Errorf("code %d for %s", p.Code, p.Action)
		}
	})
}

// The inventory's order decides only ties and the order of joins; the order of keys and of lists within facts decides nothing.
func TestOrderDecidesNothing(t *testing.T) {
	for seed := range uint64(700) {
		c := random(seed)
		want := Make(c.Request)
		again := c.Request
		again.Hosts = map[string]Host{}
		for _, name := range slices.Backward(histories.SortedKeys(c.Hosts)) {
			h := c.Hosts[name]
			h.Members = slices.Clone(h.Members)
			slices.Reverse(h.Members)
			again.Hosts[name] = h
		}
		if diff := cmp.Diff(want, Make(again)); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
		again.Order = slices.Clone(again.Order)
		slices.Reverse(again.Order)
		got := Make(again)
		if got.Action != want.Action || last(c, got.Survivor) != last(c, want.Survivor) {
			show(t, want)
			show(t, got)
			t.Fatalf("seed %d: %s on %s, with hosts in another order %s on %s", seed, want.Action, want.Survivor, got.Action, got.Survivor)
		}
		for name := range want.Steps {
			if got.Survivor == want.Survivor && !slices.Equal(got.Steps[name], want.Steps[name]) {
				t.Fatalf("seed %d: steps of %s: %v and %v", seed, name, got.Steps[name], want.Steps[name])
			}
		}
	}
}

// last is the end of a host's log: hosts with equal logs are equally good.
func last(c *cluster, name string) [2]uint64 {
	if l := c.Hosts[name].Log; l != nil {
		return [2]uint64{l.LastTerm, l.LastIndex}
	}
	return [2]uint64{}
}

func TestLinesFit(t *testing.T) {
	eachRandom(t, func(t *testing.T, c *cluster, p Plan) {
		for _, l := range p.Lines {
			if utf8.RuneCountInString(l) > wording.Width && !strings.Contains(l, "ansible ") && !strings.Contains(l, "ansible-playbook ") {
				t.Errorf("%d columns: %s", utf8.RuneCountInString(l), l)
			}
			if strings.ContainsAny(l, "\n\t") || strings.HasSuffix(l, " ") {
				t.Errorf("line %q", l)
			}
		}
	})
}

// FuzzMake takes any JSON for facts: no panic, and only a refusal where the facts say nothing.
func FuzzMake(f *testing.F) {
	for seed := range uint64(40) {
		c := random(seed)
		for i := range c.n { // short logs: a change then hits a fact more often than one sum of many
			c.edit(i, func(h *Host) {
				if h.Log != nil {
					h.Log.Sums = h.Log.Sums[max(0, len(h.Log.Sums)-4):]
				}
			})
		}
		raw, err := json.Marshal(c.Hosts)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, seed)
	}
	f.Add([]byte(`{"a":{}}`), uint64(0))
	f.Add([]byte(`{"a":{"unreachable":true},"b":{"log":{}}}`), uint64(1))
	f.Fuzz(func(t *testing.T, raw []byte, switches uint64) {
		var loose map[string]any
		if json.Unmarshal(raw, &loose) != nil {
			return
		}
		hosts, err := DecodeHosts("hosts", loose)
		if err != nil {
			return
		}
		req := Request{Hosts: hosts, Masters: []string{"m"}, AcceptLoss: switches&1 > 0, LostHostsYes: switches&2 > 0, Rejoin: switches&4 > 0,
			StartFailed: switches&8 > 0}
		if names := histories.SortedKeys(hosts); switches&16 > 0 && len(names) > 0 {
			req.Prefer = names[0]
		}
		p := Make(req)
		if p.Action == "" || p.Reason == "" || len(p.Lines) == 0 {
			t.Fatalf("an empty plan: %+v", p)
		}
		if p.Action == rows.Force && (p.Survivor == "" || hosts[p.Survivor].Log == nil || slices.Contains(p.Steps[p.Survivor], "rejoin")) {
			t.Fatalf("forced on %q", p.Survivor)
		}
		if _, err := json.Marshal(p); err != nil {
			t.Fatal(err)
		}
	})
}
