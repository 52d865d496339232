package plan

// The model is a cluster in memory with ground truth: it knows which writes a client got an answer for, and the decision does not. It is
// here to find states that nobody has thought of.
//
// A night (model_night_test.go) is a healthy cluster and some events: writes, crashes, power cuts that lose the commit index but no synced
// entry, wiped disks. The world (model_world_test.go) is etcd 3.2's raft with the messages left out (model_raft_test.go): who reaches whom,
// who is elected, what is replicated and committed. A log is a few stretches of entries (model_log_test.go).
//
// Then comes an inquiry (model_check_test.go): what etcd_host_info would see is written down in the words of testdata
// (model_facts_test.go), Make decides, its plays are carried out act by act (model_act_test.go), or its refusal is heeded as somebody
// would at night (model_operator_test.go), and so on to the end. A run may be killed before any act.
//
// What must hold:
//
//   - lost without consent: an acknowledged entry that a host within reach holds is still there in the cluster that serves. Not where raft itself throws it
//     away: a majority whose disks were put back has committed other entries since, under a later leader, and no fact tells of that.
//   - forced beside a quorum, forced where a start would do: a forced start is the last resort. The second is tried on a copy of the world.
//   - older than what cannot be read: the same for a host whose log cannot be read, and still shows that it is newer.
//   - superseded data goes on: what a forced cluster took in since is not dropped, where a fence or an etcd.conf tells of it.
//   - an empty cluster is taken for the real one: wiped hosts that formed a cluster do not go on while another host has the data.
//   - given up is too little: what is lost with consent was among what the plan gives up.
//   - hint, no end: each refusal leads on; after some decisions the cluster is whole, or somebody has consented, or only a backup is left.
//   - second run: when all is well, there is nothing to do.
//
// # An example
//
// Night 4711 may be "write 0, power_off 2, write 1, power_cut 0, wipe 0, power_on 1". Member 2 lacks the second write, and the data of
// member 0 are gone. Member 1 is the only one within reach that holds both. What can be seen of that:
//
//	lost 3
//	off 2
//	wiped 0
//	log 1 2:1031@s1 3:1049@s2
//	commit 1 1031
//	applied 1 1049
//	hangs 1
//
// The decision says: force 1. That is carried out; member 0 joins. The cluster holds both writes, so nothing is lost, and a second run finds
// nothing to do. Had it chosen member 2, once that is back, the property "lost without consent" would have failed for index 1033 to 1049.
//
// # What it finds
//
// A violation is printed with what happened that night and with the facts as a case of testdata, to be copied there once it is clear what is
// right. One night: MODEL_SEED=4711 MODEL_N=1 go test ./modules/internal/plan -run 'TestModel$'. Many: make test-model.
//
// # That it finds faults
//
// TestModelFindsEachRule (model_careless_test.go) lives through nights that end well, and do not where a rule is switched off: an operator says yes to
// it without looking. To look for other such nights: MODEL_RULE=survivor_older MODEL_N=20000 go test ./modules/internal/plan -run FindsEachRule -v.
//
// What no operator can say yes to was switched off in a copy of the sources; the first night that showed it, of MODEL_SEED=1:
//
//	startTogether is not in rows/table.go                                        night 19, forced where a start would do
//	network is not in rows/table.go                                              night 8, no end
//
// That was before nights had site_cut_off and what follows it in model_night_test.go; today's show it elsewhere. No night is known that shows
// forcing_not_usable. A night has no hosts of new_etcd and no fence.yml yet.
