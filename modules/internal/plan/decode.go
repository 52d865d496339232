package plan

import (
	"encoding/json"
	"strings"
	"unicode"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/rows"
)

// DecodeHosts reads the dictionary of registered facts. Keys that Ansible adds are ignored; a value of the wrong type is refused, since without
// that fact the host could look empty.
func DecodeHosts(argument string, raw map[string]any) (map[string]Host, error) {
	out := map[string]Host{}
	for _, name := range histories.SortedKeys(raw) {
		if !IsHostName(name) {
			return nil, fault.New(fault.Invalid, "%s: %q is no host's name in an inventory", argument, name).
				WithHint("the keys are inventory names, the values what etcd_host_info registered on each")
		}
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

// Actions are the possible actions of a plan.
var Actions = []string{rows.Nothing, rows.Start, rows.FinishJoin, rows.FinishForce, rows.Force, rows.RestoreBackup, rows.RemoveHost, rows.Fence, rows.Undo, rows.Refuse}

// IsHostName refuses "", which would mean "no host", and names with blanks or control characters, since the plan's commands contain the name.
// Ansible takes any word.
func IsHostName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
}
