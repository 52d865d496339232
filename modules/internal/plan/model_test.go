package plan

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// happening is an event and the host to which it happens.
type happening struct{ event, host int }

// nightPlan is everything that a night and its consequences depend on.
type nightPlan struct {
	seed     uint64
	hosts    int
	events   []happening
	careless string // the rule that is switched off
	killed   int    // the first run is killed before this act; below 0 it is not killed
}

// randomNight depends on the seed alone.
func randomNight(seed uint64) nightPlan {
	r := rand.New(rand.NewPCG(seed, 17))
	n := nightPlan{seed: seed, hosts: 1 + r.IntN(5), killed: -1}
	some := func(most int) {
		for range r.IntN(most + 1) {
			n.events = append(n.events, happening{r.IntN(len(events)), r.IntN(n.hosts)})
		}
	}
	some(8)
	if r.IntN(2) == 0 { // chance alone seldom leads to this: a restore that was killed, and then another event
		for _, name := range []string{"majority_lost", "restore_killed", "survivor_lost", "others_back"} {
			if r.IntN(5) > 0 {
				n.events = append(n.events, happening{eventNamed(name), r.IntN(n.hosts)})
			}
		}
		some(2)
	}
	if r.IntN(3) == 0 {
		n.killed = r.IntN(14)
	}
	if r.IntN(3) == 0 {
		name := []string{"bad_sector", "site_cut_off", "empty_cluster", "old_majority", "forced_beside", "stale_forced", "newest_damaged"}[r.IntN(7)]
		n.events = append(n.events, happening{eventNamed(name), r.IntN(n.hosts)})
		some(3)
	}
	return n
}

func eventNamed(name string) int {
	return slices.IndexFunc(events, func(e event) bool { return e.name == name })
}

// live runs the night, and everything that follows from it.
func (n nightPlan) live(actions map[string]int) *violation {
	w := newWorld(rand.New(rand.NewPCG(n.seed, 29)), n.hosts)
	w.careless = n.careless
	for _, h := range n.events {
		w.befall(h.event, h.host)
	}
	return (&inquiry{w: w, o: operator{prefer: -1}, actions: actions}).follow(n.killed)
}

// shrunk removes the events that the violation does not need.
func (n nightPlan) shrunk(found *violation) (nightPlan, *violation) {
	for i := 0; i < len(n.events); {
		less := n
		less.events = slices.Delete(slices.Clone(n.events), i, i+1)
		if v := less.live(map[string]int{}); v != nil && v.property == found.property {
			n, found = less, v
		} else {
			i++
		}
	}
	return n, found
}

// search runs nights, and reports violations, shrunk, until there are ten.
type search struct {
	t       *testing.T
	actions map[string]int
	found   int
}

func newSearch(t *testing.T) *search { return &search{t: t, actions: map[string]int{}} }

func (s *search) try(name string, n nightPlan) {
	v := n.live(s.actions)
	if v == nil {
		return
	}
	less, v := n.shrunk(v)
	s.t.Errorf("%s (%d hosts, the first run killed before act %d): %s", name, less.hosts, less.killed, v)
	if s.found++; s.found == 10 {
		s.t.FailNow()
	}
}

// end fails a search that has not seen each action: it has searched in the wrong place.
func (s *search) end(actions ...string) {
	s.t.Log(s.actions)
	for _, a := range actions {
		if s.actions[a] == 0 {
			s.t.Errorf("no night led to %s", a)
		}
	}
}

func (s *search) random(first, n uint64, mine func(uint64) bool) {
	s.t.Logf("nights %d to %d", first, first+n-1)
	for seed := first; seed < first+n; seed++ {
		if mine(seed) {
			s.try(fmt.Sprintf("night %d, again by MODEL_SEED=%d MODEL_N=1", seed, seed), randomNight(seed))
		}
	}
}

// TestModel runs nights that are always the same; or MODEL_N nights from MODEL_SEED on, of which MODEL_PART=i/n runs here. `make test-model`
// tries new ones: an untried night may find a fault, which must not block an unrelated change.
func TestModel(t *testing.T) {
	s := newSearch(t)
	if n := number(t, "MODEL_N", 0); n > 0 {
		s.random(number(t, "MODEL_SEED", 1), n, part(t))
		return
	}
	all := func(uint64) bool { return true }
	s.random(1, 150, all)
	s.end("nothing", "start", "force", "finish_join", "finish_force", "refuse")
}

// TestModelOfShortNights tries every sequence of MODEL_LENGTH events on three hosts.
func TestModelOfShortNights(t *testing.T) {
	s := newSearch(t)
	mine, count := part(t), uint64(0)
	everySequence(int(number(t, "MODEL_LENGTH", 1)), 3, func(sequence []happening) {
		for killed := -1; killed < 9; killed += 3 {
			if count++; mine(count) {
				s.try("a short night", nightPlan{seed: count, hosts: 3, events: slices.Clone(sequence), killed: killed})
			}
		}
	})
	s.end("nothing", "refuse")
}

func everySequence(length, hosts int, do func([]happening), before ...happening) {
	if length == 0 {
		do(before)
		return
	}
	for e := range events {
		for h := range hosts {
			everySequence(length-1, hosts, do, append(before[:len(before):len(before)], happening{e, h})...)
		}
	}
}

// ruleNames reads MODEL_RULE, rules separated by commas.
func ruleNames(t *testing.T) []string {
	t.Helper()
	return strings.FieldsFunc(os.Getenv("MODEL_RULE"), func(r rune) bool { return r == ',' })
}

func number(t *testing.T, name string, or uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return or
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// part reads MODEL_PART=i/n.
func part(t *testing.T) func(uint64) bool {
	t.Helper()
	i, n := uint64(1), uint64(1)
	if text := os.Getenv("MODEL_PART"); text != "" {
		if got, err := fmt.Sscanf(text, "%d/%d", &i, &n); got != 2 || err != nil || i < 1 || i > n {
			t.Fatalf("MODEL_PART: expected i/n such as 1/3, found %q", text)
		}
	}
	return func(seed uint64) bool { return seed%n == i-1 }
}
