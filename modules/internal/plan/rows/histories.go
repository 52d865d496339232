package rows

import (
	"fmt"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// historiesUnclear refuses where the facts do not tell which data is the cluster's.
func historiesUnclear(v *View) *Decision {
	if len(v.Splits) == 0 {
		return nil
	}
	var refusals []Refusal
	for _, s := range v.Splits {
		refusals = append(refusals, splitRefusal(v, s))
	}
	return refuse(refusals...)
}

func splitRefusal(v *View, s histories.Split) Refusal {
	r := Refusal{}
	lead := ""
	switch s.Kind {
	case histories.DifferentClusters:
		r.Code, lead = "different_clusters", "find out which one is yours, and name a host that holds it"
		r.Msg = fmt.Sprintf("the data of %s belongs to cluster %s, that of %s to cluster %s; expected one cluster",
			wording.And(histories.Names(s.A.Nodes)), s.A.Cluster, wording.And(histories.Names(s.B.Nodes)), s.B.Cluster)
	case histories.TwoHistories:
		r.Code, lead = "two_histories", "name a host that holds the right one"
		r.Msg = fmt.Sprintf("the data of %s (%s) and of %s (%s) has the same cluster ID but no common history; it is not certain which of them is the lost cluster",
			wording.And(histories.Names(s.A.Nodes)), sizeOf(s.A), wording.And(histories.Names(s.B.Nodes)), sizeOf(s.B))
	case histories.SplitBrain:
		r.Code, lead = "split_brain", fmt.Sprintf("choose whose writes to keep, and name %s or %s", s.A.Nodes[0].Name, s.B.Nodes[0].Name)
		r.Msg = fmt.Sprintf("%s and %s both hold committed entries that contradict each other from index %d on: one cluster has split into two",
			s.A.Nodes[0].Name, s.B.Nodes[0].Name, s.Index)
	}
	r.Hint = lead + "; the other's data is set aside, never deleted: " + v.Req.With("etcd_survivor=HOST", "etcd_accept_loss=yes")
	return r
}

func sizeOf(f histories.Family) string {
	return fmt.Sprintf("last index %d, revision %d", f.LastIndex(), f.Revision())
}
