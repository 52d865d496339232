// States of a cluster that nobody planned for, made on real hosts, and what restore_quorum.yml makes of each.
module etcd-quorum-restore/molecule/states

go 1.26.0
