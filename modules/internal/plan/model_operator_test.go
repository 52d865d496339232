package plan

import (
	"fmt"
	"strings"
)

// heed does what a refusal asks for; where there are several ways it takes one. end: only somebody's consent, or nothing, is left.
func (q *inquiry) heed(p Plan, lines []string) (end bool, v *violation) {
	for _, r := range p.Refusals {
		do, known := cures[r.Code]
		if !known {
			return true, q.fault("hint", "the model knows no way on from "+r.Code+": "+r.Hint, p, lines)
		}
		given := q.o.acceptLoss
		if do(q, r.Msg) {
			return true, nil
		}
		if q.o.acceptLoss && !given && !strings.Contains(r.Hint, "etcd_accept_loss") {
			return true, q.fault("hint", "nothing says that a consent leads on from "+r.Code+": "+r.Hint, p, lines)
		}
	}
	q.w.settle()
	return false, nil
}

// cures, by the code of the refusal. One that returns true ends the night.
var cures = map[string]func(q *inquiry, msg string) bool{
	"no_host_answered":    bringBack,
	"etcd_lost_hosts_off": offOrBack,
	"network":             repair,
	"member_down":         startOrTakeOut,
	"forcing_in_pair":     leaveAndJoin,
	"which_host":          func(q *inquiry, _ string) bool { q.w.named = true; return false },
	"empty_cluster":       bringOrConsent,
	"no_usable_data":      bringOrEnd,
	"no_data":             bringOrEnd,
	"two_forcings":        consent,
	"forcing_elsewhere":   consent,
	"forcing_unreadable":  bringOrEnd,
	"forcing_not_usable":  consent,
	"superseded":          consent,
	"committed_elsewhere": consent,
	"survivor_older":      consent,
	"log_conflict":        consent,
	"prefer_older":        consent,
	"split_brain":         consentAndChoice,
	"two_histories":       consentAndChoice,
	"different_clusters":  consentAndChoice,
	"prefer_not_usable":   func(q *inquiry, _ string) bool { q.o.prefer = -1; return false },
}

// bringBack powers the others on, and makes them reachable.
func bringBack(q *inquiry, _ string) bool {
	for _, h := range q.w.hosts {
		if !h.visible() && !h.left {
			h.reachable = true
			q.w.powerOn(h)
		}
	}
	return false
}

// offOrBack: either they are brought back, or somebody makes sure that they are off, and says so.
func offOrBack(q *inquiry, msg string) bool {
	if q.w.rand.IntN(2) == 0 {
		return bringBack(q, msg)
	}
	for _, h := range q.w.hosts {
		if !h.visible() && !h.left {
			q.w.powerOff(h)
		}
	}
	q.o.lostHostsOff = true
	return false
}

func repair(q *inquiry, msg string) bool {
	well := true
	for _, h := range q.w.hosts {
		if h.left && h.running { // written into the inventory again, or powered off
			well, h.left = false, q.w.rand.IntN(2) == 0
			if h.left {
				q.w.powerOff(h)
			}
		}
		well = well && h.group == 0 && (h.visible() || h.left)
		h.group = 0
	}
	if well {
		return consentAndChoice(q, msg)
	}
	return bringBack(q, msg)
}

// startOrTakeOut: with quorum, a member that is down is started, brought back, or removed.
func startOrTakeOut(q *inquiry, msg string) bool {
	for _, h := range q.w.hosts {
		if h.visible() {
			q.w.start(h)
		}
	}
	if q.w.rand.IntN(2) == 0 {
		return bringBack(q, msg)
	}
	for _, h := range q.w.hosts {
		if h.left || !h.visible() && strings.Contains(msg, host(h.n)) {
			h.left = false
			q.remove(h)
		}
	}
	return false
}

// remove is remove_host.yml, and where it asks about the CA, once more with its answer.
func (q *inquiry) remove(h *modelHost) {
	for _, more := range [][]string{nil, {"ca_moved"}} {
		p, _ := q.w.ask(q.o, append(more, fmt.Sprintf("remove %d", h.n))...)
		q.w.note("remove %d: %s %s", h.n, p.Action, codes(p))
		if codes(p) != "ca_host" {
			q.w.carryOut(p, q.o, -1)
			return
		}
	}
}

// leaveAndJoin: of two members, the named one leaves, and joins anew in the next run.
func leaveAndJoin(q *inquiry, msg string) bool {
	for _, h := range q.w.hosts {
		if strings.Contains(msg, "begun on "+host(h.n)+" ") {
			q.remove(h)
		}
	}
	return false
}

// bringOrEnd: where all hosts are here, only a backup is left.
func bringOrEnd(q *inquiry, msg string) bool {
	for _, h := range q.w.hosts {
		if !h.visible() && !h.left {
			return bringBack(q, msg)
		}
	}
	return true
}

func bringOrConsent(q *inquiry, msg string) bool {
	if bringOrEnd(q, msg) {
		return consent(q, msg)
	}
	return false
}

// consent: somebody accepts the loss that was named.
func consent(q *inquiry, _ string) bool {
	if q.o.acceptLoss {
		return true
	}
	q.o.acceptLoss, q.given = true, true
	return false
}

func consentAndChoice(q *inquiry, msg string) bool {
	for _, i := range q.w.rand.Perm(len(q.w.hosts)) {
		if h := q.w.hosts[i]; h.visible() && h.disk != nil && !h.disk.damaged {
			q.o.prefer = i
		}
	}
	return consent(q, msg)
}
