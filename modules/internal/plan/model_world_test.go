package plan

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
)

// ident is a member: a host gets another one each time it is added again.
type ident struct{ host, incarnation int }

func (id ident) text() string {
	if id.incarnation == 0 {
		return fmt.Sprint(id.host)
	}
	return fmt.Sprintf("%d%c", id.host, 'a'+id.incarnation-1)
}

// member is an entry of a member list; one that was added and never started has no name.
type member struct {
	id      ident
	started bool
}

// change is a membership change, or the name that a member publishes at its first start.
type change struct {
	index  uint64
	what   string // add, remove, publish
	id     ident
	forced bool
}

// disk is a member's data directory.
type disk struct {
	id              ident
	log             wal
	from            uint64 // first index that is in the log itself; older entries came as a snapshot; 0: all are in it
	founders        int
	changes         []change
	commit, applied uint64 // of the HardState, which lags; of the database
	damaged         bool
	unread          uint64 // how many of the last entries cannot be read, where it is damaged
	bad             bool   // a bad sector, which shows when the files are copied
	suite           bool   // this project forced it, or it joined such a member
	byHand          bool   // the same, but forced by hand
	emptyCluster    bool   // it is of a cluster of wiped hosts
}

func (d *disk) clone() *disk {
	if d == nil {
		return nil
	}
	c := *d
	c.log, c.changes = slices.Clone(d.log), slices.Clone(d.changes)
	return &c
}

// cut drops the entries behind an index.
func (d *disk) cut(index uint64) {
	d.log = d.log.upTo(index)
	d.changes = slices.DeleteFunc(slices.Clone(d.changes), func(c change) bool { return c.index > index })
}

// members is the membership at an index.
func (d *disk) members(at uint64) []member {
	var list []member
	for i := range d.founders {
		list = append(list, member{ident{i, 0}, true})
	}
	for _, c := range d.changes {
		if c.index <= at {
			list = c.apply(list)
		}
	}
	return list
}

func (c change) apply(list []member) []member {
	switch c.what {
	case "add":
		return append(list, member{c.id, false})
	case "remove":
		return slices.DeleteFunc(list, func(m member) bool { return m.id == c.id })
	}
	for i := range list {
		if list[i].id == c.id {
			list[i].started = true
		}
	}
	return list
}

func (d *disk) removed(id ident, at uint64) bool {
	return slices.ContainsFunc(d.changes, func(c change) bool { return c.what == "remove" && c.id == id && c.index <= at })
}

// revision counts the writes: all entries except those of elections and membership changes.
func (d *disk) revision() uint64 {
	writes := d.log.last().last - min(d.log.last().last, bootstrap.last().last+newcomers)
	return 1 + writes - min(writes, uint64(len(d.log)-1+len(d.changes)))
}

// readable is the last entry that can be read; an empty log counts as another kind of damage.
func (d *disk) readable() uint64 {
	last := d.log.last().last
	if !d.damaged {
		return last
	}
	return max(last-min(d.unread, last), d.from, min(last, 10))
}

// known is the highest index that the files prove to be committed.
func (d *disk) known() uint64 { return max(d.commit, d.applied, max(d.from, 1)-1) }

// knownRead is the same, as far as the log can be read: what lies behind the damage tells nobody of a commit.
func (d *disk) knownRead() uint64 {
	return max(min(d.commit, d.readable()), d.applied, max(d.from, 1)-1)
}

// modelHost is a host with its etcd. Fields down to group are visible to a person on site; the others are the process's memory.
type modelHost struct {
	n             int
	on, reachable bool // on: powered; reachable: by Ansible
	left          bool // left the inventory
	group         int  // hosts of one group reach each other
	disk, earlier *disk
	broken        string // why etcd does not start, or ends at once
	existing      []int  // ETCD_INITIAL_CLUSTER, where STATE is existing; nil: as installed
	flagFile      bool
	fence         *facts.Fence
	fenced        *ident // whose data was fenced
	forcing       *facts.Forcing
	forced        ident // whose forced start was begun

	running, ready bool // ready: it has served clients since its start
	flag           bool
	leads          bool
	term, commit   uint64
	compacted      uint64 // it can send entries up to here only as a snapshot
	seed           string
}

// world is the truth, whether or not anybody can see it.
type world struct {
	rand     *rand.Rand
	hosts    []*modelHost
	acked    []stretch // writes that a client got an answer for
	seeds    int
	runs     int
	survivor int             // of the last restore
	named    bool            // the inventory has the hosts' addresses
	careless string          // the rule that is switched off, see model_careless_test.go
	since    map[string]bool // seeds of leaders that were elected after a forced start by this suite
	trace    []string

	incarnations []int // of each host
}

func (w *world) newSeed() string { w.seeds++; return fmt.Sprintf("s%d", w.seeds) }

func (w *world) note(format string, a ...any) { w.trace = append(w.trace, fmt.Sprintf(format, a...)) }

// newWorld is a healthy cluster of n with a thousand writes.
func newWorld(r *rand.Rand, n int) *world {
	w := &world{rand: r, incarnations: make([]int, n), since: map[string]bool{}}
	for i := range n {
		d := &disk{id: ident{i, 0}, founders: n, log: bootstrap, commit: 3, applied: 3}
		w.hosts = append(w.hosts, &modelHost{n: i, on: true, reachable: true, disk: d, running: true, commit: 3, term: 1})
	}
	w.settle()
	w.write(1000)
	return w
}

// clone shares nothing but the random source.
func (w *world) clone() *world {
	c := *w
	c.hosts, c.acked, c.trace, c.incarnations, c.since = nil, slices.Clone(w.acked), slices.Clone(w.trace), slices.Clone(w.incarnations), maps.Clone(w.since)
	for _, h := range w.hosts {
		o := *h
		o.disk, o.earlier = h.disk.clone(), h.earlier.clone()
		c.hosts = append(c.hosts, &o)
	}
	return &c
}

// leaders are those of the real cluster.
func (w *world) leaders() []*modelHost {
	return slices.DeleteFunc(slices.Clone(w.hosts), func(h *modelHost) bool { return !h.leads || h.disk.emptyCluster })
}

// write: clients get answers for n writes, from each cluster that serves. Those of an empty cluster do not count.
func (w *world) write(n uint64) {
	for _, l := range w.hosts {
		if !l.leads {
			continue
		}
		first := l.disk.log.last().last + 1
		l.disk.log = l.disk.log.with(l.seed, l.term, n)
		w.settle()
		if l.leads && l.commit >= first+n-1 && !l.disk.emptyCluster {
			w.acked = append(w.acked, stretch{l.seed, l.term, first, first + n - 1})
		}
	}
}

// change commits a membership change through a leader; false where that fails.
func (w *world) change(l *modelHost, what string, id ident) bool {
	l.disk.log = l.disk.log.with(l.seed, l.term, 1)
	index := l.disk.log.last().last
	l.disk.changes = append(l.disk.changes, change{index: index, what: what, id: id})
	w.settle()
	return l.commit >= index
}

// start starts etcd, as systemd would. It may end at once.
func (w *world) start(h *modelHost) bool {
	switch {
	case h.running:
		return true
	case !h.on || h.fence != nil || h.disk != nil && h.disk.damaged:
		return false
	case h.disk == nil && !w.begin(h):
		return false
	}
	h.running, h.ready, h.commit, h.broken = true, false, h.disk.commit, ""
	h.term = max(h.term, h.disk.log.last().term)
	if h.disk.removed(h.disk.id, h.commit) {
		h.exit()
		return false
	}
	w.settle()
	w.publish(h)
	return h.running
}

// begin gives a host without data its first data: as a member that was added, or, by the etcd.conf of the installation, as a founder.
func (w *world) begin(h *modelHost) bool {
	near := slices.DeleteFunc(slices.Clone(w.hosts), func(o *modelHost) bool { return o == h || !o.running || o.group != h.group })
	if h.existing != nil {
		for _, o := range near {
			for _, m := range o.config() {
				if m.id.host == h.n && !m.started {
					h.disk, h.broken, h.term, h.commit = &disk{id: m.id, founders: o.disk.founders}, "", 0, 0
					return true
				}
			}
		}
		return false
	}
	for _, o := range near {
		if o.disk.log.last().last > 3 {
			return false // "member has already been bootstrapped"
		}
	}
	h.disk, h.broken, h.term, h.commit = &disk{id: ident{h.n, 0}, founders: len(w.hosts), log: bootstrap, commit: 3, applied: 3, emptyCluster: true}, "", 1, 3
	h.compacted = 0
	return true
}

// publish: a member that starts for the first time publishes its name.
func (w *world) publish(h *modelHost) {
	l := w.leaderOf(h)
	if l == nil || !h.running {
		return
	}
	for _, m := range l.config() {
		if m.id == h.disk.id && !m.started {
			w.change(l, "publish", m.id)
		}
	}
}

// stop ends etcd. A member that serves writes its commit index when it is asked to end; killed, it leaves what has reached the disk.
func (w *world) stop(h *modelHost, killed bool) {
	if !h.running {
		return
	}
	switch {
	case !killed && h.ready:
		h.disk.commit, h.disk.applied = h.commit, h.commit
	case h.disk.applied > 20:
		h.disk.applied -= w.rand.Uint64N(20)
	}
	h.running, h.ready, h.leads, h.flag = false, false, false, false
	w.settle()
}
