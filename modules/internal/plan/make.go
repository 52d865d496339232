package plan

import (
	"etcd-quorum-restore/modules/internal/facts"
	"slices"
	"strings"
)

// Make decides.
func Make(req Request) Plan {
	v := look(req)
	d := decide(v)
	if found := v.gates(d); len(found) > 0 {
		blocked := refuse(found...)
		blocked.reason = "before anything is touched: " + found[0].Msg
		d = blocked
	}
	if changed := v.changedMeanwhile(d); changed != nil {
		d = changed
	}
	p := emptyPlan()
	p.Action, p.Code, p.Reason, p.Refusals = d.action, d.code, d.reason, append(p.Refusals, d.refusals...)
	p.Quorum = v.figures()
	p.ClusterID = v.clusterID
	p.Members = v.memberList()
	if d.survivor != nil {
		p.Survivor = d.survivor.name
		p.Candidates = append(names([]*node{d.survivor}), names(d.runners)...)
	}
	d.stepsOf(v, &p)
	p.StaysOut = append(p.StaysOut, d.out...)
	for _, m := range d.remove {
		p.Remove = append(p.Remove, v.memberOf(m))
	}
	p.Discarded = append(p.Discarded, v.discarded(d)...)
	if d.acts() || d.action == Nothing {
		p.Clients = v.clientsOf(d)
		p.InitialCluster = v.initialCluster(d)
	}
	p.CAHost = v.caHost()
	p.Rehearse = rehearses(d)
	if d.survivor != nil {
		p.NeedBytes = backupBytes(d.survivor, d)
	}
	for _, n := range v.nodes {
		p.Hosts[n.name] = v.hostPlan(n, d)
	}
	p.Undo = append(p.Undo, v.undo(d)...)
	p.Afterwards = append(p.Afterwards, v.afterwards(d)...)
	p.Findings = v.findings()
	p.Checkup = v.checkup(p.Findings)
	p.Speaker = v.speaker()
	p.Lines = v.lines(d, p)
	p.Restore = v.mayRestore()
	return p
}

func emptyPlan() Plan {
	return Plan{
		Candidates: []string{}, Refusals: []Refusal{}, Members: []Member{}, Hosts: map[string]HostPlan{}, Steps: map[string][]string{},
		Plays: map[string][]string{}, Remove: []Member{}, StaysOut: []string{}, Discarded: []Discarded{}, NotSimulated: map[string][]string{},
		Clients: Clients{Remove: []Client{}, Keep: []Client{}}, Undo: []string{}, Afterwards: []string{}, Lines: []string{},
	}
}

func (v *view) figures() Quorum {
	q := Quorum{Present: v.hasQuorum(), Members: len(v.members)}
	if len(v.members) == 0 {
		return q
	}
	q.Needed = v.needed()
	for i := range v.members {
		m := &v.members[i]
		if n := v.hostOf(m); n != nil && n.answered() {
			if n.up() && v.histories.real(n) {
				q.Running++
			}
		} else if v.seenBy(m) != nil {
			q.Running++
		}
	}
	return q
}

func (v *view) memberList() []Member {
	list := []Member{}
	for i := range v.members {
		list = append(list, v.memberOf(&v.members[i]))
	}
	return list
}

func (v *view) hostPlan(n *node, d *decision) HostPlan {
	h := HostPlan{PeerURLs: []string{}, ClientURLs: []string{}, Reachable: n.answered(), Data: string(n.data), Fate: v.fate(n, d)}
	if n.member != nil {
		h.Name, h.MemberID = n.member.Name, id(n.member.ID)
		h.PeerURLs, h.ClientURLs = unique(n.member.PeerURLs), unique(n.member.ClientURLs)
	}
	if n.answered() {
		if n.f.Config.Name != "" {
			h.Name = n.f.Config.Name
		}
		if len(n.f.Config.PeerURLs) > 0 {
			h.PeerURLs = unique(n.f.Config.PeerURLs)
		}
		if len(n.f.Config.ClientURLs) > 0 {
			h.ClientURLs = unique(n.f.Config.ClientURLs)
		}
	}
	return h
}

// initialCluster is ETCD_INITIAL_CLUSTER as it shall be in the end, in the inventory's order. Members that stay, but are not touched
// (down, and not to be joined now), are in it.
func (v *view) initialCluster(d *decision) string {
	var parts []string
	add := func(name string, urls []string) {
		for _, u := range urls {
			parts = append(parts, name+"="+u)
		}
	}
	for _, n := range v.nodes {
		h := v.hostPlan(n, d)
		switch {
		case slices.Contains(d.out, n.name):
		case d.staysMember(n), n.member != nil && !d.forces():
			add(h.Name, h.PeerURLs)
		}
	}
	for i := range v.members {
		m := &v.members[i]
		if v.hostOf(m) == nil && !slices.Contains(d.out, v.memberName(m)) {
			add(m.Name, m.PeerURLs)
		}
	}
	return strings.Join(parts, ",")
}

// forces: the membership starts anew from one member.
func (d *decision) forces() bool { return len(d.work[force])+len(d.work[finishForce]) > 0 }

func (v *view) caHost() string {
	for _, n := range v.nodes {
		if n.answered() && n.f.CAKey {
			return n.name
		}
	}
	return ""
}

func (v *view) memberOf(m *facts.ClusterMember) Member {
	out := Member{ID: id(m.ID), Name: m.Name, PeerURLs: unique(m.PeerURLs), ClientURLs: unique(m.ClientURLs)}
	if n := v.hostOf(m); n != nil {
		out.Host = n.name
	}
	return out
}
