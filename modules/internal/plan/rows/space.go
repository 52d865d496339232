package rows

import "etcd-quorum-restore/modules/internal/plan/histories"

// slack is what a backup needs beside the data: /etc/etcd, the record of sums, a filesystem's own needs.
const slack = 64 << 20

// BackupBytes is the size of a host's backup. The rehearsal's copy is added where there is room for it.
func BackupBytes(n *histories.Node, d *Decision) int64 {
	var need int64
	if d.Has(StepStopCopy, n) {
		need += dataBytes(n)
	}
	if d.Has(StepSnapshot, n) && n.Facts.Database != nil {
		need += max(n.Facts.Database.Bytes, 0)
	}
	if need > 0 {
		need += slack
	}
	return need
}

func dataBytes(n *histories.Node) int64 {
	size := max(n.Facts.DataDir.Bytes, 0)
	if n.Facts.Database != nil {
		size = max(size, n.Facts.Database.Bytes)
	}
	return size
}

// Rehearses is true where there is room for a rehearsal, as far as known: it needs a private copy of the database and the last segment, on the
// backup's filesystem.
func Rehearses(d *Decision) bool {
	n := d.Survivor
	if n == nil || !d.Has(StepForce, n) || n.Facts.BackupDir == nil {
		return n != nil && d.Has(StepForce, n)
	}
	return n.Facts.BackupDir.FreeBytes >= BackupBytes(n, d)+dataBytes(n)
}
