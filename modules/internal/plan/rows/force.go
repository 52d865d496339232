package rows

import (
	"fmt"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// forceSurvivor matches without quorum and without a majority that has data: one member becomes the cluster, chosen by its log.
func forceSurvivor(v *View) *Decision {
	good := v.UsableHosts()
	if len(good) == 0 || len(v.Members) == 0 {
		return nil
	}
	chosen := good[0]
	if v.Req.Prefer != "" {
		n := v.Node(v.Req.Prefer)
		if r := cannotPrefer(v, n); r != nil {
			return refuse(*r)
		}
		chosen = n
	}
	refusals := append(losses(v, chosen, good), supersededRefusals(v, []*histories.Node{chosen}, acceptCommand(v, chosen))...)
	refusals = append(refusals, olderThanSeen(v, chosen, acceptCommand(v, chosen))...)
	if len(refusals) > 0 && !v.Req.AcceptLoss {
		return refuse(refusals...)
	}
	d := NewDecision(Force, forceReason(v, chosen, good))
	d.Survivor = chosen
	for _, n := range good {
		if n != chosen {
			d.Runners = append(d.Runners, n)
		}
	}
	if chosen.Facts.Live.Serves {
		d.give(StepSnapshot, chosen)
	}
	d.give(StepFenceSurvivor, chosen)
	d.give(StepStopCopy, chosen)
	d.give(StepForce, chosen)
	aroundForce(v, d)
	return d
}

func cannotPrefer(v *View, n *histories.Node) *Refusal {
	without := v.Req
	without.Prefer = ""
	hint := "without etcd_survivor the newest log is chosen: " + without.Again()
	switch {
	case n == nil:
		return &Refusal{Code: "prefer_unknown", Msg: fmt.Sprintf("etcd_survivor=%s is no host of etcd", v.Req.Prefer), Hint: hint}
	case n.Data != histories.Usable:
		return &Refusal{Code: "prefer_not_usable", Msg: fmt.Sprintf("etcd_survivor=%s cannot be the survivor, because its data is: %s", n.Name, n.Verdict()), Hint: hint}
	}
	return nil
}

// losses are the reasons why a forced start of this host needs consent: writes that it certainly lacks, and those where the facts do not tell.
func losses(v *View, chosen *histories.Node, good []*histories.Node) []Refusal {
	var all []Refusal
	add := func(code, format string, a ...any) {
		all = append(all, Refusal{Code: code, Msg: fmt.Sprintf(format, a...), Hint: "to accept it: " + acceptCommand(v, chosen)})
	}
	if good[0] != chosen && histories.Newer(good[0].Facts.Log, chosen.Facts.Log) {
		add("prefer_older", "the log of %s is older than that of %s: %s would be given up", chosen.Name, good[0].Name, behind(chosen, good[0]))
	}
	for _, n := range v.Nodes {
		switch {
		case n == chosen || !n.HasData() || n.Readable() && !v.Families.Real(n):
			// no loss, or another history, which other rows handle
		case n.Data == histories.TailConflict:
			add("log_conflict", "the logs of %s (%s) and %s (%s) conflict %s, after the last entry that is known to be committed; it is not known which entries were acknowledged",
				chosen.Name, position(chosen), n.Name, position(n), n.Why)
		case n.Data != histories.Usable && histories.KnownCommitted(n.Facts) > chosen.Facts.Log.LastIndex:
			add("survivor_older", "%s is certainly older than %s, whose data cannot be used (%s): index %d was committed there, the log of %s ends at %d",
				chosen.Name, n.Name, n.Verdict(), histories.KnownCommitted(n.Facts), chosen.Name, chosen.Facts.Log.LastIndex)
			if n.Data == histories.CopiedData {
				all[len(all)-1].Hint = useTheCopy(v, n) + "; " + all[len(all)-1].Hint
			}
		}
	}
	return all
}

// behind says how far a is behind b.
func behind(a, b *histories.Node) string {
	if b.Facts.Log.LastIndex > a.Facts.Log.LastIndex {
		return wording.Entries(b.Facts.Log.LastIndex - a.Facts.Log.LastIndex)
	}
	return fmt.Sprintf("what term %d added", b.Facts.Log.LastTerm)
}

func forceReason(v *View, chosen *histories.Node, good []*histories.Node) string {
	lead := fmt.Sprintf("no quorum: %d of %d members have usable data, ", len(good), len(v.Members))
	if able := len(startable(v, good)); len(good) >= v.Needed() && able < v.Needed() {
		lead += fmt.Sprintf("of which %d can start without force, ", able)
	}
	lead += fmt.Sprintf("%d are needed; ", v.Needed())
	switch {
	case len(good) == 1:
		return lead + chosen.Name + " is the only one"
	case v.Req.Prefer != "":
		return lead + chosen.Name + " was chosen by etcd_survivor"
	case histories.Newer(chosen.Facts.Log, good[1].Facts.Log):
		return lead + fmt.Sprintf("%s has the newest log (%s), ahead of %s (%s)", chosen.Name, position(chosen), good[1].Name, position(good[1]))
	}
	return lead + fmt.Sprintf("%s and %s have equal logs (%s)", chosen.Name, good[1].Name, position(chosen))
}
