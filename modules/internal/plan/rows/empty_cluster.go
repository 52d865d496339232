package rows

import (
	"fmt"
	"slices"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// young is the highest revision of a cluster that wiped hosts may just have formed.
const young = 50

// emptyClusterServes refuses where the cluster with quorum may be an empty one: wiped hosts with the installed etcd.conf form a new cluster of
// the same IDs. Beside the real data that is visible. While the host that holds that data is out of reach, or its data cannot be read, the empty
// cluster looks like the real one, and that host could be removed from it.
func emptyClusterServes(v *View) *Decision {
	if !v.HasQuorum() {
		return nil
	}
	return emptyClusterAlone(v, v.Quorum)
}

// emptyClusterStarts is the same without quorum, for example after the wiped hosts were stopped again.
func emptyClusterStarts(v *View) *Decision {
	good := v.UsableHosts()
	if v.HasQuorum() || len(good) < v.Needed() {
		return nil
	}
	return emptyClusterAlone(v, good)
}

// emptyClusterSurvives asks before one of the usable hosts becomes the survivor.
func emptyClusterSurvives(v *View) *Decision { return emptyClusterForced(v, v.UsableHosts()) }

// emptyClusterForced is the same for a forced start of one of these hosts. Whoever says that the unreachable hosts stay off does not say that their
// data is of no use.
func emptyClusterForced(v *View, hosts []*histories.Node) *Decision {
	if v.HasQuorum() {
		return nil
	}
	return emptyClusterAlone(v, hosts)
}

func emptyClusterAlone(v *View, hosts []*histories.Node) *Decision {
	missing := realDataBeside(v, hosts)
	if v.Req.AcceptLoss || v.Best == nil || len(missing) == 0 {
		return nil
	}
	names := wording.And(missing)
	hint := "bring " + names + " back"
	if len(goneOrAbsent(v)) == 0 {
		hint = "look at the data of " + names
	}
	hint += ", and run it again: the real data is recognised then; if this cluster really is new, confirm it with etcd_accept_loss=yes"
	if v.HasQuorum() && len(v.GoneStarted()) > 0 {
		hint += ", and remove the member that is missing: " + v.TakeOut(&v.GoneStarted()[0])
	} else {
		hint += ": " + v.Req.With("etcd_accept_loss=yes")
	}
	return refuse(Refusal{
		Code: "empty_cluster",
		Msg: fmt.Sprintf("%s may be an empty cluster of wiped hosts (its log begins with entry 1, revision %d); %s may hold the real data and cannot be %s",
			wording.And(histories.Names(hosts)), histories.Revision(v.Best.Facts), names, reachedOrRead(v)),
		Hint: hint,
	})
}

// realDataBeside are the hosts that may hold the real data, where these hosts may be an empty cluster.
func realDataBeside(v *View, hosts []*histories.Node) []string {
	if len(hosts) == 0 || !looksNew(hosts) || allSuperseded(hosts) {
		return nil
	}
	return mayHoldTheRealData(v)
}

// emptyGivesUp names the hosts that emptyClusterAlone asks about, once it is agreed to go on without them.
func emptyGivesUp(v *View, d *Decision) []Discarded {
	hosts := v.Quorum
	switch {
	case len(hosts) > 0:
	case d.Forces():
		hosts = []*histories.Node{d.Survivor}
	default:
		hosts = v.UsableHosts()
	}
	if !d.Acts() || !v.Req.AcceptLoss {
		return nil
	}
	var all []Discarded
	for _, name := range realDataBeside(v, hosts) {
		all = append(all, Discarded{Host: name, What: "real_data",
			Text: fmt.Sprintf("all that %s holds, if %s formed an empty cluster, after a wipe", name, wording.And(histories.Names(hosts)))})
	}
	return all
}

// allSuperseded: the gate for superseded data refuses such hosts, with a better message.
func allSuperseded(hosts []*histories.Node) bool {
	return !slices.ContainsFunc(hosts, func(n *histories.Node) bool { return !n.Superseded() })
}

// goneOrAbsent are started members that nobody reaches, and hosts of [etcd] that are off and no members: the empty cluster may have been forced
// since.
func goneOrAbsent(v *View) (names []string) {
	for _, m := range v.GoneStarted() {
		names = append(names, v.MemberName(&m))
	}
	absent := v.Which(func(n *histories.Node) bool { return n.Facts.Unreachable && n.Member == nil && !n.IsNew })
	return v.NamesInOrder(append(names, histories.Names(absent)...))
}

// mayHoldTheRealData are those, and hosts whose data cannot be read.
func mayHoldTheRealData(v *View) []string {
	names := goneOrAbsent(v)
	for _, n := range unreadableMembers(v) {
		names = append(names, n.Name)
	}
	return names
}

func unreadableMembers(v *View) []*histories.Node {
	return v.Which(func(n *histories.Node) bool {
		return n.Data == histories.Damaged && !n.IsNew && !slices.Contains(v.Quorum, n)
	})
}

func reachedOrRead(v *View) string {
	switch {
	case len(goneOrAbsent(v)) == 0:
		return "read"
	case len(unreadableMembers(v)) == 0:
		return "reached"
	}
	return "reached or read"
}

// looksNew is true where the hosts may have formed a new cluster. etcd does so only where etcd.conf says so, and a restore or an addition never
// leaves it so. Such a cluster begins with the members of etcd.conf, in term 1; of one log that still shows it the others may have made a snapshot.
func looksNew(hosts []*histories.Node) bool {
	for _, n := range hosts {
		if !n.Readable() || n.Facts.Config.InitialClusterState == "existing" || histories.Revision(n.Facts) > young {
			return false
		}
	}
	return slices.ContainsFunc(hosts, beginsCluster)
}

func beginsCluster(n *histories.Node) bool {
	terms := n.Facts.Log.Terms
	return len(terms) > 0 && terms[0].Term == 1 && terms[0].First == 1 && histories.Family{Nodes: []*histories.Node{n}}.IsFresh()
}
