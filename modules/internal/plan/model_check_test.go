package plan

import (
	"fmt"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/rows"
)

// violation is a property that does not hold, with the facts of the decision.
type violation struct {
	property string
	text     string
	lines    []string // the facts
	plan     Plan
	trace    []string
}

func (v *violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\nwhat happened: %s\n", v.property, v.text, strings.Join(v.trace, ", "))
	fmt.Fprintf(&b, "as a case of testdata:\n\n# %s: %s\n%s\n----\n%s\n", v.property, v.text, strings.Join(v.lines, "\n"), strings.Join(v.plan.Lines, "\n"))
	return b.String()
}

// inquiry follows one cluster from the night to its end.
type inquiry struct {
	w       *world
	o       operator
	given   bool // a consent to a loss was given
	actions map[string]int
}

// decisions is the limit for one night, hints included.
const decisions = 14

// follow decides, carries the plan out, follows the hints, and comes to an end. killed: the first run is killed after so many acts.
func (q *inquiry) follow(killed int) *violation {
	for range decisions {
		p, lines, words := q.decide()
		q.actions[p.Action]++
		q.w.note("%s %s", p.Action, codes(p))
		if v := q.check(p, lines); v != nil {
			return v
		}
		switch p.Action {
		case rows.Nothing:
			return q.again(p, lines)
		case rows.RestoreBackup:
			return nil
		case rows.Refuse:
			end, v := q.heed(p, lines)
			if end || v != nil {
				return v
			}
			continue
		}
		before := q.w.clone()
		ended, again := q.w.carryOut(p, words, killed)
		if ended != "" {
			q.w.note("the run ended: %s", ended)
		}
		if v := q.lost(before, p, lines); v != nil {
			return v
		}
		if again != nil && again.Action == rows.Refuse {
			if end, v := q.heed(*again, lines); end || v != nil {
				return v
			}
		}
		killed = -1
	}
	p, lines := q.w.ask(q.o)
	return q.fault("no end", fmt.Sprintf("after %d decisions it is still: %s %s", decisions, p.Action, codes(p)), p, lines)
}

func codes(p Plan) string {
	var all []string
	for _, r := range p.Refusals {
		all = append(all, r.Code)
	}
	if p.Survivor != "" {
		all = append(all, numbers([]string{p.Survivor}))
	}
	return strings.Join(all, " ")
}

func (q *inquiry) fault(property, text string, p Plan, lines []string) *violation {
	return &violation{property, text, lines, p, q.w.trace}
}

// check compares a plan with the truth before it is carried out.
func (q *inquiry) check(p Plan, lines []string) *violation {
	for _, r := range p.Refusals {
		if r.Code == "" || r.Hint == "" {
			return q.fault("hint", "a refusal without a hint: "+r.Msg, p, lines)
		}
	}
	if h := q.emptyTaken(p); h != nil {
		return q.fault("an empty cluster is taken for the real one", fmt.Sprintf("%s, and %d has the data", p.Action, h.n), p, lines)
	}
	if p.Action != rows.Force && p.Action != rows.FinishForce {
		return nil
	}
	leaders := q.w.leaders()
	for _, l := range leaders {
		alone := slices.ContainsFunc(leaders, func(o *modelHost) bool { return host(o.n) == p.Survivor }) // it was forced already
		if !alone && !q.hidden(l) && len(p.Plays["restart"]) == 0 && p.Survivor != host(l.n) && !q.given {
			return q.fault("forced beside a quorum", fmt.Sprintf("%s of %s, and %d leads", p.Action, numbers([]string{p.Survivor}), l.n), p, lines)
		}
	}
	if p.Action == rows.Force && !q.given && q.couldStart() {
		return q.fault("forced where a start would do", "a majority with data serves when it is started, and nothing is lost", p, lines)
	}
	return nil
}

// young is the highest revision of a cluster that wiped hosts may have formed.
const young = 50

// emptyTaken is a host that has the data, while the plan goes on with a cluster of wiped hosts, or removes the missing members from that.
func (q *inquiry) emptyTaken(p Plan) *modelHost {
	down := slices.ContainsFunc(p.Refusals, func(r rows.Refusal) bool { return r.Code == "member_down" })
	if q.given || q.o.lostHostsOff || p.Action == rows.RestoreBackup || p.Action == rows.Refuse && !down {
		return nil
	}
	goesOn := slices.ContainsFunc(q.w.hosts, func(h *modelHost) bool {
		return h.visible() && h.disk != nil && h.disk.emptyCluster && !h.disk.suite && h.disk.revision() <= young && (host(h.n) == p.Survivor || p.Survivor == "" && h.leads)
	})
	if !goesOn || len(q.w.leaders()) > 0 {
		return nil
	}
	for _, h := range q.w.hosts {
		if h.disk != nil && !h.disk.emptyCluster && !h.disk.damaged && !h.disk.bad && len(h.disk.log) > 0 && !h.left {
			return h
		}
	}
	return nil
}

// hidden is true for a leader that neither Ansible nor any host within reach asks, after it was forced by hand, or all of whose followers were left
// out of a restore. Only a person can know of it.
func (q *inquiry) hidden(l *modelHost) bool {
	out := true
	for _, h := range q.w.hosts {
		switch {
		case h == l && h.visible(), h != l && h.visible() && h.group == l.group && h.asks(l):
			return false
		case q.w.leaderOf(h) == l:
			out = out && h.left
		}
	}
	return out || len(l.config()) == 1
}

// couldStart tries to start all reachable members that nothing forbids to start.
func (q *inquiry) couldStart() bool {
	t := q.w.clone()
	for _, h := range t.hosts {
		if h.forcing != nil {
			return false
		}
		h.group = 0
		if !h.visible() || h.disk == nil || h.disk.emptyCluster || q.w.outlived(h) {
			t.powerOff(h)
		}
	}
	before := t.clone()
	for _, h := range t.hosts {
		h.fence = nil
		t.start(h)
	}
	return len(t.leaders()) > 0 && len(lostSince(before, t)) == 0
}

// outlived: a log within reach goes on where this one ends, and has removed its member. A majority of such may be started only by luck: nothing that
// is on the hosts says that no client was answered since.
func (w *world) outlived(h *modelHost) bool {
	return slices.ContainsFunc(w.hosts, func(o *modelHost) bool {
		if o.n == h.n || !o.visible() || o.disk == nil || o.disk.damaged || o.disk.bad {
			return false
		}
		end := h.disk.log.last().last
		return o.disk.log.last().last > end && h.disk.log.common(o.disk.log) == end && o.disk.removed(h.disk.id, o.knownCommitted())
	})
}

// goesOn is the leader that hosts within reach follow. Out of reach another cluster may serve, forced by hand; it is nobody's measure. Nil where none leads.
func (w *world) goesOn() *modelHost {
	leaders := w.leaders()
	followed := func(l *modelHost) bool {
		return slices.ContainsFunc(w.hosts, func(h *modelHost) bool { return h.visible() && w.leaderOf(h) == l })
	}
	if i := slices.IndexFunc(leaders, followed); i >= 0 {
		return leaders[i]
	}
	return nil
}

// lostSince are acknowledged entries that a reachable host could still have given, and that the cluster that serves now lacks.
func lostSince(before, after *world) (all []held) {
	l := after.goesOn()
	if l == nil {
		return nil
	}
	for _, h := range before.hosts {
		if !h.visible() || h.disk == nil || h.disk.damaged || h.disk.bad || h.disk.emptyCluster {
			continue
		}
		for _, s := range before.acked {
			own, some := h.disk.log.of(s)
			if !some {
				continue
			}
			if there, some := l.disk.log.of(s); some && there.last >= own.last {
				continue
			} else if some {
				own.first = there.last + 1
			}
			if before.overruled(h, own) {
				own.last = min(own.last, h.knownCommitted())
			}
			if own.first > own.last || stillThere(before, after, h, own) {
				continue
			}
			all = append(all, held{h.n, own})
		}
	}
	return all
}

// overruled: a member of the same list, which nobody has forced, holds a later leader's entries that were committed in place of these. By raft's rules
// they were never acknowledged then, and raft throws them away itself. Only disks that were put back break that, and no fact tells of those.
func (w *world) overruled(h *modelHost, s stretch) bool {
	forced := h.disk.byHand || h.disk.suite && (h.forcing == nil || w.since[s.seed])
	return !forced && slices.ContainsFunc(w.hosts, func(o *modelHost) bool {
		if o == h || !o.visible() || o.disk == nil || o.disk.damaged || o.disk.suite || o.disk.byHand || o.disk.emptyCluster {
			return false
		}
		apart, known := h.disk.log.common(o.disk.log)+1, max(o.knownCommitted(), w.ackedOn(o))
		listed := slices.ContainsFunc(o.disk.members(known), func(m member) bool { return m.id == h.disk.id })
		return listed && apart <= s.first && apart <= known && o.disk.log.termAt(apart) > s.term
	})
}

// ackedOn is the last entry on a host that a client got an answer for. Its commit index on disk lags behind that.
func (w *world) ackedOn(h *modelHost) (last uint64) {
	for _, s := range w.acked {
		if own, some := h.disk.log.of(s); some {
			last = max(last, own.last)
		}
	}
	return last
}

// knownCommitted: a forced start moves the commit index to the log's end, and its record tells where it was.
func (h *modelHost) knownCommitted() uint64 {
	if h.forcing != nil {
		return h.forcing.Commit
	}
	return h.disk.known()
}

// unreadSince are acknowledged entries on a reachable host whose log cannot be read, but is known to be newer than the forced one.
func unreadSince(before, after *world, p Plan) *held {
	l := after.goesOn()
	if p.Action != rows.Force || l == nil || len(before.leaders()) > 0 {
		return nil
	}
	old := before.hosts[l.n].disk
	for _, h := range before.hosts {
		if d := h.disk; h.visible() && d != nil && old != nil && (d.damaged || d.bad) && !d.emptyCluster && (d.log.upTo(d.readable()).newerThan(old.log) || d.knownRead() > old.log.last().last) {
			for _, s := range before.acked {
				there, _ := l.disk.log.of(s)
				if own, some := d.log.of(s); some && there.last < own.last {
					return &held{h.n, own}
				}
			}
		}
	}
	return nil
}

type held struct {
	host int
	stretch
}

// stillThere is true where the cluster that served before lacked the entries as well, and the data is still in place.
func stillThere(before, after *world, h *modelHost, s stretch) bool {
	now := after.hosts[h.n]
	if now.disk == nil {
		return false
	}
	if own, some := now.disk.log.of(s); !some || own != s {
		return false
	}
	return len(before.leaders()) > 0 || servedAlone(before.hosts[after.goesOn().n])
}

// servedAlone is true where a forced start has accepted writes, and was not finished: what it lacks had been given up before.
func servedAlone(h *modelHost) bool {
	return h.forcing != nil && h.forcing.Phase == facts.ForcingProven && h.forcing.Method != "log"
}

// goesBack finds old data that serves again after a cluster that this project had forced accepted writes, though a fence or an etcd.conf shows
// that.
func (q *inquiry) goesBack(before *world) (stretch, bool) {
	l := q.w.goesOn()
	if l == nil || q.given || l.disk.byHand || len(before.leaders()) > 0 {
		return stretch{}, false
	}
	for _, s := range before.acked {
		if own, _ := l.disk.log.of(s); !before.since[s.seed] || own == s {
			continue
		}
		for _, h := range before.hosts {
			if h.disk == nil || h.disk.damaged || !before.tells(h, l) {
				continue
			}
			if own, _ := h.disk.log.of(s); own == s {
				return s, true
			}
		}
	}
	return stretch{}, false
}

// tells is true where a reachable host was fenced for another, or was to join it, without the other member.
func (w *world) tells(gone, other *modelHost) bool {
	return slices.ContainsFunc(w.hosts, func(h *modelHost) bool {
		joined := (h.disk == nil || h.disk.damaged) && slices.Contains(h.existing, gone.n) && !slices.Contains(h.existing, other.n)
		return h.visible() && (joined || h.fence != nil && slices.Contains(strings.Split(h.fence.Survivor+","+h.fence.Earlier, ","), host(gone.n)))
	})
}

// lost checks that everything that is gone was agreed to, and was named.
func (q *inquiry) lost(before *world, p Plan, lines []string) *violation {
	if s, back := q.goesBack(before); back {
		return q.fault("superseded data goes on", fmt.Sprintf("writes at index %d to %d are on the host that was the survivor", s.first, s.last), p, lines)
	}
	if s := unreadSince(before, q.w, p); s != nil && !q.given {
		return q.fault("older than what cannot be read", fmt.Sprintf("%d acknowledged entries of %d, index %d to %d", s.entries(), s.host, s.first, s.last), p, lines)
	}
	lost := lostSince(before, q.w)
	if len(lost) == 0 {
		return nil
	}
	if !q.given {
		return q.fault("lost without consent", fmt.Sprintf("%d acknowledged entries that %d holds, index %d to %d", lost[0].entries(), lost[0].host, lost[0].first, lost[0].last), p, lines)
	}
	for _, s := range lost {
		if !named(before, p, lost, s) {
			return q.fault("given up is too little", fmt.Sprintf("%d acknowledged entries of %d, index %d to %d, are not among what is given up: %+v",
				s.entries(), s.host, s.first, s.last, p.Discarded), p, lines)
		}
	}
	return nil
}

// named is true where what is given up includes these entries, of one of the hosts that hold them.
func named(before *world, p Plan, lost []held, s held) bool {
	for _, g := range p.Discarded {
		holder := slices.ContainsFunc(lost, func(o held) bool {
			return host(o.host) == g.Host && o.seed == s.seed && o.first <= s.first && o.last >= s.last
		})
		ranged := g.First > 0 && (g.First > s.first || g.Last < s.last)
		if (holder || g.What == "superseded") && !ranged {
			return true
		}
	}
	return false
}

// again checks that a second run has nothing to do when all is well.
func (q *inquiry) again(p Plan, lines []string) *violation {
	for _, h := range q.w.hosts {
		if h.visible() && q.w.leaderOf(h) == nil && slices.ContainsFunc(p.Members, func(m histories.Member) bool { return m.Host == host(h.n) }) {
			return q.fault("nothing is not well", fmt.Sprintf("%d has no quorum", h.n), p, lines)
		}
	}
	if ended, _ := q.w.carryOut(p, q.o, -1); ended != "" {
		return q.fault("nothing fails", ended, p, lines)
	}
	q.o = operator{prefer: -1}
	p, lines = q.w.ask(q.o)
	for step, hosts := range p.Plays {
		if len(hosts) > 0 && step != rows.PlayVerify {
			return q.fault("second run", fmt.Sprintf("%s on %v", step, hosts), p, lines)
		}
	}
	if p.Action != rows.Nothing {
		return q.fault("second run", p.Action, p, lines)
	}
	return nil
}
