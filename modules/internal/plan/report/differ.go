package report

import (
	"fmt"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/rows"
)

// differentData names two members that have applied the same entries and have different revisions. They have grown apart, as after a forced start
// that lost its log's tail, or after a merge with an empty cluster; each answers reads from its own data. etcd does not notice.
func differentData(v *rows.View) []string {
	known := map[uint64]*histories.Node{}
	var texts []string
	for _, n := range v.Nodes {
		if n.Data != histories.Usable || n.Facts.Database.ConsistentIndex == 0 {
			continue
		}
		at := n.Facts.Database.ConsistentIndex
		other, found := known[at]
		if !found {
			known[at] = n
			continue
		}
		if other.Facts.Database.Revision != n.Facts.Database.Revision {
			texts = append(texts, fmt.Sprintf("%s and %s have applied the same entries up to %d and yet hold different data (revision %d and %d): "+
				"compare them with verify.yml before anything else", other.Name, n.Name, at, other.Facts.Database.Revision, n.Facts.Database.Revision))
		}
	}
	return texts
}
