// Package restore puts a verified backup back as the single member of a new cluster, where no member has data left.
//
// The result never matches the old members, nor the result of an earlier restore of the same backup. A v3 snapshot gets its IDs from `etcdctl
// snapshot restore` and a new token. A stopped copy and a v2 backup keep every byte of their log's entries, their v2 store and their database;
// only the cluster's ID, which is in the log's metadata record alone, is replaced by a new one (member.State.Reissue). Other ways were tried on
// 3.2.32: a plain forced start keeps the old cluster's ID, so an old member that comes back would match; `etcdctl backup` makes a new one, but
// also a member ID that is in no member list, so that the peer URL becomes http://localhost:2380, and it gives the same IDs to every restore of
// one backup.
//
// The order: check the backup; fence; make the member beside its place; rehearse; write the record with the new IDs; set aside what is in the
// place; one rename; the forced start of package force; proof. After a kill at any point, the host is fenced or serves, and a second run goes on:
// the IDs in the record distinguish its own data from data that was there before.
package restore
