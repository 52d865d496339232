package plan

import "fmt"

// forceSurvivor: no quorum, no majority with data. One member goes on alone, chosen by its log.
func forceSurvivor(v *view) *decision {
	good := v.usableHosts()
	if len(good) == 0 || len(v.members) == 0 {
		return nil
	}
	chosen := good[0]
	if v.req.Prefer != "" {
		n := v.node(v.req.Prefer)
		if r := v.cannotPrefer(n); r != nil {
			return refuse(*r)
		}
		chosen = n
	}
	if refusals := v.losses(chosen, good); len(refusals) > 0 && !v.req.AcceptLoss {
		return refuse(refusals...)
	}
	d := newDecision(Force, v.forceReason(chosen, good))
	d.survivor = chosen
	for _, n := range good {
		if n != chosen {
			d.runners = append(d.runners, n)
		}
	}
	if chosen.f.Live.Serves {
		d.give(snapshot, chosen)
	}
	d.give(fenceSurvivor, chosen)
	d.give(stopCopy, chosen)
	d.give(force, chosen)
	v.aroundForce(d)
	return d
}

func (v *view) cannotPrefer(n *node) *Refusal {
	hint := "leave etcd_survivor out: the newest log is chosen; check_quorum.yml shows the candidates"
	switch {
	case n == nil:
		return &Refusal{Code: "prefer_unknown", Msg: fmt.Sprintf("etcd_survivor=%s is no host of etcd", v.req.Prefer), Hint: hint}
	case n.data != usable:
		return &Refusal{Code: "prefer_not_usable", Msg: fmt.Sprintf("etcd_survivor=%s cannot be the survivor: its data is: %s", n.name, n.verdict()), Hint: hint}
	}
	return nil
}

func (n *node) verdict() string {
	if n.why == "" {
		return string(n.data)
	}
	return string(n.data) + " (" + n.why + ")"
}

// losses are the reasons why a forced start of this host needs consent: writes that it surely lacks, or that the facts leave open.
func (v *view) losses(chosen *node, good []*node) []Refusal {
	var all []Refusal
	add := func(code, format string, a ...any) {
		all = append(all, Refusal{Code: code, Msg: fmt.Sprintf(format, a...), Hint: "to accept it: " + v.acceptCommand(chosen)})
	}
	if good[0] != chosen && newer(good[0].f.Log, chosen.f.Log) {
		add("prefer_older", "etcd_survivor=%s is older than %s: %s would be given up", chosen.name, good[0].name, behind(chosen, good[0]))
	}
	for _, n := range v.nodes {
		switch {
		case n == chosen || !n.hasData() || n.readable() && !v.histories.real(n):
			// nothing, or another history, which is another matter
		case n.data == tailConflict:
			add("log_conflict", "the logs of %s (%s) and %s (%s) conflict %s, above all that is known to be committed: which entries were acknowledged cannot be told",
				chosen.name, position(chosen), n.name, position(n), n.why)
		case n.data != usable && known(n.f) > chosen.f.Log.LastIndex:
			add("survivor_older", "%s is certainly older than %s, whose data cannot be used (%s): index %d was committed there, the log of %s ends at %d",
				chosen.name, n.name, n.verdict(), known(n.f), chosen.name, chosen.f.Log.LastIndex)
		}
	}
	return all
}

func (v *view) acceptCommand(chosen *node) string {
	command := v.req.playbook("restore_quorum.yml") + " -e etcd_survivor=" + chosen.name + " -e etcd_accept_loss=yes"
	if v.req.LostHostsOff {
		command += " -e etcd_lost_hosts_off=yes"
	}
	return command
}

func position(n *node) string {
	return fmt.Sprintf("term %d, index %d", n.f.Log.LastTerm, n.f.Log.LastIndex)
}

// behind says how far a is behind b.
func behind(a, b *node) string {
	if b.f.Log.LastIndex > a.f.Log.LastIndex {
		return entries(b.f.Log.LastIndex - a.f.Log.LastIndex)
	}
	return fmt.Sprintf("what term %d added", b.f.Log.LastTerm)
}

func entries(n uint64) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

func (v *view) forceReason(chosen *node, good []*node) string {
	lead := fmt.Sprintf("no quorum: %d of %d members have usable data, %d are needed; ", len(good), len(v.members), v.needed())
	switch {
	case len(good) == 1:
		return lead + chosen.name + " is the only one"
	case v.req.Prefer != "":
		return lead + chosen.name + " was chosen by etcd_survivor"
	case newer(chosen.f.Log, good[1].f.Log):
		return lead + fmt.Sprintf("%s has the newest log (%s), ahead of %s (%s)", chosen.name, position(chosen), good[1].name, position(good[1]))
	}
	return lead + fmt.Sprintf("%s and %s have equal logs (%s)", chosen.name, good[1].name, position(chosen))
}
