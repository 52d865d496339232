package plan

import (
	"fmt"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/rows"
)

// operator is what is typed: the switches of restore_quorum.yml.
type operator struct {
	lostHostsOff, acceptLoss bool
	prefer                   int // -1: none
}

// ask makes a look at all hosts and the decision about it, in the words of testdata.
func (w *world) ask(o operator, more ...string) (Plan, []string) {
	lines := append(w.lines(), more...)
	if o.acceptLoss {
		lines = append(lines, "accept")
	}
	if o.prefer >= 0 {
		lines = append(lines, fmt.Sprintf("prefer %d", o.prefer))
	}
	if o.lostHostsOff { // last: it names who is out of reach of the plan that the others lead to
		lines = append(lines, "consent")
	}
	return decideCase(lines), lines
}

func decideCase(lines []string) Plan {
	one := oneCase{c: &cluster{}}
	for _, l := range lines {
		if err := one.take(l); err != nil {
			panic(fmt.Sprintf("%s: %v", l, err))
		}
	}
	one.c.Run = "run"
	return Make(one.c.Request)
}

// flow carries out a plan's plays, in the order of restore_quorum.yml. left counts the acts until it is killed; below 0 it never is.
type flow struct {
	w     *world
	p     Plan
	o     operator
	run   string
	left  int
	ended string // why it stopped before its end
	again *Plan  // the plan that refused to go on during the run

	unreadable []string // lines about hosts whose files could not be read when they were copied
}

// act is one step that happens as a whole or not at all.
func (f *flow) act(what string, do func()) {
	switch {
	case f.ended != "":
	case f.left == 0:
		f.ended = "killed before: " + what
	default:
		f.left--
		do()
		f.w.settle()
	}
}

func (f *flow) fail(format string, a ...any) { f.ended = fmt.Sprintf(format, a...) }

func (w *world) carryOut(p Plan, o operator, left int) (ended string, again *Plan) {
	w.runs++
	f := &flow{w: w, p: p, o: o, run: fmt.Sprintf("r%d", w.runs), left: left}
	f.all()
	return f.ended, f.again
}

func (f *flow) all() {
	f.each(rows.StepFence, func(h *modelHost) { f.fence(h, facts.FenceRecovery, f.p.Survivor) })
	f.copyStopped()
	f.each(rows.StepRestart, f.restart)
	f.each(rows.StepFlags, func(h *modelHost) { f.act("flags", func() { h.flagFile = false; f.dropProven(h) }) })
	f.each(rows.StepUnfenceKeepData, f.unfence)
	f.each(rows.StepStartFirst, func(h *modelHost) { f.act("start_first", func() { f.w.start(h) }) })
	f.startTogether()
	f.each(rows.StepFenceSurvivor, func(h *modelHost) { f.fence(h, facts.FenceRecovery, host(h.n)) })
	f.each(rows.StepForce, f.force)
	f.each(rows.StepFinishForce, f.force)
	f.each(rows.StepJoinStarted, f.joinStarted)
	f.removeMembers()
	f.each(rows.StepLeave, func(h *modelHost) { f.fence(h, facts.FenceLeaving, f.p.Survivor) })
	f.each(rows.StepRejoin, func(h *modelHost) { f.stage(h) })
	f.each(rows.StepRejoin, f.join)
	f.each(rows.StepFinal, func(h *modelHost) { f.act("final", func() { h.existing = hostsOf(f.p.InitialCluster) }) })
	f.each(rows.StepOut, func(h *modelHost) { f.act("out", func() { h.left = true }) })
}

// copyStopped: where a copy cannot be read in full, the plan is made again without that host's data. All are fenced by then.
func (f *flow) copyStopped() {
	for range f.w.hosts {
		before := len(f.unreadable)
		f.each(rows.StepStopCopy, func(h *modelHost) {
			if h.disk != nil && h.disk.bad && f.ended == "" {
				f.unreadable = append(f.unreadable, fmt.Sprintf("unreadable %d", h.n))
			}
		})
		if len(f.unreadable) == before {
			return
		}
		if f.p.Action == rows.Force {
			f.each(rows.StepFenceSurvivor, func(h *modelHost) { f.fence(h, facts.FenceRecovery, host(h.n)) })
		}
		again, _ := f.w.ask(f.o, f.unreadable...)
		if again.Action == rows.Refuse {
			f.fail("a copy could not be read, and the plan is %s %s now", again.Action, codes(again))
			f.again = &again
			return
		}
		f.p = again
		f.each(rows.StepFence, func(h *modelHost) { f.fence(h, facts.FenceRecovery, f.p.Survivor) })
	}
}

func (f *flow) each(s rows.Step, do func(*modelHost)) {
	for _, h := range f.hosts(s) {
		do(h)
	}
}

func (f *flow) hosts(s rows.Step) (all []*modelHost) {
	for _, name := range f.p.Plays[string(s)] {
		for _, h := range f.w.hosts {
			if host(h.n) == name {
				all = append(all, h)
			}
		}
	}
	return all
}

func (f *flow) fence(h *modelHost, kind, survivor string) {
	if survivor == "" {
		survivor = facts.UnknownSurvivor
	}
	before := h.fenced
	f.act(fmt.Sprintf("fence %d", h.n), func() {
		again := h.fence != nil
		h.fence = fencedAgain(h.fence, facts.Fence{Kind: kind, Survivor: survivor, Run: f.run})
		h.fenced = nil
		if again {
			h.fenced = before // the member that was found first counts
		} else if h.disk != nil {
			id := h.disk.id
			h.fenced = &id
		}
		f.w.stop(h, false)
	})
}

// fencedAgain is the record as etcd_fence writes it: it keeps who else may have gone on.
func fencedAgain(old *facts.Fence, asked facts.Fence) *facts.Fence {
	if old == nil {
		return &asked
	}
	if asked.Survivor == facts.UnknownSurvivor {
		return old
	}
	asked.Earlier = old.Earlier
	same := old.Kind == facts.FenceRecovery && (old.Survivor == asked.Survivor || old.Run == asked.Run)
	if !same && asked.Kind == facts.FenceRecovery {
		asked.Earlier = strings.Trim(old.Earlier+","+old.Survivor, ",")
	}
	return &asked
}

func (f *flow) unfence(h *modelHost) {
	f.act(fmt.Sprintf("unfence %d", h.n), func() { h.fence = nil })
}

func (f *flow) restart(h *modelHost) {
	f.act(fmt.Sprintf("restart %d", h.n), func() {
		f.w.stop(h, false)
		f.w.start(h)
	})
}

// dropProven: members have joined since the forced start was proven, and only its record was not removed.
func (f *flow) dropProven(h *modelHost) {
	if h.forcing != nil && h.forcing.Phase == facts.ForcingProven {
		h.forcing = nil
	}
}

// startTogether ends in a quorum, or asks for the decision again, once, for a forced start.
func (f *flow) startTogether() {
	hosts := f.hosts(rows.StepStart)
	for _, h := range hosts {
		f.act(fmt.Sprintf("start %d", h.n), func() { f.w.start(h) })
	}
	if len(hosts) == 0 || f.ended != "" || slices.ContainsFunc(hosts, func(h *modelHost) bool { return f.w.leaderOf(h) != nil }) {
		return
	}
	again, _ := f.w.ask(f.o, append(slices.Clone(f.unreadable), "start_failed")...)
	if again.Action != rows.Force {
		f.fail("no quorum came of the start, and the plan is %s %s now", again.Action, codes(again))
		f.again = &again
		return
	}
	f.p = again
	f.each(rows.StepFence, func(h *modelHost) { f.fence(h, facts.FenceRecovery, f.p.Survivor) })
}

// force forces by the log: the record, the log in one frame, the start; the record is removed when it serves.
func (f *flow) force(h *modelHost) {
	f.act(fmt.Sprintf("stop %d", h.n), func() {
		f.w.stop(h, false)
		if h.disk == nil || h.disk.damaged {
			f.fail("nothing to force on %d", h.n)
		}
	})
	f.act(fmt.Sprintf("forcing.json on %d", h.n), func() {
		if h.forcing == nil {
			method := []string{"log", "log", "flag"}[f.w.rand.IntN(3)]
			h.forcing, h.forced = &facts.Forcing{Phase: facts.ForcingBegun, Method: method, Commit: h.disk.known()}, h.disk.id
		}
	})
	if h.forcing != nil && h.forcing.Method == "flag" {
		f.forceByFlag(h)
	} else {
		f.act(fmt.Sprintf("log of %d", h.n), func() {
			h.disk.forceByLog(f.w)
			h.disk.suite = true
			h.forcing.Phase = facts.ForcingProven
		})
		f.act(fmt.Sprintf("forced start of %d", h.n), func() { f.serveAlone(h) })
	}
	f.act(fmt.Sprintf("forcing.json off %d", h.n), func() { h.forcing, h.existing = nil, []int{h.n} })
}

// forceByFlag: the commit index is moved to the log's end first, and etcd writes the removals itself.
func (f *flow) forceByFlag(h *modelHost) {
	f.act(fmt.Sprintf("tail of %d kept", h.n), func() { h.disk.commit = h.disk.log.last().last })
	f.act(fmt.Sprintf("phase of %d", h.n), func() { h.forcing.Phase = facts.ForcingStart })
	f.act(fmt.Sprintf("start of %d with the flag", h.n), func() {
		h.disk.forceByLog(f.w)
		h.disk.suite = true
		f.serveAlone(h)
		h.flag = h.running
	})
	f.act(fmt.Sprintf("%d proven", h.n), func() { h.forcing.Phase = facts.ForcingProven })
	f.act(fmt.Sprintf("start of %d without the flag", h.n), func() {
		f.w.stop(h, false)
		f.serveAlone(h)
	})
}

func (f *flow) serveAlone(h *modelHost) {
	h.fence, h.flagFile, h.broken = nil, false, ""
	f.w.start(h)
	if !h.leads {
		f.fail("%d does not serve alone", h.n)
	}
}

// forceByLog commits the log to its end, and removes all others in it.
func (d *disk) forceByLog(w *world) {
	seed, term := w.newSeed(), d.log.last().term
	for _, m := range d.members(d.log.last().last) {
		if m.id != d.id {
			d.log = d.log.with(seed, term, 1)
			d.changes = append(d.changes, change{index: d.log.last().last, what: "remove", id: m.id, forced: true})
		}
	}
	d.commit = d.log.last().last
}

// removeMembers removes members without data, or without a host, from the list.
func (f *flow) removeMembers() {
	if len(f.hosts(rows.StepRemoveMember)) == 0 {
		return
	}
	for _, m := range f.p.Remove {
		f.act("remove "+m.ID.String(), func() { f.remove(m.ID) })
	}
}

func (f *flow) remove(id facts.ID) {
	l := f.server()
	if l == nil {
		f.fail("no quorum to remove %s", id)
		return
	}
	for _, m := range l.config() {
		if own, _, _ := parseMember(m.id.text()); own.ID == id && !f.w.change(l, "remove", m.id) {
			f.fail("%s could not be removed", id)
		}
	}
}

// server is a leader that the plan's endpoints reach.
func (f *flow) server() *modelHost {
	for _, h := range f.w.hosts {
		if l := f.w.leaderOf(h); l != nil && h.visible() && (f.p.Survivor == host(h.n) || f.p.Survivor == "") {
			return l
		}
	}
	return nil
}

// hostsOf are the hosts of an ETCD_INITIAL_CLUSTER.
func hostsOf(initialCluster string) (all []int) {
	for n := range 9 {
		if strings.Contains(initialCluster, peerURL(n)) {
			all = append(all, n)
		}
	}
	return all
}

// listed is the live list plus this host.
func (f *flow) listed(h *modelHost) []int {
	all := []int{h.n}
	if l := f.server(); l != nil {
		for _, m := range l.config() {
			all = append(all, m.id.host)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// stage sets the old data aside.
func (f *flow) stage(h *modelHost) {
	f.fence(h, facts.FenceJoining, f.p.Survivor)
	f.act(fmt.Sprintf("data of %d aside", h.n), func() { h.disk, h.broken, h.forcing = nil, "", nil })
}

func (f *flow) joinStarted(h *modelHost) {
	f.stage(h)
	f.act(fmt.Sprintf("start member on %d", h.n), func() {
		h.existing, h.fence = f.listed(h), nil
		if !f.w.start(h) || f.w.leaderOf(h) == nil {
			f.fail("the member on %d found no quorum", h.n)
		}
	})
}

func (f *flow) join(h *modelHost) {
	f.act(fmt.Sprintf("etcd.conf and unfence %d", h.n), func() { h.existing, h.fence = f.listed(h), nil })
	f.act(fmt.Sprintf("member add %d", h.n), func() {
		l := f.server()
		if l == nil {
			f.fail("no quorum to add %d", h.n)
			return
		}
		f.w.incarnations[h.n]++
		if !f.w.change(l, "add", ident{h.n, f.w.incarnations[h.n]}) {
			f.fail("%d could not be added", h.n)
		}
	})
	f.act(fmt.Sprintf("start %d", h.n), func() {
		if !f.w.start(h) || f.w.leaderOf(h) == nil {
			f.fail("%d did not join", h.n)
		}
	})
}
