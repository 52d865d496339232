package health

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
)

// lines uses the words that etcdctl prints, which operators and their scripts know; only the last line is our own, and it always agrees with
// `quorum`.
func lines(p Picture) []string {
	out := []string{}
	if p.API == V2 {
		out = append(out, v2Lines(p)...)
	} else {
		out = append(out, v3Lines(p)...)
	}
	return append(out, p.summary())
}

// v3Lines are those of `endpoint health` and `endpoint status`.
func v3Lines(p Picture) []string {
	out := []string{}
	for _, e := range p.Endpoints {
		switch {
		case e.Health:
			out = append(out, fmt.Sprintf("%s is healthy: successfully committed proposal: took = %v", e.Endpoint, duration(e.Took)))
		case e.Serves:
			out = append(out, fmt.Sprintf("%s is unhealthy: failed to commit proposal: %s", e.Endpoint, reason(e)))
		default:
			out = append(out, fmt.Sprintf("%s is unhealthy: failed to connect: %s", e.Endpoint, reason(e)))
		}
	}
	if !p.Quorum {
		out = append(out, "Error:  unhealthy cluster")
	}
	if p.serves() {
		out = append(out, "ENDPOINT, ID, VERSION, DB SIZE, IS LEADER, RAFT TERM, RAFT INDEX")
	}
	for _, e := range p.Endpoints {
		if e.Serves {
			out = append(out, fmt.Sprintf("%s, %s, %s, %s, %v, %d, %d", e.Endpoint, e.MemberID, e.Version, Size(e.DBSize), e.IsLeader, e.Term, e.Index))
		}
	}
	return out
}

func (p Picture) serves() bool {
	return slices.ContainsFunc(p.Endpoints, func(e Endpoint) bool { return e.Serves })
}

// v2Lines are those of `cluster-health`, one for each member.
func v2Lines(p Picture) []string {
	out := []string{}
	for _, m := range p.Members {
		out = append(out, v2Member(p, m))
	}
	switch {
	case !p.Quorum:
		return append(out, "cluster is unhealthy")
	case p.Healthy < len(p.Members):
		return append(out, "cluster is degraded")
	}
	return append(out, "cluster is healthy")
}

func v2Member(p Picture, m facts.ClusterMember) string {
	if len(m.ClientURLs) == 0 {
		return fmt.Sprintf("member %s is unreachable: no available published client urls", m.ID)
	}
	i := slices.IndexFunc(p.Endpoints, func(e Endpoint) bool { return memberOf(p, e) == m.ID.String() })
	switch {
	case i < 0 || !p.Endpoints[i].Serves:
		return fmt.Sprintf("member %s is unreachable: [%s] are all unreachable", m.ID, strings.Join(m.ClientURLs, " "))
	case p.Endpoints[i].Health:
		return fmt.Sprintf("member %s is healthy: got healthy result from %s", m.ID, p.Endpoints[i].Endpoint)
	}
	return fmt.Sprintf("member %s is unhealthy: got unhealthy result from %s", m.ID, p.Endpoints[i].Endpoint)
}

func (p Picture) summary() string {
	switch {
	case p.Quorum && p.Healthy >= p.Needed:
		return fmt.Sprintf("quorum present, %d of %d", p.Healthy, len(p.Members))
	case p.Quorum:
		return fmt.Sprintf("quorum present, though only %d of %d can be reached from here", p.Healthy, len(p.Members))
	case len(p.Members) == 0:
		return "no quorum: no member answers"
	}
	return fmt.Sprintf("no quorum: %d of %d members answer, %d are needed", p.serving(), len(p.Members), p.Needed)
}

func (p Picture) serving() int {
	n := 0
	for _, e := range p.Endpoints {
		if e.Serves && !p.foreign(e) {
			n++
		}
	}
	return n
}

// reason is the error without the endpoint: the line begins with that already.
func reason(e Endpoint) string { return strings.TrimPrefix(e.Error, e.Endpoint+": ") }

func duration(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// Size writes bytes as etcdctl does: powers of 1000, two digits below ten.
func Size(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n), 0
	for value >= 1000 && unit < 4 {
		value, unit = value/1000, unit+1
	}
	format := "%.0f %s"
	if value < 9.95 {
		format = "%.1f %s"
	}
	return fmt.Sprintf(format, value, []string{"B", "kB", "MB", "GB", "TB"}[unit])
}
