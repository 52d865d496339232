package confedit

import (
	"maps"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/envfile"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/hosturl"
)

// Request is what to edit, before the file is looked at.
type Request struct {
	ExpectName string             // ETCD_NAME that the file must have; "" for any
	Settings   map[string]*string // nil removes the key
	Cluster    bool               // ETCD_INITIAL_CLUSTER is edited by the three below
	Exact, Add []facts.Listed
	Remove     []hosturl.Host
}

// EmptyCluster refuses a list that would name nobody.
func EmptyCluster(why string) error {
	return fault.New(fault.Refused, "%s would name no member at all (%s); nothing was changed", ClusterKey, why).WithHint("leave at least this host's own member")
}

// values are the keys to set and what to; unmatched names the hosts to remove that are not listed.
func (r Request) values(file *envfile.File) (wanted map[string]*string, unmatched []string, err error) {
	wanted, unmatched = maps.Clone(r.Settings), []string{}
	if r.Cluster {
		list, missing, err := r.list(file)
		if err != nil {
			return nil, nil, err
		}
		wanted[ClusterKey], unmatched = &list, missing
	}
	return wanted, unmatched, namesItself(file, wanted)
}

// list is ETCD_INITIAL_CLUSTER after the change. Where the members stay the same, the text stays as it is, with its blanks.
func (r Request) list(file *envfile.File) (text string, unmatched []string, err error) {
	text, ok := file.Get(ClusterKey)
	listed, err := hosturl.ParseMembers(text)
	switch {
	case r.Exact != nil: // a missing or broken list is replaced as a whole
	case !ok || strings.TrimSpace(text) == "":
		return "", nil, fault.New(fault.Invalid, "expected %s=NAME=URL,NAME=URL, found %s", ClusterKey, map[bool]string{true: "an empty value", false: "no such key"}[ok]).
			WithHint("give the whole list as initial_cluster")
	case err != nil:
		return "", nil, fault.Wrap(fault.Invalid, err, "line %d: %s", file.Line(ClusterKey), ClusterKey)
	}
	members, unmatched, err := r.members(listed)
	if err == nil && len(members) == 0 {
		err = EmptyCluster("now " + text)
	}
	if slices.Equal(listed, members) {
		return text, unmatched, err
	}
	return facts.JoinInitialCluster(members), unmatched, err
}

func (r Request) members(listed []facts.Listed) (after []facts.Listed, unmatched []string, err error) {
	if r.Exact != nil {
		after, err = hosturl.ExactMembers(listed, r.Exact)
		return after, []string{}, err
	}
	left, unmatched := hosturl.RemoveMembers(listed, r.Remove)
	after, err = hosturl.AddMembers(left, r.Add)
	return after, unmatched, err
}

// namesItself refuses a list without this host's own name: etcd would not join by it.
func namesItself(file *envfile.File, wanted map[string]*string) error {
	list, name := wanted[ClusterKey], wanted[NameKey]
	if list == nil {
		return nil
	}
	if now, ok := file.Get(NameKey); ok && name == nil {
		name = &now
	}
	members, err := hosturl.ParseMembers(*list)
	if err != nil || name == nil {
		return err
	}
	if slices.ContainsFunc(members, func(m facts.Listed) bool { return m.Name == *name }) {
		return nil
	}
	return fault.New(fault.Refused, "%s would not name this host's own member, %s: %s; nothing was changed", ClusterKey, *name, *list).
		WithHint("add %s=URL, or correct ETCD_NAME in the same call", *name)
}
