package plan

// event is something that happens to a host, or through it to the cluster.
type event struct {
	name string
	do   func(w *world, h *modelHost)
}

// events are in the order in which they were added; a night is some of them, each on a random host.
var events = []event{
	{"write", func(w *world, h *modelHost) { w.write(1 + w.rand.Uint64N(30)) }},
	{"crash", func(w *world, h *modelHost) { w.stop(h, true) }},
	{"stop", func(w *world, h *modelHost) { w.stop(h, false) }},
	{"start", func(w *world, h *modelHost) { w.start(h) }},
	{"power_off", func(w *world, h *modelHost) { w.powerOff(h) }},
	{"power_cut", func(w *world, h *modelHost) { w.powerCut() }},
	{"write_amid_power_cut", func(w *world, h *modelHost) { w.tornWrite(h) }},
	{"power_on", func(w *world, h *modelHost) { w.powerOn(h) }},
	{"wipe", func(w *world, h *modelHost) { w.wipe(h) }},
	{"damage", func(w *world, h *modelHost) { w.damage(h) }},
	{"ssh_dead", func(w *world, h *modelHost) { h.reachable = false }},
	{"ssh_back", func(w *world, h *modelHost) { h.reachable = true }},
	{"cut_off", func(w *world, h *modelHost) { h.group = 1 + w.rand.IntN(2) }},
	{"network_back", func(w *world, h *modelHost) { w.heal() }},
	{"copy_disk", func(w *world, h *modelHost) { h.earlier = h.disk.clone() }},
	{"roll_back", func(w *world, h *modelHost) { w.rollBack(h) }},
	{"force_by_hand", func(w *world, h *modelHost) { w.forceByHand(h) }},
	{"restart", func(w *world, h *modelHost) { w.stop(h, false); w.start(h) }},
	{"restore_killed", func(w *world, h *modelHost) { w.restoreKilled() }},
	{"majority_lost", func(w *world, h *modelHost) { w.loseMajority(h) }},
	{"survivor_lost", func(w *world, h *modelHost) { w.loseSurvivor() }},
	{"others_back", func(w *world, h *modelHost) { w.othersBack() }},
	{"compact", func(w *world, h *modelHost) { w.compact() }},
	{"bad_sector", func(w *world, h *modelHost) { w.badSector(h) }},
	{"site_cut_off", func(w *world, h *modelHost) { w.cutOffSite(h) }},
	{"empty_cluster", func(w *world, h *modelHost) { w.emptyCluster(h) }},
	{"old_majority", func(w *world, h *modelHost) { w.oldMajority(h) }},
	{"stale_forced", func(w *world, h *modelHost) { w.staleForced(h) }},
	{"newest_damaged", func(w *world, h *modelHost) { w.newestDamaged(h) }},
	{"forced_beside", func(w *world, h *modelHost) { w.forceByHand(h); w.write(10); w.stop(h, false); w.start(h); w.write(10) }},
}

func (w *world) befall(e, host int) {
	w.note("%s %d", events[e].name, host)
	events[e].do(w, w.hosts[host])
	w.settle()
}

func (w *world) powerOff(h *modelHost) {
	w.stop(h, true)
	h.on = false
}

// powerCut ends all hosts at once: nobody commits anything in between.
func (w *world) powerCut() {
	for _, h := range w.hosts {
		h.group = -1 - h.n
	}
	for _, h := range w.hosts {
		w.powerOff(h)
	}
	for _, h := range w.hosts {
		h.group = 0
	}
}

// tornWrite: a leader and some followers have an entry when the power is cut. If they are a majority, a client may have got an answer.
func (w *world) tornWrite(h *modelHost) {
	l := w.leaderOf(h)
	if l == nil {
		return
	}
	first := l.disk.log.last().last + 1
	written := l.disk.log.with(l.seed, l.term, 1+w.rand.Uint64N(10))
	holders := []*modelHost{l}
	for _, f := range w.peers(l) {
		if f != l && w.rand.IntN(2) == 0 {
			holders = append(holders, f)
		}
	}
	for _, f := range holders {
		f.disk.log = written
	}
	if majority(holders, l.config()) && w.rand.IntN(2) == 0 {
		l.learn(w, written.last().last)
		if !l.disk.emptyCluster {
			w.acked = append(w.acked, stretch{l.seed, l.term, first, written.last().last})
		}
	}
	w.powerCut()
}

// powerOn starts what starts at boot.
func (w *world) powerOn(h *modelHost) {
	h.on = true
	w.start(h)
}

func (w *world) wipe(h *modelHost) {
	w.stop(h, true)
	h.disk, h.broken = nil, ""
}

// damage is a bad sector or a flipped bit in the log, which shows only when it is read.
func (w *world) damage(h *modelHost) {
	if h.disk != nil {
		w.stop(h, true)
		h.disk.damaged, h.disk.unread = true, w.rand.Uint64N(60)
	}
}

func (w *world) badSector(h *modelHost) {
	if h.disk != nil {
		h.disk.bad = true
	}
}

// cutOffSite puts a majority, from h on, out of everybody's reach; it goes on serving.
func (w *world) cutOffSite(h *modelHost) {
	for i := range len(w.hosts)/2 + 1 {
		gone := w.hosts[(h.n+i)%len(w.hosts)]
		gone.reachable, gone.group = false, 3
	}
	w.settle()
	w.write(5)
}

// emptyCluster: h, which is off, has the data; the others were wiped, and start as installed.
func (w *world) emptyCluster(h *modelHost) {
	w.powerOff(h)
	for _, o := range w.hosts {
		if o != h {
			w.wipe(o)
			o.existing, o.fence, o.fenced, o.forcing = nil, nil, nil, nil
		}
	}
	for _, o := range w.hosts {
		if o != h && o.on {
			w.start(o)
		}
	}
	w.write(2)
}

// oldMajority restores the others from a copy that is older than the last writes; they serve without h.
func (w *world) oldMajority(h *modelHost) {
	copies := w.clone()
	w.write(5)
	w.powerOff(h)
	for _, o := range w.hosts {
		if o != h && o.disk != nil && copies.hosts[o.n].disk != nil {
			w.stop(o, true)
			o.disk, o.broken = copies.hosts[o.n].disk, ""
		}
	}
	for _, o := range w.hosts {
		if o != h {
			w.start(o)
		}
	}
	w.write(3)
	if w.rand.IntN(2) == 0 {
		w.leaveTwo(h)
	}
}

// leaveTwo leaves h and one more on, the others off.
func (w *world) leaveTwo(h *modelHost) {
	for _, o := range w.hosts {
		if o != h && o.n != (h.n+1)%len(w.hosts) {
			w.powerOff(o)
		}
	}
	w.powerOn(h)
}

// staleForced: a leader that is cut off has entries that nobody else got, and the others go on. Then only that leader is left, and this project,
// which is to force it, is killed. One of the others comes back.
func (w *world) staleForced(h *modelHost) {
	l := w.leaderOf(h)
	if l == nil {
		return
	}
	l.disk.log = l.disk.log.with(l.seed, l.term, 5)
	l.group = 7
	w.settle()
	w.write(5)
	w.powerCut()
	w.powerOn(l)
	w.restoreKilled()
	w.powerOn(w.hosts[(l.n+1)%len(w.hosts)])
}

// newestDamaged leaves two hosts: one lacks the last writes, and the log of the other is damaged.
func (w *world) newestDamaged(h *modelHost) {
	behind := w.hosts[(h.n+1)%len(w.hosts)]
	w.powerOff(behind)
	w.write(20)
	if w.rand.IntN(2) == 0 {
		w.damage(h)
	} else {
		w.badSector(h)
	}
	w.leaveTwo(h)
	w.powerOn(behind)
}

func (w *world) heal() {
	for _, h := range w.hosts {
		h.group = 0
	}
}

// rollBack restores an earlier copy of the disk, as when a virtual machine is restored.
func (w *world) rollBack(h *modelHost) {
	if h.earlier == nil {
		return
	}
	w.stop(h, true)
	h.disk, h.broken = h.earlier.clone(), ""
}

// forceByHand is the chapter's forced start exactly: the entries beyond the commit index on disk are thrown away, and the flag stays on.
func (w *world) forceByHand(h *modelHost) {
	if !h.on || h.disk == nil || h.disk.damaged || h.fence != nil {
		return
	}
	w.stop(h, false)
	h.disk.cut(max(h.disk.commit, h.disk.from))
	h.disk.applied = min(h.disk.applied, h.disk.log.last().last)
	h.disk.forceByLog(w)
	h.disk.byHand = true
	h.broken = ""
	w.start(h)
	h.flag = h.running
}

// restoreKilled is this project's own run, killed before one of its acts; nobody consents to a loss.
func (w *world) restoreKilled() {
	o := operator{prefer: -1, lostHostsOff: w.allGoneAreOff()}
	p, _ := w.ask(o)
	ended, _ := w.carryOut(p, o, w.rand.IntN(14))
	for _, h := range w.hosts {
		if host(h.n) == p.Survivor {
			w.survivor = h.n
		}
	}
	w.note("%s %s: %s", p.Action, codes(p), ended)
}

// loseMajority leaves too few: the others go off, or lose their disks.
func (w *world) loseMajority(h *modelHost) {
	for i := range len(w.hosts)/2 + 1 {
		if lost := w.hosts[(h.n+i)%len(w.hosts)]; w.rand.IntN(3) == 0 {
			w.wipe(lost)
		} else {
			w.powerOff(lost)
		}
	}
}

// othersBack gives power to all but the last restore's survivor, and makes their ssh work.
func (w *world) othersBack() {
	for _, h := range w.hosts {
		if h.n != w.survivor {
			h.reachable = true
			w.powerOn(h)
		}
	}
}

// loseSurvivor: the last restore's survivor serves for a while, and then it is gone.
func (w *world) loseSurvivor() {
	w.write(1 + w.rand.Uint64N(20))
	w.powerOff(w.hosts[w.survivor])
}

func (w *world) allGoneAreOff() bool {
	for _, h := range w.hosts {
		if !h.visible() && h.running {
			return false
		}
	}
	return true
}

// compact: a snapshot was made, and the log before it can no longer be sent to anybody.
func (w *world) compact() {
	for _, h := range w.hosts {
		if h.running && h.disk != nil {
			h.compacted = h.commit
		}
	}
}
