package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"etcd-quorum-restore/modules/internal/confedit"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/hosturl"
)

const forceKey = "ETCD_FORCE_NEW_CLUSTER"

func readRequest(a args) (r confedit.Request, err error) {
	r.ExpectName, r.Cluster = a.ExpectName, a.Cluster != nil || a.Add != nil || a.Remove != nil
	if r.Settings, err = readSettings(a.Settings); err != nil {
		return r, err
	}
	if _, both := r.Settings[confedit.ClusterKey]; both && r.Cluster {
		return r, fault.New(fault.Invalid, "%s is in settings, and initial_cluster… is given too: use one of them", confedit.ClusterKey)
	}
	if a.Cluster != nil && len(a.Cluster) == 0 {
		return r, confedit.EmptyCluster("initial_cluster is an empty list")
	}
	if r.Exact, err = hosturl.ParseMemberArgument("initial_cluster", a.Cluster); err != nil {
		return r, err
	}
	if r.Add, err = hosturl.ParseMemberArgument("initial_cluster_add", a.Add); err != nil {
		return r, err
	}
	r.Remove, err = hosturl.ParseHosts("initial_cluster_remove", a.Remove)
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
	case key == confedit.ClusterKey && (value == nil || *value == ""):
		return confedit.EmptyCluster("settings empties it")
	case key == confedit.ClusterKey:
		_, err := hosturl.ParseMemberArgument("settings", []json.RawMessage{quoted(*value)})
		return err
	case key == confedit.StateKey && value != nil && *value != "new" && *value != "existing":
		return fault.New(fault.Invalid, "argument settings: %s is new or existing, not %q", key, *value)
	}
	return nil
}

func quoted(text string) json.RawMessage {
	raw, _ := json.Marshal(text) // a string always encodes
	return raw
}
