// Package membership changes one entry of a cluster's member list to what is wanted. decide.go is pure; change.go does it.
package membership

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
)

// Want is the wanted state of one member.
type Want struct {
	Present  bool
	ID       facts.ID
	Name     string
	PeerURLs []string
	Replace  bool // another member of the same name or peer URL is removed first
	DataGone bool // the host has no data: its entry, if it ever started, is removed first
}

// Now is the cluster as it is.
type Now struct {
	Members []facts.ClusterMember
	Healthy map[facts.ID]bool // by member ID
}

// Kinds of a Step.
const (
	Add    = "add"
	Remove = "remove"
	Update = "update"
)

// Step is one change of the list.
type Step struct {
	Kind     string
	ID       facts.ID
	PeerURLs []string
}

// Decide returns the steps that are left, or why none may be taken.
func Decide(now Now, want Want) ([]Step, error) {
	if !want.Present {
		return decideAbsent(now, want)
	}
	if want.ID != 0 {
		return decideUpdate(now, want)
	}
	return decidePresent(now, want)
}

func decidePresent(now Now, want Want) ([]Step, error) {
	var conflicts []facts.ClusterMember
	for _, m := range now.Members {
		if facts.SameURLs(m.PeerURLs, want.PeerURLs) && (m.Name == "" || want.Name == "" || m.Name == want.Name) {
			return keepEntry(now, want, m)
		}
		if facts.ShareURL(m.PeerURLs, want.PeerURLs) || want.Name != "" && m.Name == want.Name {
			conflicts = append(conflicts, m)
		}
	}
	if len(conflicts) > 0 {
		return replace(now, want, conflicts)
	}
	for _, m := range now.Members {
		if m.Name == "" {
			return nil, fault.New(fault.Refused, "%s was added and never started; a second such member could take quorum away", describe(m)).
				WithHint("start etcd on that host, or remove the member: etcd_member state=absent id=%s", m.ID)
		}
	}
	return []Step{{Kind: Add, PeerURLs: want.PeerURLs}}, nil
}

// keepEntry decides on an entry that is already as wanted. A member that has started and then lost its data would panic at its start ("tocommit
// is out of range"), since the others count on what it has acknowledged. One that is healthy has its data, whatever the arguments say.
func keepEntry(now Now, want Want, m facts.ClusterMember) ([]Step, error) {
	if !want.DataGone || m.Name == "" || m.ID == 0 || now.Healthy[m.ID] { // without an ID it is an entry that check mode would add
		return nil, nil
	}
	if err := mayRemove(now, m); err != nil {
		return nil, err
	}
	return []Step{{Kind: Remove, ID: m.ID}}, nil // the next look decides on the add
}

func replace(now Now, want Want, conflicts []facts.ClusterMember) ([]Step, error) {
	if len(conflicts) > 1 {
		return nil, fault.New(fault.Refused, "%s and %s both share a name or a peer URL with %s", describe(conflicts[0]), describe(conflicts[1]), want.describe()).
			WithHint("remove the wrong one: etcd_member state=absent id=…")
	}
	old := conflicts[0]
	if !want.Replace {
		return nil, fault.New(fault.Refused, "expected %s, found %s; nothing was changed", want.describe(), describe(old)).
			WithHint("if the host got a new address, give id=%s with the new peer_urls; if its data is gone, give replace=yes, which removes the old entry first", old.ID)
	}
	if err := mayRemove(now, old); err != nil {
		return nil, err
	}
	return []Step{{Kind: Remove, ID: old.ID}}, nil // the next look decides on the add
}

func decideUpdate(now Now, want Want) ([]Step, error) {
	i := slices.IndexFunc(now.Members, func(m facts.ClusterMember) bool { return m.ID == want.ID })
	if i < 0 {
		return nil, fault.New(fault.Refused, "no member has the ID %s; the members are %s", want.ID, describeAll(now.Members))
	}
	m := now.Members[i]
	if want.Name != "" && m.Name != "" && m.Name != want.Name {
		return nil, fault.New(fault.Refused, "member %s is named %s, not %s; a member's name comes from its own ETCD_NAME", m.ID, m.Name, want.Name)
	}
	if facts.SameURLs(m.PeerURLs, want.PeerURLs) {
		return nil, nil
	}
	for _, other := range now.Members {
		if other.ID != m.ID && facts.ShareURL(other.PeerURLs, want.PeerURLs) {
			return nil, fault.New(fault.Refused, "%s is already a peer URL of %s", strings.Join(want.PeerURLs, ","), describe(other))
		}
	}
	return []Step{{Kind: Update, ID: m.ID, PeerURLs: want.PeerURLs}}, nil
}

func decideAbsent(now Now, want Want) ([]Step, error) {
	var found []facts.ClusterMember
	for _, m := range now.Members {
		if want.names(m) {
			found = append(found, m)
		}
	}
	switch {
	case len(found) == 0:
		return nil, nil
	case len(found) > 1:
		return nil, fault.New(fault.Refused, "%s and %s both match; nothing was removed", describe(found[0]), describe(found[1])).
			WithHint("give the ID of the member to remove")
	}
	if err := mayRemove(now, found[0]); err != nil {
		return nil, err
	}
	return []Step{{Kind: Remove, ID: found[0].ID}}, nil
}

// names tells whether m is meant: by ID if given, else by peer URL and name, which must then not contradict each other.
func (w Want) names(m facts.ClusterMember) bool {
	if w.ID != 0 {
		return m.ID == w.ID
	}
	if len(w.PeerURLs) > 0 {
		return facts.ShareURL(m.PeerURLs, w.PeerURLs)
	}
	return m.Name == w.Name
}

// errDoubt is a refusal that rests on what members answered just now: an election or a change under way can cause it for a moment.
var errDoubt = errors.New("nothing is changed in such a state")

// mayRemove refuses what cannot be taken back: the last member, and a removal after which too few of the others are healthy.
func mayRemove(now Now, m facts.ClusterMember) error {
	left := len(now.Members) - 1
	if left == 0 {
		return fault.New(fault.Refused, "%s is the last member; without it there is no cluster", describe(m)).
			WithHint("add another host first: ansible-playbook playbooks/add_hosts.yml")
	}
	healthy := 0
	for _, other := range now.Members {
		if other.ID != m.ID && now.Healthy[other.ID] {
			healthy++
		}
	}
	if needed := left/2 + 1; healthy < needed {
		return fault.Wrap(fault.Refused, errDoubt, "quorum would be lost: removing %s would leave %d healthy of %d members, and %d are needed", describe(m), healthy, left, needed).
			WithHint("bring the others back first: ansible etcd -m etcd_cluster_info")
	}
	return nil
}

// After is the list as it will be, for check mode. An added member has no ID yet.
func After(members []facts.ClusterMember, steps []Step, want Want) []facts.ClusterMember {
	out := slices.Clone(members)
	for _, s := range steps {
		i := slices.IndexFunc(out, func(m facts.ClusterMember) bool { return m.ID == s.ID && s.ID != 0 })
		switch s.Kind {
		case Add:
			out = append(out, facts.ClusterMember{Name: want.Name, PeerURLs: s.PeerURLs})
		case Remove:
			out = slices.Delete(out, i, i+1)
		case Update:
			out[i].PeerURLs = s.PeerURLs
		}
	}
	return out
}

func (w Want) describe() string {
	return strings.TrimSpace(fmt.Sprintf("a member %s with %s", w.Name, strings.Join(w.PeerURLs, ",")))
}

func describe(m facts.ClusterMember) string {
	name := m.Name
	if name == "" {
		name = "never started"
	}
	return fmt.Sprintf("member %s (%s, %s)", m.ID, name, strings.Join(m.PeerURLs, ","))
}

func describeAll(members []facts.ClusterMember) string {
	var out []string
	for _, m := range members {
		out = append(out, describe(m))
	}
	return strings.Join(out, ", ")
}
