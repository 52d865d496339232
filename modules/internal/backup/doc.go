// Package backup makes copies that are proven to be good, and reads them back before they are used.
//
// A backup is a directory. It is filled under a name that ends in ".partial", every file is synced, backup.json with the sum of every file
// is written last, and then the directory gets its name: what has no such ending is whole. Nothing existing is ever overwritten.
//
// etcdctl leaves three things unchecked that are checked here: `snapshot save` does not verify the sum that the server sends behind the
// database, a stream may end early without an error, and its files are readable by all, though they hold every secret of the cluster.
package backup
