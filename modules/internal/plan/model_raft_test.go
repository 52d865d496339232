package plan

import "slices"

// config is the membership that a process uses: etcd applies a change when it is committed.
func (h *modelHost) config() []member { return h.disk.members(h.commit) }

// reaches is true where both run, and the network connects them.
func (w *world) reaches(a, b *modelHost) bool {
	return a.running && b.running && a.disk != nil && b.disk != nil && a.group == b.group
}

// knows is true where b is a member for a. A member that has no entries yet listens to all.
func knows(a, b *modelHost) bool {
	return len(a.disk.log) == 0 || slices.ContainsFunc(a.config(), func(m member) bool { return m.id == b.disk.id })
}

// talk is true where raft messages between them are accepted. One that lags may not know the other yet; only a removed member is refused.
func (w *world) talk(a, b *modelHost) bool {
	removed := func(a, b *modelHost) bool { return a.disk.removed(b.disk.id, a.commit) }
	return a == b || w.reaches(a, b) && (knows(a, b) || knows(b, a)) && !removed(a, b) && !removed(b, a)
}

// peers are the members, by the process's own membership, that it reaches, itself included.
func (w *world) peers(h *modelHost) []*modelHost {
	return slices.DeleteFunc(slices.Clone(w.hosts), func(o *modelHost) bool { return !w.talk(h, o) || !knows(h, o) })
}

func majority(hosts []*modelHost, config []member) bool {
	n := 0
	for _, m := range config {
		if slices.ContainsFunc(hosts, func(h *modelHost) bool { return h.disk.id == m.id }) {
			n++
		}
	}
	return n > len(config)/2
}

// leaderOf is the leader that a process follows; nil where it has none.
func (w *world) leaderOf(h *modelHost) *modelHost {
	if !h.running || h.disk == nil {
		return nil
	}
	for _, l := range w.hosts {
		if l.running && l.leads && w.talk(l, h) && knows(l, h) {
			return l
		}
	}
	return nil
}

// settle runs elections and replication until nothing changes.
func (w *world) settle() {
	for range 40 {
		if !w.round() {
			return
		}
	}
	panic("the model's cluster does not come to rest")
}

func (w *world) round() (changed bool) {
	for _, h := range w.hosts {
		if h.leads && (!h.running || !majority(w.peers(h), h.config()) || w.outranked(h)) {
			h.leads, changed = false, true
		}
	}
	for _, i := range w.rand.Perm(len(w.hosts)) {
		if h := w.hosts[i]; h.running && w.leaderOf(h) == nil && w.elect(h) {
			changed = true
		}
	}
	for _, h := range w.hosts {
		if h.leads && w.replicate(h) {
			changed = true
		}
	}
	return changed
}

// outranked: two leaders meet, and the one with the older term steps down.
func (w *world) outranked(h *modelHost) bool {
	return slices.ContainsFunc(w.hosts, func(o *modelHost) bool {
		return o != h && o.leads && w.talk(o, h) && (o.term > h.term || o.term == h.term && o.disk.log.newerThan(h.disk.log))
	})
}

// elect makes a host leader if a majority, whose logs are not newer, votes for it. Its first entry is empty.
func (w *world) elect(h *modelHost) bool {
	if !knows(h, h) || len(h.disk.log) == 0 {
		return false
	}
	votes := slices.DeleteFunc(w.peers(h), func(o *modelHost) bool {
		l := w.leaderOf(o)
		return o.disk.log.newerThan(h.disk.log) || l != nil && l != h
	})
	if !majority(votes, h.config()) {
		return false
	}
	for _, o := range votes {
		h.term = max(h.term, o.term, o.disk.log.last().term)
	}
	h.term++
	h.leads, h.seed = true, w.newSeed()
	w.since[h.seed] = h.disk.suite
	if len(h.disk.log) == 1 { // a new cluster: the members' names and the version follow
		h.disk.log = h.disk.log.with(h.seed, h.term, newcomers)
	}
	h.disk.log = h.disk.log.with(h.seed, h.term, 1)
	return true
}

// replicate brings the followers to the leader's log, and commits what a majority holds.
func (w *world) replicate(l *modelHost) (changed bool) {
	for _, f := range w.peers(l) {
		if f == l || slices.Equal(f.disk.log, l.disk.log) && f.commit == l.commit {
			continue
		}
		changed = true
		w.follow(f, l)
	}
	return w.commit(l) || changed
}

// follow gives a follower the leader's log. etcd panics instead of dropping what it knows to be committed, and when it is told of a commit index
// beyond what it had acknowledged before its data was lost.
func (w *world) follow(f, l *modelHost) {
	common := f.disk.log.common(l.disk.log)
	if common < f.commit {
		f.running, f.broken = false, "panics"
		return
	}
	if common < l.compacted {
		f.disk.from, f.disk.commit = l.commit+1, max(f.disk.commit, l.commit)
	}
	f.disk.log, f.disk.changes, f.disk.founders = slices.Clone(l.disk.log), slices.Clone(l.disk.changes), l.disk.founders
	f.disk.emptyCluster, f.disk.suite, f.disk.byHand = l.disk.emptyCluster, l.disk.suite, l.disk.byHand
	f.term = l.term
	f.learn(w, max(f.commit, l.commit))
	f.ready = f.ready || knows(l, f)
}

// holding are the peers that have the leader's log up to an index.
func (w *world) holding(l *modelHost, index uint64) []*modelHost {
	return slices.DeleteFunc(w.peers(l), func(f *modelHost) bool { return f.disk.log.common(l.disk.log) < index })
}

// commit goes from one membership change to the next: behind it another majority counts.
func (w *world) commit(l *modelHost) (changed bool) {
	for l.commit < l.disk.log.last().last {
		next := l.disk.log.last().last
		for _, c := range l.disk.changes {
			if c.index > l.commit && c.index < next {
				next = c.index
			}
		}
		if !majority(w.holding(l, next), l.config()) {
			return changed
		}
		l.learn(w, next)
		l.ready, changed = true, true
		if l.disk.removed(l.disk.id, l.commit) {
			l.exit()
			return true
		}
	}
	for _, f := range w.holding(l, l.commit) {
		if f.commit < l.commit {
			f.learn(w, l.commit)
			changed = true
		}
		if f.disk.removed(f.disk.id, f.commit) {
			f.exit()
		}
	}
	for _, f := range w.hosts { // they learn of their own removal
		if f != l && f.running && w.reaches(l, f) && !knows(l, f) && l.disk.removed(f.disk.id, l.commit) && f.disk.log.common(l.disk.log) >= f.commit {
			f.exit()
			changed = true
		}
	}
	return changed
}

// learn: the process learns a higher commit index. The log's HardState on disk lags behind that, the database less so.
func (h *modelHost) learn(w *world, commit uint64) {
	h.commit = commit
	h.disk.commit += w.rand.Uint64N(max(commit, h.disk.commit) - h.disk.commit + 1)
	h.disk.applied = max(h.disk.applied, commit)
}

// exit: "permanently removed". At its next start it learns so again, from its own log or from others.
func (h *modelHost) exit() {
	h.disk.commit = h.commit
	h.running, h.leads, h.ready, h.flag = false, false, false, false
}
