// Package plan is the decision: what to do about a cluster, from the facts of all its hosts. It is a pure function: it looks at
// nothing, changes nothing, and the order of the input never matters.
//
// Make builds a view of the cluster (view.go): hosts matched to members, logs compared with each other (history.go), one verdict on
// each host's data (usable.go). Then the rows of the decision are tried from the top (rows.go, a function a row, in files named
// row_*.go); the first that matches decides. What it decided is turned into steps (steps.go), held against the gates that must
// refuse before anything is touched (gates.go), and written down for people (lines.go).
//
// # Steps
//
// A step is one word in Plan.Steps[host]; Plan.Plays has the same by step: the hosts of each play. This is the order in which the plays
// come:
//
//	fence              stopped now, proven gone, unstartable; data untouched. The others, before the survivor is touched
//	snapshot           a snapshot first, where one is served
//	fence_survivor     the survivor, stopped and fenced after all the others (a reboot must not start it unforced)
//	backup_config      a copy of /etc/etcd (every reachable host)
//	stop_copy          a stopped copy of the data, read in full; the host is down, or was stopped by a fence
//	flags              leftovers of a forced start are taken out of etcd.conf and drop-ins
//	restart            started without the flag, one by one: a process that still has it, among several members
//	unfence_keep_data  fence off, data kept: members whose data is in the list, or is to be started
//	start_first        started, without waiting for it to serve: the member that joins below brings the quorum
//	start              started together, then quorum is awaited; if it does not come, Make is asked again with StartFailed
//	force              the survivor: rehearsal, then etcd_force_new_cluster
//	finish_force       an interrupted or half-done forced start is finished: etcd_force_new_cluster again, on that host
//	join_started       added already, never started: data aside, etcd.conf, fence off, start. Before the masters, which need a quorum
//	masters            API and controllers restart, one by one
//	remove_member      members that leave the live list (dead, without data, or by remove_host.yml); done through a live member
//	leave              stopped, proven gone and fenced: the host that remove_host.yml took off the list
//	rejoin             one by one: data aside, etcd.conf, fence off, member add, start, gate
//	probe              a static pod's liveness probe comes back: manifest out, gone, in; gated as a join
//	final              the final ETCD_INITIAL_CLUSTER is written
//	out                stays out: named in the report; its URLs leave the clients
//
// A member that leaves may have no host in the inventory: remove_member and out may hold names that Ansible does not know, so a
// playbook gets the members to remove from Plan.Remove, and Plan.Plays lacks them.
package plan
