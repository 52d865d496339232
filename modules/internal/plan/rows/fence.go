package rows

import (
	"fmt"
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/wording"
)

// fenceRows decide on fencing hosts that were lost and are back. In doubt they fence: that costs a start, while two old members that meet cost
// acknowledged writes.
var fenceRows = []row{
	noSuchHosts,
	notReached,
	membersOfTheCluster,
	fenceThem,
}

func noSuchHosts(v *View) *Decision {
	unknown := slices.DeleteFunc(slices.Clone(v.Req.FenceHosts), func(name string) bool { return v.Node(name) != nil })
	if len(unknown) == 0 {
		return nil
	}
	return refuse(Refusal{
		Code: "no_such_host",
		Msg:  fmt.Sprintf("no host of etcd or new_etcd is called %s; the hosts are %s", wording.And(unknown), wording.And(histories.Names(v.Nodes))),
		Hint: "name one of them: " + v.Req.Playbook("fence.yml") + " -e etcd_host=NAME",
	})
}

func notReached(v *View) *Decision {
	gone := histories.Names(v.Which(func(n *histories.Node) bool { return toFence(v, n) && n.Facts.Unreachable }))
	if len(gone) == 0 {
		return nil
	}
	return refuse(Refusal{
		Code: "unreachable",
		Msg:  wording.And(gone) + " cannot be reached, and so cannot be fenced",
		Hint: "leave it off; once it is powered on, run this at once: " + v.Req.Playbook("fence.yml") + " -e etcd_host=" + gone[0],
	})
}

// membersOfTheCluster refuses to fence a member of the cluster that has quorum: it was not lost.
func membersOfTheCluster(v *View) *Decision {
	var refusals []Refusal
	for _, n := range hostsToFence(v) {
		if !shownAsMember(v, n) {
			continue
		}
		refusals = append(refusals, Refusal{
			Code: "member_of_quorum",
			Msg:  fmt.Sprintf("%s is member %s of the cluster that has quorum on %s", n.Name, n.OwnID(), wording.And(histories.Names(v.Quorum))),
			Hint: "name the host that was lost; to take a member out of the cluster: " + v.Req.Playbook("remove_host.yml") + " -e etcd_host=" + n.Name,
		})
	}
	if len(refusals) == 0 {
		return nil
	}
	return refuse(refusals...)
}

// shownAsMember is true where every list of those that have quorum has its ID, and nothing shows that the cluster has gone on without it.
func shownAsMember(v *View, n *histories.Node) bool {
	if !v.HasQuorum() || n.Fenced() || n.CopyOf != nil || n.OwnID() == 0 || !v.SameCluster(n) {
		return false
	}
	for _, q := range v.Quorum {
		if q.Superseded() || !q.Lists(n.OwnID()) {
			return false
		}
	}
	return !slices.ContainsFunc(v.Nodes, func(o *histories.Node) bool { return wentOnWithout(v, o, n) }) && (!n.IsNew || allStillList(v, n))
}

// wentOnWithout is true where o's log is of the same cluster and not contained in a log of those that have quorum, and o's list lacks the member.
func wentOnWithout(v *View, o, n *histories.Node) bool {
	if o == n || !o.Readable() || o.Lists(n.OwnID()) || len(o.Facts.Members) == 0 || o.ClusterID() != v.ClusterID {
		return false
	}
	return !slices.ContainsFunc(v.Quorum, func(q *histories.Node) bool {
		return q.Readable() && histories.Compare(q.Facts.Log, o.Facts.Log).Conflict == 0 && q.Facts.Log.LastIndex >= o.Facts.Log.LastIndex
	})
}

// allStillList guards against an old majority that has formed again: a restore leaves lost hosts out of [etcd], and if such a host is a member
// again, each of the others must still list it. A member that nobody can look at may be the survivor.
func allStillList(v *View, n *histories.Node) bool {
	return !slices.ContainsFunc(v.Members, func(m facts.ClusterMember) bool {
		o := v.HostOf(&m)
		return o == nil || !o.Readable() || !o.Lists(n.OwnID())
	})
}

// fenceThem names the survivor only where it is certain: its list is the newest, and lacks the host.
func fenceThem(v *View) *Decision {
	hosts := hostsToFence(v)
	d := NewDecision(Fence, wording.And(v.Req.FenceHosts)+": nothing proves that it belongs to the cluster that has quorum; a fence can be removed, but two old members that meet cannot be separated")
	d.Code = 0
	d.give(StepFence, hosts...)
	if s := goesOnWithout(v, hosts); s != nil {
		d.Survivor = s
		d.Reason = fmt.Sprintf("the cluster continues on %s, without %s", s.Name, wording.And(v.Req.FenceHosts))
	}
	return d
}

// goesOnWithout is a host of the cluster that has quorum, else the one with the newest log, provided that its list lacks all of the hosts.
func goesOnWithout(v *View, hosts []*histories.Node) *histories.Node {
	candidates := v.Quorum
	if len(candidates) == 0 && v.Best != nil {
		candidates = []*histories.Node{v.Best}
	}
	for _, q := range candidates {
		with := slices.ContainsFunc(hosts, func(n *histories.Node) bool {
			return n == q || q.Lists(n.OwnID()) || n.OwnID() == 0 && (!v.HasQuorum() || n.Broken() || n.HasData())
		})
		if !with && !q.Superseded() && len(q.Facts.Members) > 0 {
			return q
		}
	}
	return nil
}

func hostsToFence(v *View) []*histories.Node {
	return v.Which(func(n *histories.Node) bool { return toFence(v, n) })
}

func toFence(v *View, n *histories.Node) bool { return slices.Contains(v.Req.FenceHosts, n.Name) }
