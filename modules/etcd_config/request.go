package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/envfile"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/hosturl"
)

const (
	nameKey    = "ETCD_NAME"
	clusterKey = "ETCD_INITIAL_CLUSTER"
	stateKey   = "ETCD_INITIAL_CLUSTER_STATE"
	forceKey   = "ETCD_FORCE_NEW_CLUSTER"
)

// request is what the arguments ask for, before the file is looked at.
type request struct {
	settings   map[string]*string // nil removes the key
	exact, add []facts.Listed
	remove     []hosturl.Host
	cluster    bool // one of the three above was given
}

func readRequest(a args) (r request, err error) {
	r.cluster = a.Cluster != nil || a.Add != nil || a.Remove != nil
	if r.settings, err = readSettings(a.Settings); err != nil {
		return r, err
	}
	if _, both := r.settings[clusterKey]; both && r.cluster {
		return r, fault.New(fault.Invalid, "%s is in settings, and initial_cluster… is given too: use one of them", clusterKey)
	}
	if a.Cluster != nil && len(a.Cluster) == 0 {
		return r, emptyCluster("initial_cluster is an empty list")
	}
	if r.exact, err = hosturl.ParseMemberArgument("initial_cluster", a.Cluster); err != nil {
		return r, err
	}
	if r.add, err = hosturl.ParseMemberArgument("initial_cluster_add", a.Add); err != nil {
		return r, err
	}
	r.remove, err = hosturl.ParseHosts("initial_cluster_remove", a.Remove)
	return r, err
}

var settingForm = regexp.MustCompile(`^ETCD_[A-Z0-9_]+$`)

func readSettings(given map[string]any) (map[string]*string, error) {
	out := map[string]*string{}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if !settingForm.MatchString(key) {
			return nil, fault.New(fault.Invalid, "argument settings: %q is no key of etcd.conf: expected ETCD_… in capitals", key)
		}
		value, err := text(key, given[key])
		if err != nil {
			return nil, err
		}
		if err := allowed(key, value); err != nil {
			return nil, err
		}
		out[key] = value
	}
	return out, nil
}

func text(key string, value any) (*string, error) {
	var out string
	switch v := value.(type) {
	case nil:
		return nil, nil
	case string, json.Number, bool:
		out = fmt.Sprint(v)
	default:
		return nil, fault.New(fault.Invalid, "argument settings: %s: expected a text, a number, yes or no, or null to remove the key", key)
	}
	return &out, nil
}

// allowed refuses values that would break etcd, or its data, at the next start.
func allowed(key string, value *string) error {
	switch {
	case key == forceKey && value != nil:
		return fault.New(fault.Refused, "%s is never written to etcd.conf: left there, it drops all other members at every start of etcd. Nothing was changed", key).
			WithHint("the module etcd_force_new_cluster forces one start and takes the flag away again; settings: {%s: null} removes a leftover", key)
	case key == clusterKey && (value == nil || *value == ""):
		return emptyCluster("settings empties it")
	case key == clusterKey:
		_, err := hosturl.ParseMemberArgument("settings", []json.RawMessage{quoted(*value)})
		return err
	case key == stateKey && value != nil && *value != "new" && *value != "existing":
		return fault.New(fault.Invalid, "argument settings: %s is new or existing, not %q", key, *value)
	}
	return nil
}

func quoted(text string) json.RawMessage {
	raw, _ := json.Marshal(text) // a string always encodes
	return raw
}

func emptyCluster(why string) error {
	return fault.New(fault.Refused, "%s would name no member at all (%s); nothing was changed", clusterKey, why).WithHint("leave at least this host's own member")
}

// values are the keys to set and what to; unmatched names the hosts to remove that are not listed.
func (r request) values(file *envfile.File) (wanted map[string]*string, unmatched []string, err error) {
	wanted, unmatched = maps.Clone(r.settings), []string{}
	if r.cluster {
		list, missing, err := r.list(file)
		if err != nil {
			return nil, nil, err
		}
		wanted[clusterKey], unmatched = &list, missing
	}
	return wanted, unmatched, r.namesItself(file, wanted)
}

// list is ETCD_INITIAL_CLUSTER after the change. Where the members stay the same, the text stays as it is, with its blanks.
func (r request) list(file *envfile.File) (text string, unmatched []string, err error) {
	text, ok := file.Get(clusterKey)
	listed, err := hosturl.ParseMembers(text)
	switch {
	case r.exact != nil: // a missing or broken list is replaced as a whole
	case !ok || strings.TrimSpace(text) == "":
		return "", nil, fault.New(fault.Invalid, "expected %s=NAME=URL,NAME=URL, found %s", clusterKey, map[bool]string{true: "an empty value", false: "no such key"}[ok]).
			WithHint("give the whole list as initial_cluster")
	case err != nil:
		return "", nil, fault.Wrap(fault.Invalid, err, "line %d: %s", file.Line(clusterKey), clusterKey)
	}
	members, unmatched, err := r.members(listed)
	if err == nil && len(members) == 0 {
		err = emptyCluster("now " + text)
	}
	if slices.Equal(listed, members) {
		return text, unmatched, err
	}
	return facts.JoinInitialCluster(members), unmatched, err
}

func (r request) members(listed []facts.Listed) (after []facts.Listed, unmatched []string, err error) {
	if r.exact != nil {
		after, err = hosturl.ExactMembers(listed, r.exact)
		return after, []string{}, err
	}
	left, unmatched := hosturl.RemoveMembers(listed, r.remove)
	after, err = hosturl.AddMembers(left, r.add)
	return after, unmatched, err
}

// namesItself refuses a list without this host's own name: etcd would not join by it.
func (r request) namesItself(file *envfile.File, wanted map[string]*string) error {
	list, name := wanted[clusterKey], wanted[nameKey]
	if list == nil {
		return nil
	}
	if now, ok := file.Get(nameKey); ok && name == nil {
		name = &now
	}
	members, err := hosturl.ParseMembers(*list)
	if err != nil || name == nil {
		return err
	}
	if slices.ContainsFunc(members, func(m facts.Listed) bool { return m.Name == *name }) {
		return nil
	}
	return fault.New(fault.Refused, "%s would not name this host's own member, %s: %s; nothing was changed", clusterKey, *name, *list).
		WithHint("add %s=URL, or correct ETCD_NAME in the same call", *name)
}

func sortedKeys(m map[string]*string) []string { return slices.Sorted(maps.Keys(m)) }
