package main

import "fmt"

// state is one state of three hosts, master-0 to master-2, and how it must end. It starts from a healthy cluster whose members hold the same
// writes; the writer stands still meanwhile, so it is known exactly what may be missing in the end.
type state struct {
	Name    string // also of its log
	Short   bool   // part of `make test`
	Trouble []step
	Skip    string // why this cannot be made here
	Pods    bool   // a kubelet runs etcd

	// Control is what is wrong with the control node's inventory: "", "program" or "read-only".
	Control string

	// End is how it has to end; whole where it is not set.
	End end
	// Out are the hosts that are not members at the end.
	Out []string
	// By hand: a refusal that says this (a regular expression) asks for these steps.
	Says string
	Cure []step
	// Host replaces "HOST" where a command leaves the choice to its reader.
	Host string
	// Needs are words (regular expressions) that the last run must print, beside the end.
	Needs []string
}

// end is how a state ended.
type end string

const (
	whole   end = "whole"   // by the command, or by a command that it printed; nothing was given up
	consent end = "consent" // the same, after a question whether something may be given up, or hosts are off
	mended  end = "mended"  // the same, after a cause that the refusal named was removed by hand
	named   end = "named"   // the cluster is whole, and the run failed, naming what is left to do
	stuck   end = "stuck"   // no next command, or one that does not help
	lost    end = "LOST"    // acknowledged writes are gone, and nobody was asked
	broken  end = "BROKEN"  // the run says that all is well, and it is not
	skipped end = "skipped" // cannot be made here
)

// step is a command of the lab tool, without the lab's name.
type step []string

// on types a script on a host; it may fail, as what is typed does.
func on(host, script string) step { return step{"exec", host, "--", "sh", "-c", script + "\ntrue"} }

// strictly is for steps that must succeed: otherwise the state is not what its name says. What an operator types may fail.
func strictly(host, script string) step {
	return step{"exec", host, "--", "sh", "-ec", script}
}

func wiped(hosts ...string) step { return append(step{"wipe"}, hosts...) }
func off(hosts ...string) step   { return append(step{"kill"}, hosts...) }

// twoLost is the loss that most states add to.
func twoLost(more ...step) []step { return append([]step{wiped("master-1", "master-2")}, more...) }

// states are in the order of the table.
func states() (all []state) {
	for _, of := range []func() []state{losses, hosts, clients, typed, typedPods} {
		all = append(all, of()...)
	}
	return all
}

func find(name string) (state, error) {
	for _, s := range states() {
		if s.Name == name {
			return s, nil
		}
	}
	return state{}, fmt.Errorf("there is no state %q; `states list` names them", name)
}
