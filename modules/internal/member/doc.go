// Package member reads the files of one etcd member: log segments, snapshots and database. It takes no lock, opens nothing for
// writing and uses no mmap (a bad sector would be a SIGBUS), so it works on stopped and on running members alike.
//
// Formats: etcd v3.2.32, packages wal, snap, raft/raftpb, etcdserver/etcdserverpb, store; bbolt v1.3.1. Every length that comes
// from a file is checked against the file before it is believed, and memory stays bounded whatever the files hold.
//
// KeepTail is the one function that writes: it moves the on-disk commit index to the end of the log, before a forced start.
package member
