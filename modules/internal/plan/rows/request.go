package rows

import (
	"slices"

	"etcd-quorum-restore/modules/internal/plan/histories"
)

// Request is all that the decision depends on.
type Request struct {
	Run           string // one ID for a run of a playbook, for the records of its fences
	Hosts         map[string]histories.Host
	Earlier       map[string]histories.Host     // the same hosts some seconds before; may be empty
	Seen          map[string]histories.Position // where logs ended in an earlier look of this run
	Order         []string                      // the inventory's order; hosts that it lacks follow by name
	NewHosts      []string                      // members of new_etcd: looked at, but not yet part of the cluster
	Masters       []string
	Addresses     map[string][]string // other names and addresses of hosts, as the inventory has them: ansible_host, etcd_ip
	Resolved      map[string][]string // what the control node's resolver says of hosts without facts
	Prefer        string
	Unreadable    []string // hosts whose files could not be read in full when they were copied
	AcceptLoss    bool
	LostHostsYes  bool     // somebody says that all of them are off, without names
	LostHosts     []string // those that somebody says are off; a member without a host by its ID
	Rejoin        bool
	StartFailed   bool               // action start was carried out, and gave no quorum
	StartEnded    map[string]Trouble // hosts where etcd ended after that start
	ClientsBroken map[string]Trouble // masters and nodes whose files cannot be edited as they are
	FenceHosts    []string           // fence these hosts, instead of deciding on a restore
	Undo          bool               // undo a restore that ended before its forced start, instead of deciding on one
	RemoveHost    string             // remove this host, instead of deciding on a restore
	CAMoved       bool               // the CA's key was moved off RemoveHost
	RenewCA       bool               // renew_certificates.yml was asked for a new CA
	Decided       Decided
	Confirmed     Confirmed
	Inventory     []string
	Backup        string // what restore_backup.yml was told to put back; "" asks for a list
	Simulate      bool   // for check mode: plays that are not simulated are empty
}

// Trouble is what a module has returned where it failed.
type Trouble struct {
	Msg  string `json:"msg"`
	Hint string `json:"hint"`
}

// Why is both in one sentence.
func (t Trouble) Why() string {
	if t.Hint == "" {
		return t.Msg
	}
	return t.Msg + ". " + t.Hint
}

// Decided is what somebody has agreed to before this look.
type Decided struct {
	Action    string      `json:"action"` // "" where nothing was decided
	Survivor  string      `json:"survivor"`
	Discarded []Discarded `json:"discarded"` // what was to be given up
}

// Confirmed is what the operator has agreed to before the plan was made: any plan, or the one with an ID. With neither, the operator is asked.
type Confirmed struct {
	Any bool
	ID  string
}

// Asks is true where somebody has to agree to the plan.
func (c Confirmed) Asks() bool { return !c.Any && c.ID == "" }

// Input is the part of the request from which the histories are concluded.
func (r Request) Input() histories.Input {
	f := histories.Input{Hosts: r.Hosts, Earlier: r.Earlier, Seen: r.Seen, Order: r.Order, NewHosts: r.NewHosts, Addresses: r.Names(), Unreadable: r.Unreadable}
	if r.AcceptLoss {
		f.Chosen = r.Prefer
	}
	return f
}

// Names are all names of a host, apart from its inventory name.
func (r Request) Names() map[string][]string {
	all := map[string][]string{}
	for name := range r.Hosts {
		all[name] = slices.Concat(r.Addresses[name], r.Resolved[name])
	}
	return all
}
