package plan

import "fmt"

// differentData: two members that have applied the same entries have the same revision. If not, they have grown apart, as after a forced
// start that lost its log's tail, or after a merge with an empty cluster; each answers reads with data of its own. etcd does not notice.
func (v *view) differentData() []string {
	known := map[uint64]*node{}
	var texts []string
	for _, n := range v.nodes {
		if n.data != usable || n.f.Database.ConsistentIndex == 0 {
			continue
		}
		at := n.f.Database.ConsistentIndex
		other, found := known[at]
		if !found {
			known[at] = n
			continue
		}
		if other.f.Database.Revision != n.f.Database.Revision {
			texts = append(texts, fmt.Sprintf("%s and %s have applied the same entries up to %d and yet hold different data (revision %d and %d): "+
				"compare them with verify.yml before anything else", other.name, n.name, at, other.f.Database.Revision, n.f.Database.Revision))
		}
	}
	return texts
}
