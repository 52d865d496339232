package plan

import "fmt"

// startTogether: a majority has its data, so nothing need be forced and nothing can be lost.
func startTogether(v *view) *decision {
	good := v.usableHosts()
	if v.req.StartFailed || len(v.members) == 0 || len(good) < v.needed() {
		return nil
	}
	d := newDecision(Start, fmt.Sprintf("%d of %d members have usable data, %d are needed: they are started together, nothing is forced",
		len(good), len(v.members), v.needed()))
	d.survivor = good[0]
	for _, n := range good {
		d.give(start, n)
		if n.up() {
			continue // it stays up, and is only waited for
		}
		d.give(stopCopy, n)
		if n.fenced() {
			d.give(unfenceKeepData, n)
		}
	}
	if len(d.work[stopCopy]) == 0 {
		d.reason = fmt.Sprintf("%d of %d members run with usable data, %d are needed: they should elect a leader by themselves; nothing is forced",
			len(good), len(v.members), v.needed())
	}
	v.addOthersOfStart(d, good)
	v.addAlways(d)
	for _, n := range good {
		d.give(final, n)
	}
	return d
}

// addOthersOfStart: those without usable data are fenced before anything starts, and taken in anew afterwards.
func (v *view) addOthersOfStart(d *decision, good []*node) {
	blocked := len(v.goneStarted()) > 0
	for _, n := range v.nodes {
		if !n.answered() || !v.takesPart(n) || len(intersection(good, []*node{n})) == 1 {
			continue
		}
		d.give(fence, n)
		switch {
		case !v.req.Rejoin || blocked:
			d.waiting = append(d.waiting, n)
			continue
		case n.member != nil && v.started(n.member):
			d.remove = append(d.remove, n.member)
			d.give(removeMember, n)
		case n.member != nil:
			d.give(joinStarted, n)
			continue
		}
		d.give(rejoin, n)
	}
}
