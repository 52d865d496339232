package plan

import (
	"maps"
	"slices"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/histories"
	"etcd-quorum-restore/modules/internal/plan/rows"
)

func doOf(v *rows.View, d *rows.Decision, restore rows.Restoration) Do {
	out := Do{
		Run: v.Req.Run, Action: d.Action, Code: d.Code, HasQuorum: v.HasQuorum(), Confirm: d.Acts() && !v.Req.Simulate && v.Req.Confirmed.Asks(), ID: rows.ID(v, d),
		Plays: rows.Plays(v, d), Remove: []histories.Member{}, Down: []string{}, Endpoints: endpoints(v, d), Clients: Clients{Remove: []Client{}, Keep: []Client{}, Members: clientsThatAreMembers(v)},
		CAHost: rows.CAHost(v), CACopyHost: v.CACopyHost(), CAFirst: rows.CAFirst(v, d), ManifestHost: manifestHost(v, d), QueryHost: queryHost(v), Renewal: renewalOf(v, d), Restore: restore.Restore,
	}
	_, out.Held = rows.Holds(v)
	out.Lock = locks(v)
	out.Changes = !v.Req.Simulate && changes(out.Plays)
	out.JoinTimeout = joinTimeout(v)
	out.RestartWait = map[bool]string{true: "serving", false: "process"}[v.HasQuorum()]
	out.Seen, out.Resolved = v.LastSeen(), map[string][]string{}
	maps.Copy(out.Resolved, v.Req.Resolved)
	if d.Survivor != nil {
		out.Survivor = d.Survivor.Name
	}
	for _, m := range rows.StaysDown(v, d) {
		out.Down = append(out.Down, m.ID.String())
	}
	for _, m := range d.Remove {
		out.Remove = append(out.Remove, v.MemberOf(m))
	}
	if d.Acts() || d.Action == rows.Nothing {
		out.Clients = clientsOf(v, d)
		out.InitialCluster = rows.InitialCluster(v, d)
	}
	return out
}

// joinTimeout allows for the largest data directory over a slow network. etcd sends a new member the database, or, where no snapshot has cut the
// log yet, the log.
func joinTimeout(v *rows.View) int {
	const least, most, slow = 120, 24 * 3600, 10e6 // seconds, seconds, bytes a second
	var bytes int64
	for _, n := range v.Nodes {
		bytes = max(bytes, n.Facts.DataDir.Bytes)
	}
	return min(least+int(bytes/slow), most)
}

// locks are all hosts that answer: two runs may look at different times, and choose different survivors, but they meet on some host.
func locks(v *rows.View) []string {
	if v.Req.Simulate {
		return []string{}
	}
	return histories.Names(v.Which((*histories.Node).Answered))
}

// changes is true where a play acts on a host: all of them but the comparison of data.
func changes(plays map[string][]string) bool {
	for play, hosts := range plays {
		if play != rows.PlayVerify && len(hosts) > 0 {
			return true
		}
	}
	return false
}

// endpoints are the client URLs to ask for a change of the membership: the survivor's, or else those of all members.
func endpoints(v *rows.View, d *rows.Decision) []string {
	if d.Survivor != nil {
		return d.Survivor.ClientURLs()
	}
	all := []string{}
	for _, m := range v.MemberList() {
		all = append(all, m.ClientURLs...)
	}
	return all
}

// manifestHost is the host whose manifest of etcd a new one gets: the survivor, else one that runs, else one that was a static pod.
func manifestHost(v *rows.View, d *rows.Decision) string {
	return v.HighestRanked(func(n *histories.Node) int {
		switch {
		case !n.Answered() || n.Facts.Runtime != facts.StaticPod || n.IsNew && n.Member == nil:
			return 0
		case n == d.Survivor:
			return 3
		case n.Up():
			return 2
		}
		return 1
	})
}

// queryHost is the host that is asked about the cluster: one with quorum, else one that runs, else one that can be reached.
func queryHost(v *rows.View) string {
	best, rank := "", 0
	for _, n := range v.Nodes {
		is := 0
		switch {
		case slices.Contains(v.Quorum, n):
			is = 3
		case n.Up():
			is = 2
		case n.Answered() && (!n.IsNew || n.Member != nil):
			is = 1
		}
		if is > rank {
			best, rank = n.Name, is
		}
	}
	return best
}
