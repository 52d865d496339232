// Package restore puts a verified backup back as the single member of a new cluster, where no member has data left.
//
// The result never matches the old members, nor what an earlier restore of the same backup has made. A v3 snapshot gets its IDs from
// `etcdctl snapshot restore` and a new token. A stopped copy and a v2 backup keep every byte of their log, their v2 store and their
// database; only the cluster's ID, which the log's metadata record alone holds, becomes a new one (member.State.Reissue). Other ways were
// tried on 3.2.32: a plain forced start keeps the old cluster's ID, so an old member that comes back would match; `etcdctl backup` makes
// a new one, but also a member ID that is in no member list, so that the peer URL becomes http://localhost:2380, and it gives the same IDs
// to every restore of one backup.
//
// The order: check the backup; fence; lay the member beside its place; rehearse; write the record with the new IDs; set aside what is in the
// place; one rename; the forced start of package force; proof. Killed anywhere, the host is fenced or serves, and a second run
// carries on: by the IDs in the record it knows its own data from data that were there before.
package restore
