// Package member reads the files of one etcd member: log segments, snapshots and database. To read, it takes no lock, opens nothing for writing
// and uses no mmap (a bad sector would be a SIGBUS), so it works on stopped and on running members alike.
//
// Formats: etcd v3.2.32, packages wal, snap, raft/raftpb, etcdserver/etcdserverpb, store; bbolt v1.3.1. Every length in a file is checked against
// the file's size before it is used, and memory stays bounded whatever the files hold.
//
// Two functions write to a member's log: KeepTail moves its commit index on disk to the end of the log, before a forced start; ForceNewCluster
// also removes the other members. Reissue writes the log of a copy anew, in another directory.
//
// # Damage
//
// A torn last record is no damage (State.Torn): it was never acknowledged. A .snap file that etcd would skip is none either
// (State.BrokenSnapshots). The codes of State.Damage, with what etcd 3.2.32 itself does:
//
//	no_log, missing_segment, unreadable            it does not start
//	short_frame, short_record, undecodable_record, it does not start
//	crc_mismatch, crc_chain, record_too_large
//	two_identities, snapshot_mismatch,             it does not start
//	undecodable_snapshot
//	entry_hole, commit_beyond_log,                 it does not start
//	commit_before_snapshot, unknown_conf_change
//	broken_database, database_behind_snapshot      it does not start
//	segment_too_large, snapshot_too_large          it runs out of disk or of memory
//	no_database                                    it starts with an empty v3 store, where the cluster version is below 3
//	no_identity, no_hard_state                     it starts as member 0, or with term 0
//	good_bytes_after_torn, good_bytes_after_end,   it drops these entries in silence
//	frame_damaged
//	term_falls, hard_state_falls,                  it starts, on a log that no raft can have written
//	committed_rewritten, too_many_changes
//	snapshot_not_in_log                            it starts without what the log lost (3.2.32 forgets its reader's error)
//	database_beyond_log                            it starts, and hangs or diverges
//	changes_while_read                             (it runs, and the files never stood still)
//
// This package, like etcd, cannot see a database of another cluster that is not ahead of the log: a database does not name its cluster.
package member
