// Package plan is the decision: what to do about a cluster, from the facts of all its hosts. It is a pure function: it reads
// only its input, changes nothing, and the order of the input never matters.
//
// Make (make.go) uses four packages, of which none imports one that is named after it:
//
//   - wording: sentences and tables that fit a terminal.
//   - histories: what the facts show. Logs that share a history, the members and their hosts, a verdict on each host's data.
//   - rows: what to do. The rows are tried in the order of rows/table.go, and the first that matches decides; gates refuse before anything is changed.
//   - report: what people read. The members, what happens to each host, what is given up, how to undo it.
//
// The result has two parts: Do is for playbooks (result.go), Report for people (report/result.go).
//
// To change a row, open its file in rows, and the file of its cases in testdata, whose README.md explains the words.
//
// # An example
//
// Three members. etcd-0 runs and has no quorum, its log ends at term 2, index 1000. The disk of etcd-1 was replaced. etcd-2 does not answer.
//
//   - There is one log that can be read, so one family (histories/family.go), and all others are compared with that log (histories/best.go).
//     It says who the members are: etcd-0, etcd-1 and etcd-2; two of them make a majority (histories/members.go).
//   - Verdicts (histories/usable.go): etcd-0's data is usable, etcd-1 has none, etcd-2's is not known.
//   - Somebody answers, all that answer have facts, no member is seen that Ansible does not reach, nothing is unfinished, nobody has quorum: the
//     rows from nobodyAnswers to namedAsLost do not match.
//   - startTogether does not match: 1 member has usable data, 2 are needed.
//   - lostHostsMayServe does not match: 1 of 3 is out of reach, which is no majority of its own. If etcd-1 were off as well, it would refuse until
//     somebody confirms that both stay off.
//   - forceSurvivor matches. etcd-0 is the only one with usable data, so it is the survivor. etcd-1 is fenced first, and joins last. etcd-2
//     stays out: it must be fenced when it comes back, since its data is of the old cluster.
//   - The gates (rows/gates.go) find no reason against it: the certificates are valid, there is room for the backup and for the new member.
//
// This is a case of testdata/lost-hosts.txt; the plays are:
//
//	fence: etcd-1, snapshot: etcd-0, fence_survivor: etcd-0, backup_config: etcd-0 and etcd-1, stop_copy: etcd-0, force: etcd-0,
//	masters: master-0, rejoin: etcd-1, final: etcd-0 and etcd-1, out: etcd-2
//
// # Steps
//
// A step is one word in Report.Steps[host]; Do.Plays has the hosts of each step. This is the order of the plays:
//
//	fence              verified stopped and blocked from starting; data untouched. The others, before the survivor is touched
//	put_back           a restore is taken back: fence off, data kept, etcd started where it ran before
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
//	bring_ca           a host with a copy of the CA's directory, where the CA's host is gone, hosts leave or new ones are taken in
//	move_ca            the host that takes the CA over from its host, which remove_host.yml takes out
//	remove_member      members that leave the live list (dead, without data, or by remove_host.yml); done through a live member
//	leave              verified stopped and fenced: the host that remove_host.yml took off the list
//	rejoin             one by one: data aside, etcd.conf, fence off, member add, start, gate
//	take_in            hosts of new_etcd, after those that rejoin: etcd.conf and certificates where they have none, then as rejoin
//	probe              a static pod's liveness probe comes back: manifest out, gone, in; gated as a join
//	final              the final ETCD_INITIAL_CLUSTER is written
//	out                stays out: named in the report; its URLs leave the clients
//
// Two plays are no steps of a host: clients_left, after masters, records on the members what could not be done at a client, for the next run; verify,
// after final, asks for the health and equal data of all members, once, through one of them.
//
// A member that leaves may have no host in the inventory: remove_member and out may contain names that Ansible does not know, so a
// playbook gets the members to remove from Do.Remove, and Do.Plays lacks them.
package plan
