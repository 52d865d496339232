package plan

import (
	"fmt"
	"slices"
	"strings"
)

// lines are what etcd_host_info would report of all hosts, as the lines of a case of testdata.
func (w *world) lines() []string {
	out := []string{fmt.Sprintf("lost %d", len(w.hosts))}
	add := func(format string, a ...any) { out = append(out, fmt.Sprintf(format, a...)) }
	for _, h := range w.hosts {
		switch {
		case h.left:
			add("left %d", h.n)
		case !h.visible():
			add("off %d", h.n)
		}
	}
	for _, h := range w.hosts {
		if h.visible() {
			w.dataLines(h, add)
		}
	}
	for _, h := range w.hosts {
		w.processLines(h, add)
	}
	for _, h := range w.hosts {
		if h.visible() {
			w.recordLines(h, add)
		}
		if w.named && !h.left {
			add("called %d 192.0.2.%d", h.n, 20+h.n)
		}
	}
	return out
}

func (h *modelHost) visible() bool { return h.on && h.reachable && !h.left }

type adder func(format string, a ...any)

func (w *world) dataLines(h *modelHost, add adder) {
	if h.existing != nil {
		add("existing %d %s", h.n, strings.Trim(fmt.Sprint(h.existing), "[]"))
	}
	d := h.disk
	if d == nil {
		add("wiped %d", h.n)
		return
	}
	if d.log.last().last <= 3 {
		add(map[bool]string{true: "bootstrap_log %d", false: "fact %d log {}"}[len(d.log) > 0], h.n)
		if d.damaged {
			add("damaged %d", h.n)
		}
		return
	}
	text := fmt.Sprintf("log %d", h.n)
	for i, s := range d.log.upTo(d.readable()) {
		if i > 0 {
			text += fmt.Sprintf(" %d:%d@%s", s.term, s.last, s.seed)
		}
	}
	if d.from > 0 {
		text += fmt.Sprintf(" from %d", d.from)
	}
	add("%s", text)
	commit := min(d.commit, d.readable())
	add("commit %d %d", h.n, commit)
	if d.applied != commit {
		add("applied %d %d", h.n, d.applied)
	}
	if d.damaged {
		add("damaged %d", h.n)
	}
	for _, c := range d.changes {
		if c.index > d.commit && c.index >= d.from && c.index <= d.readable() && c.what != "publish" {
			add("tail %d %d %s %s%s", h.n, c.index, c.what, c.id.text(), map[bool]string{true: " forced"}[c.forced])
		}
	}
}

// processLines includes hosts that Ansible does not reach: their peers see them.
func (w *world) processLines(h *modelHost, add adder) {
	at := uint64(0)
	if h.disk != nil {
		at = h.disk.known()
	}
	switch {
	case !h.running || !h.on:
	case !h.visible():
	case w.leaderOf(h) != nil:
		add("healthy %d", h.n)
		if l := w.leaderOf(h); l != h {
			add("led %d %s", h.n, l.disk.id.text())
		}
		at = h.commit
	case h.ready:
		add("running %d", h.n)
		at = h.commit
	default:
		add("hangs %d", h.n)
		at = h.commit
	}
	if h.visible() && h.disk != nil {
		if len(h.disk.log) > 0 {
			add("revision %d %d", h.disk.revision(), h.n)
			add("no_v2_keys %d", h.n)
		}
		if h.disk.id.incarnation > 0 {
			add("data %d %s", h.n, h.disk.id.text())
		}
		if list := h.disk.members(at); len(list) > 0 && !slices.Equal(list, founding(len(w.hosts))) {
			add("members %d%s", h.n, memberWords(list))
		}
	}
	if !h.running || h.disk == nil {
		return
	}
	for _, o := range w.hosts {
		switch {
		case o == h || !o.visible() || !o.asks(h):
		case o.group != h.group && h.visible():
			add("blind %d %d", o.n, h.n)
		case o.group == h.group:
			add("peer %d %d %s %d", o.n, h.n, h.disk.id.text(), len(h.config()))
		}
	}
}

// asks: a host asks the members that it knows of, and who is named in its etcd.conf, which is as installed until it is written by a join.
func (o *modelHost) asks(h *modelHost) bool {
	at := o.commit
	if !o.running && o.disk != nil {
		at = o.disk.known()
	}
	listed := o.disk != nil && slices.ContainsFunc(o.disk.members(at), func(m member) bool { return m.id.host == h.n })
	return listed || o.existing == nil || slices.Contains(o.existing, h.n)
}

func founding(n int) []member {
	return (&disk{founders: n}).members(0)
}

func memberWords(list []member) string {
	var b strings.Builder
	for _, m := range list {
		b.WriteString(" " + m.id.text())
		if !m.started {
			b.WriteString("?")
		}
	}
	return b.String()
}

func (w *world) recordLines(h *modelHost, add adder) {
	if h.fence != nil {
		gone := ""
		if h.disk == nil && h.fenced != nil {
			gone = " " + h.fenced.text()
		}
		add("record %d %s %s %s%s", h.n, h.fence.Kind, strings.TrimSuffix(strings.TrimPrefix(h.fence.Survivor, "etcd-"), ".example.com"), h.fence.Run, gone)
		if h.fence.Earlier != "" {
			add("fact %d fenced.earlier %q", h.n, h.fence.Earlier)
		}
	}
	if h.forcing != nil && !w.carelessFor("forcing.json") {
		add("begun %d %s %d %s%s", h.n, h.forcing.Phase, h.forcing.Commit, h.forced.text(), map[bool]string{true: " flag"}[h.forcing.Method == "flag"])
	}
	if h.flag && h.running {
		add("flag %d", h.n)
	} else if h.flagFile {
		add("flag_file %d", h.n)
	}
}
