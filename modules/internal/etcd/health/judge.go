package health

import (
	"fmt"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
)

// behind is how many log entries a member may lag and still count as caught up: the others go on writing while it is asked.
const behind = 100

func judge(p Picture) Verdict {
	v := Verdict{Needed: len(p.Members)/2 + 1, Problems: []string{}}
	healthy := map[string]bool{}
	for _, e := range p.Endpoints {
		if !e.Health || p.foreign(e) {
			continue
		}
		v.Quorum = true
		healthy[memberOf(p, e)] = true
		if v.Leader == 0 {
			v.Leader = e.Leader
		}
	}
	v.Healthy = len(healthy)
	v.Problems = problems(p, healthy)
	v.Joined = v.Quorum && len(v.Problems) == 0
	p.Verdict = v
	v.Lines = lines(p)
	return v
}

// without judges again, with some members known to be down.
func (p Picture) without(down []string) Picture {
	if len(down) == 0 {
		return p
	}
	p.down = down
	p.Verdict = judge(p)
	return p
}

// expected is the number of members that should serve.
func (p Picture) expected() int {
	return len(p.Members) - len(slices.DeleteFunc(slices.Clone(p.Members), func(m facts.ClusterMember) bool {
		return !slices.Contains(p.down, m.ID.String()) || slices.ContainsFunc(p.Endpoints, func(e Endpoint) bool { return e.Serves && !p.foreign(e) && memberOf(p, e) == m.ID.String() })
	}))
}

// foreign is an endpoint of another cluster than the one the member list came from.
func (p Picture) foreign(e Endpoint) bool {
	return e.ClusterID != 0 && p.ClusterID != 0 && e.ClusterID != p.ClusterID
}

// memberOf is the ID of the member that an endpoint belongs to; the endpoint itself where the ID is not known.
func memberOf(p Picture, e Endpoint) string {
	if e.MemberID != 0 {
		return e.MemberID.String()
	}
	for _, m := range p.Members {
		if facts.HasURL(m.ClientURLs, e.Endpoint) {
			return m.ID.String()
		}
	}
	return e.Endpoint
}

func problems(p Picture, healthy map[string]bool) []string {
	out := []string{}
	say := func(format string, a ...any) { out = append(out, fmt.Sprintf(format, a...)) }
	if len(p.Members) == 0 {
		say("no member answers, so the member list is not known")
	}
	for _, m := range p.Members {
		switch {
		case m.Name == "":
			say("member %s (%s) was added and never started", m.ID, strings.Join(m.PeerURLs, ","))
		case healthy[m.ID.String()]:
		case !slices.Contains(p.down, m.ID.String()):
			say("member %s (%s) is not healthy", m.Name, m.ID)
		}
	}
	for _, e := range p.Endpoints {
		if p.foreign(e) {
			say("%s belongs to another cluster (%s, not %s)", e.Endpoint, e.ClusterID, p.ClusterID)
		}
		if e.members != nil && !sameIDs(e.members, p.Members) {
			say("%s knows other members than %s", e.Endpoint, p.MembersFrom)
		}
	}
	out = append(out, disagreements(p)...)
	for _, a := range p.Alarms {
		say("alarm %s is raised by member %s", a.Alarm, a.MemberID)
	}
	if p.alarmsError != nil {
		say("whether an alarm is raised is not known: %v", p.alarmsError)
	}
	return out
}

func sameIDs(a, b []facts.ClusterMember) bool {
	ids := func(list []facts.ClusterMember) []facts.ID {
		var out []facts.ID
		for _, m := range list {
			out = append(out, m.ID)
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(ids(a), ids(b))
}

// disagreements compares what the serving members say of leader, term and index.
func disagreements(p Picture) []string {
	var out []string
	var first *Endpoint
	most := uint64(0)
	for i, e := range p.Endpoints {
		if !e.Serves || p.foreign(e) {
			continue
		}
		most = max(most, e.Index)
		if first == nil {
			first = &p.Endpoints[i]
		} else if e.Leader != first.Leader || e.Term != first.Term {
			out = append(out, fmt.Sprintf("%s says leader %s in term %d, %s says leader %s in term %d",
				first.Endpoint, orNone(first.Leader), first.Term, e.Endpoint, orNone(e.Leader), e.Term))
		}
	}
	for _, e := range p.Endpoints {
		if e.Serves && !p.foreign(e) && e.Index+behind < most {
			out = append(out, fmt.Sprintf("%s is %d log entries behind", e.Endpoint, most-e.Index))
		}
	}
	return out
}

func orNone(id facts.ID) string {
	if id == 0 {
		return "none"
	}
	return id.String()
}

// Split is not "" where two healthy members know different members, or different clusters: both have a quorum of their own, for example after old
// members came back beside a survivor, since a forced start keeps the cluster's ID.
func (p Picture) Split() string {
	first := -1
	for i, e := range p.Endpoints {
		if !e.Health {
			continue
		}
		if first < 0 {
			first = i
			continue
		}
		if f := p.Endpoints[first]; e.ClusterID != f.ClusterID || !sameIDs(e.members, f.members) {
			return fmt.Sprintf("%s and %s both have a quorum and know different members", f.Endpoint, e.Endpoint)
		}
	}
	return ""
}
