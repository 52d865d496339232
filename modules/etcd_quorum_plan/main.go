// etcd_quorum_plan decides what to do about a cluster, from the facts of all its hosts. It runs on the control node and changes nothing on any
// host; it asks nobody but the control node's resolver.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/commands"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/plan"
	"etcd-quorum-restore/modules/internal/safefile"
)

//go:embed etcd_quorum_plan.yml
var documentation []byte

type args struct {
	Run           string                   `json:"run"`
	Hosts         map[string]any           `json:"hosts"`
	Earlier       map[string]any           `json:"earlier"`
	Seen          map[string]plan.Position `json:"seen"`
	Order         []string                 `json:"order"`
	NewHosts      []string                 `json:"new_hosts"`
	Masters       []string                 `json:"masters"`
	Addresses     map[string]any           `json:"addresses"`
	Resolve       bool                     `json:"resolve"`
	Resolved      map[string]any           `json:"resolved"`
	Prefer        string                   `json:"prefer"`
	Unreadable    []string                 `json:"unreadable"`
	AcceptLoss    bool                     `json:"accept_loss"`
	LostHostsOff  any                      `json:"lost_hosts_off"`
	Rejoin        bool                     `json:"rejoin"`
	StartFailed   bool                     `json:"start_failed"`
	StartEnded    map[string]plan.Trouble  `json:"start_ended"`
	ClientsBroken map[string]plan.Trouble  `json:"clients_broken"`
	FenceHosts    []string                 `json:"fence_hosts"`
	Undo          bool                     `json:"undo"`
	RemoveHost    string                   `json:"remove_host"`
	CAMoved       bool                     `json:"ca_moved"`
	RenewCA       bool                     `json:"renew_ca"`
	Decided       plan.Decided             `json:"decided"`
	Confirm       string                   `json:"confirm"`
	SaveDir       string                   `json:"save_dir"`
	Inventory     []string                 `json:"inventory"`
	Backup        string                   `json:"backup"`
	Simulate      bool                     `json:"simulate"`
}

func main() { ansible.Main(documentation, ansible.Rules{}, run) }

func run(ctx context.Context, call *ansible.Call, a args) (ansible.Result, error) {
	req, err := a.request()
	if err != nil {
		return ansible.Result{}, err
	}
	if a.Resolve {
		resolveMissing(ctx, &req, net.DefaultResolver.LookupHost)
	}
	p := plan.Make(req)
	if a.SaveDir != "" && p.Acts && !a.Simulate {
		file, err := save(a.SaveDir, p)
		if err != nil {
			call.Warn("the plan is not written as a file: %v; etcd_report_dir names another directory", err)
		} else {
			p.SavedAs(file)
		}
	}
	return ansible.Result{Msg: p.Reason, Data: p}, nil
}

func (a args) request() (plan.Request, error) {
	if len(a.Hosts) == 0 {
		return plan.Request{}, fault.New(fault.Invalid, "hosts is empty; expected the facts of every host of etcd").
			WithHint("the inventory's group [etcd] has no host, or etcd_group names another group")
	}
	hosts, err := plan.DecodeHosts("hosts", a.Hosts)
	if err != nil {
		return plan.Request{}, err
	}
	if err := a.check(); err != nil {
		return plan.Request{}, err
	}
	earlier, err := plan.DecodeHosts("earlier", a.Earlier)
	if err != nil {
		return plan.Request{}, err
	}
	confirmed, err := confirmed(a.Confirm)
	if err != nil {
		return plan.Request{}, err
	}
	off, err := lostHosts(a.LostHostsOff)
	if err != nil {
		return plan.Request{}, err
	}
	addresses, err := addressLists("addresses", a.Addresses)
	if err != nil {
		return plan.Request{}, err
	}
	resolved, err := addressLists("resolved", a.Resolved)
	return plan.Request{
		Run: cmp.Or(a.Run, newRun()), Hosts: hosts, Earlier: earlier, Seen: a.Seen, Order: a.Order, NewHosts: a.NewHosts, Masters: a.Masters, Addresses: addresses, Resolved: resolved,
		Prefer: a.Prefer, Unreadable: a.Unreadable, AcceptLoss: a.AcceptLoss, LostHostsYes: off.All, LostHosts: off.Names, Rejoin: a.Rejoin,
		StartFailed: a.StartFailed, StartEnded: a.StartEnded, ClientsBroken: a.ClientsBroken, Undo: a.Undo, RemoveHost: a.RemoveHost, FenceHosts: a.FenceHosts, CAMoved: a.CAMoved, RenewCA: a.RenewCA, Decided: a.Decided, Confirmed: confirmed, Inventory: a.Inventory,
		Backup: a.Backup, Simulate: a.Simulate,
	}, err
}

// check refuses what no playbook passes on, and what would be misread: a host with an empty name means "no host".
func (a args) check() error {
	for argument, names := range map[string][]string{
		"order": a.Order, "new_hosts": a.NewHosts, "masters": a.Masters, "unreadable": a.Unreadable, "fence_hosts": a.FenceHosts,
		"seen": slices.Collect(maps.Keys(a.Seen)), "addresses": slices.Collect(maps.Keys(a.Addresses)), "resolved": slices.Collect(maps.Keys(a.Resolved)),
		"start_ended": slices.Collect(maps.Keys(a.StartEnded)), "clients_broken": slices.Collect(maps.Keys(a.ClientsBroken)),
	} {
		if i := slices.IndexFunc(names, func(name string) bool { return !plan.IsHostName(name) }); i >= 0 {
			return fault.New(fault.Invalid, "%s: %.200q is no host's name in an inventory", argument, names[i])
		}
	}
	if !slices.Contains(plan.Actions, a.Decided.Action) && a.Decided.Action != "" {
		return fault.New(fault.Invalid, "decided: there is no action %.200q; expected one of %s", a.Decided.Action, strings.Join(plan.Actions, ", ")).
			WithHint("pass on what an earlier plan returned, unchanged")
	}
	return nil
}

// save writes the plan for people. The file is named by the plan's ID: the same plan writes the same file.
func save(dir string, p plan.Plan) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	file := filepath.Join(dir, "plan-"+p.ID+".txt")
	return file, safefile.Write(file, []byte(strings.Join(commands.Read(os.Getenv(commands.Variable)).CompleteAll(p.Lines), "\n")+"\n"), 0o600)
}

// A boolean as Ansible spells it.
var (
	noWords  = []string{"", "no", "false", "n", "off", "0", "f"}
	yesWords = []string{"yes", "true", "y", "on", "1", "t"}
)

// saidOff is what etcd_lost_hosts_off says is powered off: the hosts that are named. A plain yes names none, and the plan refuses it.
type saidOff struct {
	All   bool
	Names []string
}

func lostHosts(given any) (saidOff, error) {
	var names []string
	switch v := given.(type) {
	case nil:
	case []any:
		for _, each := range v {
			name, ok := each.(string)
			if !ok {
				return saidOff{}, noNames(each)
			}
			names = append(names, name)
		}
	default:
		text := fmt.Sprint(v)
		if word := strings.ToLower(strings.TrimSpace(text)); slices.Contains(noWords, word) || slices.Contains(yesWords, word) {
			return saidOff{All: slices.Contains(yesWords, word)}, nil
		}
		if _, ok := v.(string); !ok {
			return saidOff{}, noNames(v)
		}
		names = strings.Split(text, ",")
	}
	var out saidOff
	for _, name := range names {
		name = strings.TrimSpace(name)
		if !plan.IsHostName(name) {
			return saidOff{}, fault.New(fault.Invalid, "etcd_lost_hosts_off: %.200q is neither a host's name nor a member's ID; expected no, or names with commas between them", name)
		}
		out.Names = append(out.Names, name)
	}
	return out, nil
}

func noNames(given any) error {
	return fault.New(fault.Invalid, "etcd_lost_hosts_off: found %.200s; expected no, names with commas between them, or a list of names in quotes", fmt.Sprint(given))
}

// confirmed reads etcd_confirm: a boolean in any of its spellings, or the ID of a plan.
func confirmed(text string) (plan.Confirmed, error) {
	switch word := strings.ToLower(strings.TrimSpace(text)); {
	case slices.Contains(noWords, word):
		return plan.Confirmed{}, nil
	case slices.Contains(yesWords, word):
		return plan.Confirmed{Any: true}, nil
	case planID.MatchString(word):
		return plan.Confirmed{ID: word}, nil
	}
	return plan.Confirmed{}, fault.New(fault.Invalid, "etcd_confirm is %q; expected yes, no, or the ID of a plan (%d hexadecimal digits)", text, plan.IDLength).
		WithHint("check_quorum.yml prints the ID under the plan")
}

var planID = regexp.MustCompile(fmt.Sprintf("^[0-9a-f]{%d}$", plan.IDLength))

// newRun is an ID that no other run has. It does not depend on the clock.
func newRun() string {
	id := make([]byte, 8)
	rand.Read(id) // never fails
	return hex.EncodeToString(id)
}

// addressLists takes a name or a list of names for each host; a host without any has null or "".
func addressLists(argument string, raw map[string]any) (map[string][]string, error) {
	out := map[string][]string{}
	for host, value := range raw {
		out[host] = []string{}
		switch v := value.(type) {
		case nil:
		case string:
			out[host] = append(out[host], v)
		case []any:
			for _, each := range v {
				s, ok := each.(string)
				if !ok && each != nil { // a variable that is not set is null
					return nil, fault.New(fault.Invalid, "%s: expected names for %s, found %v", argument, host, each)
				}
				if ok {
					out[host] = append(out[host], s)
				}
			}
		default:
			return nil, fault.New(fault.Invalid, "%s: expected a name or a list of names for %s, got %v", argument, host, value)
		}
	}
	return out, nil
}
