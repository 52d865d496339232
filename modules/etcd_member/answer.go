package main

import (
	"fmt"
	"strings"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/etcd/membership"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/host"
)

type result struct {
	Member    *facts.ClusterMember  `json:"member"` // null where it is absent
	Members   []facts.ClusterMember `json:"members"`
	Before    []facts.ClusterMember `json:"before"`
	After     []facts.ClusterMember `json:"after"`
	Variables map[string]string     `json:"variables,omitempty"`
	Started   *host.Started         `json:"started,omitempty"`
	Probe     string                `json:"probe,omitempty"`
	Lines     []string              `json:"lines"`
}

func answer(want membership.Want, o membership.Outcome) ansible.Result {
	named := withName(o.After, want)
	out := result{Members: named, Before: o.Before, After: named, Lines: lines(want, o)}
	if m, ok := membership.Find(named, want); ok {
		out.Member = &m
		if want.Present {
			out.Variables = variables(m, named)
			out.Lines = append(out.Lines, printed(out.Variables)...)
		}
	}
	return ansible.Result{
		Changed: len(o.Steps) > 0,
		Data:    out,
		Diff:    []ansible.Diff{{Before: table(o.Before), After: table(named), BeforeHeader: "member list", AfterHeader: "member list"}},
	}
}

// withName gives the wanted name to the member's own entry: a v3 add has none until the member starts.
func withName(members []facts.ClusterMember, want membership.Want) []facts.ClusterMember {
	out := make([]facts.ClusterMember, len(members))
	copy(out, members)
	if self, ok := membership.Find(members, want); ok && self.Name == "" && want.Present {
		for i := range out {
			if out[i].ID == self.ID {
				out[i].Name = want.Name
			}
		}
	}
	etcd.SortMembers(out)
	return out
}

// variables are what `etcdctl member add` prints: a joining member's list must equal the live one.
func variables(m facts.ClusterMember, members []facts.ClusterMember) map[string]string {
	return map[string]string{
		"ETCD_NAME":                  m.Name,
		"ETCD_INITIAL_CLUSTER":       etcd.InitialCluster(members),
		"ETCD_INITIAL_CLUSTER_STATE": "existing",
	}
}

// printed are the lines of `etcdctl member add`, in its order.
func printed(variables map[string]string) []string {
	var out []string
	for _, key := range []string{"ETCD_NAME", "ETCD_INITIAL_CLUSTER", "ETCD_INITIAL_CLUSTER_STATE"} {
		out = append(out, fmt.Sprintf("%s=%q", key, variables[key]))
	}
	return out
}

func lines(want membership.Want, o membership.Outcome) []string {
	var out []string
	for _, s := range o.Steps {
		switch s.Kind {
		case membership.Add:
			m, _ := membership.Find(o.After, want)
			out = append(out, fmt.Sprintf("Member %s added to cluster %s", orNew(m.ID), o.ClusterID))
		case membership.Remove:
			out = append(out, fmt.Sprintf("Member %s removed from cluster %s", s.ID, o.ClusterID))
		case membership.Update:
			out = append(out, fmt.Sprintf("Member %s updated in cluster %s", s.ID, o.ClusterID))
		}
	}
	if len(out) == 0 {
		out = append(out, unchanged(want, o))
	}
	return out
}

func unchanged(want membership.Want, o membership.Outcome) string {
	m, ok := membership.Find(o.After, want)
	if !ok {
		return "it is no member; nothing was changed"
	}
	name := m.Name
	if name == "" {
		name = "not started yet"
	}
	return fmt.Sprintf("%s is already a member (id %s, name %s); nothing was changed", strings.Join(m.PeerURLs, ","), m.ID, name)
}

func orNew(id facts.ID) string {
	if id == 0 {
		return "(new)"
	}
	return id.String()
}

func table(members []facts.ClusterMember) string {
	var b strings.Builder
	for _, m := range members {
		fmt.Fprintf(&b, "%s  %s  %s\n", orNew(m.ID), m.Name, strings.Join(m.PeerURLs, ","))
	}
	return b.String()
}
