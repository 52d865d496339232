package rows

import (
	"fmt"
	"path/filepath"

	"etcd-quorum-restore/modules/internal/plan/histories"
)

// mayBeSetAside refuses where data cannot leave a data directory by one rename: a kill between two would leave a log without its database.
func mayBeSetAside(v *View, d *Decision) []Refusal {
	var all []Refusal
	for _, n := range v.Which(func(n *histories.Node) bool { return joins(d, n) }) {
		member := filepath.Join(dataDir(n), "member")
		r := Refusal{Code: "data_apart"}
		switch wal := n.Facts.Config.WALDir; {
		case wal != "":
			r.Msg = fmt.Sprintf("%s: ETCD_WAL_DIR puts the log at %s, apart from the database, so its data cannot be set aside for the join", n.Name, wal)
			r.Hint = fmt.Sprintf("with etcd stopped on %s, move the .wal files of %s to %s/wal, keep their owner, and remove the line ETCD_WAL_DIR from %s", n.Name, wal, member, confPath(n))
		case n.Facts.DataDir.MemberIsMountPoint:
			r.Msg = fmt.Sprintf("%s: %s is a mount point of its own, so its data cannot be set aside for the join", n.Name, member)
			r.Hint = fmt.Sprintf("with etcd stopped on %s, mount that file system at %s instead, with its content in a directory `member` there, and the same owner", n.Name, dataDir(n))
		default:
			continue
		}
		again := v.Req.Again()
		r.Hint += "; then run it again: " + again + "; or stop at one member, and let the others join later: " + again + " -e etcd_rejoin=no"
		all = append(all, r)
	}
	return all
}
