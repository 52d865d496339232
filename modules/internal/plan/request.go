package plan

import (
	"encoding/json"
	"slices"
	"sort"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
)

// Host is what etcd_host_info registered for one host.
type Host = facts.Host

// Request is all that the decision depends on.
type Request struct {
	Hosts        map[string]Host
	Earlier      map[string]Host // the same hosts some seconds before; may be empty
	Order        []string        // the inventory's order; hosts that it lacks follow by name
	NewHosts     []string        // members of new_etcd: looked at, but not yet part of the cluster
	Masters      []string
	Addresses    map[string][]string // other names and addresses of hosts: ansible_host, etcd_ip
	Prefer       string
	Unreadable   []string // hosts whose files could not be read in full when they were copied
	AcceptLoss   bool
	LostHostsOff bool
	Rejoin       bool
	StartFailed  bool   // action start was carried out, and no quorum came of it
	RemoveHost   string // take this host out, instead of deciding on a restore
	CAMoved      bool   // the CA's key was moved off RemoveHost
	Decided      Decided
	Inventory    []string
}

// Decided is what somebody has agreed to before this look.
type Decided struct {
	Action   string `json:"action"` // "" where nothing was decided
	Survivor string `json:"survivor"`
}

// DecodeHosts reads the dictionary of registered facts. Keys that Ansible adds are ignored; a value of the wrong type is refused, since
// a fact that is left out could look like an empty host.
func DecodeHosts(argument string, raw map[string]any) (map[string]Host, error) {
	out := map[string]Host{}
	for _, name := range sortedKeys(raw) {
		if raw[name] == nil {
			return nil, fault.New(fault.Invalid, "%s: no facts of %s", argument, name).
				WithHint("give what etcd_host_info registered on it, or {unreachable: true}")
		}
		text, err := json.Marshal(raw[name])
		if err != nil {
			return nil, fault.New(fault.Invalid, "%s: the facts of %s cannot be read", argument, name)
		}
		var h Host
		if err := json.Unmarshal(text, &h); err != nil {
			return nil, fault.New(fault.Invalid, "%s: the facts of %s are not what etcd_host_info returns: %v", argument, name, err).
				WithHint("register the result of etcd_host_info as etcd_facts on each host and pass it on unchanged")
		}
		out[name] = h
	}
	return out, nil
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// ordered lists the hosts in the inventory's order.
func (r Request) ordered() []string {
	var out []string
	for _, name := range r.Order {
		if _, ok := r.Hosts[name]; ok && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, name := range sortedKeys(r.Hosts) {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
