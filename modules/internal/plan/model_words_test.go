package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
)

// modelVocabulary are words that the model needs beside those for people: members that were added again, and records in full. A MEMBER is a
// host's number, with a letter for each time it was added again: 2, then 2a; one with ? was never started.
func modelVocabulary() []word {
	return []word{
		{"existing", "HOST OTHER...", "has ETCD_INITIAL_CLUSTER_STATE=existing in etcd.conf, and an ETCD_INITIAL_CLUSTER of these hosts", takeExisting},
		{"applied", "HOST INDEX", "has a database that has applied the log up to this index", takeApplied},
		{"tail", "HOST INDEX TYPE MEMBER [forced]", "has this membership change in the tail of its log, too; MEMBER as for `members`", takeTail},
		{"led", "HOST MEMBER", "runs with quorum, and follows this leader", takeLed},
		{"hangs", "HOST...", "runs without quorum since its start: only its peer port answers", each((*cluster).hangs)},
		{"data", "HOST MEMBER", "has this member's data; MEMBER as for `members`", takeData},
		{"members", "HOST MEMBER...", "knows this member list; 2 is the first member on host 2, 2a the one that it was added as later, and one with ? was never started", takeMembers},
		{"left", "HOST...", "is in no group of the inventory any more: it stayed out of a restore", group((*cluster).left)},
		{"peer", "HOST OTHER MEMBER N", "reaches the peer port of OTHER, which says that it is MEMBER, of N", takePeer},
		{"record", "HOST KIND HOST | NAME RUN [MEMBER]", "has the record of a fence, of this kind, for this survivor, of this run; MEMBER is whose data was fenced, if it is gone now", takeRecord},
		{"begun", "HOST PHASE INDEX MEMBER [flag]", "has the record of a forced start of this member, in this phase, with this commit index; by the log, or by the flag", takeBegun},
	}
}

// parseMember reads 2, 2a or 2a?.
func parseMember(text string) (m facts.ClusterMember, host int, err error) {
	bare := strings.TrimSuffix(text, "?")
	digits := strings.TrimRight(bare, "abcdefghijklmnopqrstuvwxyz")
	n, err := strconv.Atoi(digits)
	if err != nil || len(bare)-len(digits) > 1 {
		return m, 0, fmt.Errorf("MEMBER: expected such as 2, 2a or 2a?, found %q", text)
	}
	m = memberList(n + 1)[n]
	if len(bare) > len(digits) {
		m.ID = memberID(n)&^(0xff<<56) | facts.ID(0xb0+bare[len(digits)]-'a')<<56
	}
	if bare != text {
		m.Name, m.ClientURLs = "", nil
	}
	return m, n, nil
}

func (a *args) member() facts.ClusterMember {
	m, _, err := parseMember(a.next("MEMBER"))
	if err != nil {
		a.fail("%w", err)
	}
	return m
}

func takeExisting(c *cluster, a *args) {
	i, parts := a.host(), []string{}
	for len(a.rest) > 0 && a.err == nil {
		n := int(a.number("OTHER")) // it may no longer be in any group
		parts = append(parts, host(n)+"="+peerURL(n))
	}
	c.edit(i, func(h *Host) {
		h.Config.InitialClusterState, h.Config.InitialCluster = "existing", strings.Join(parts, ",")
	})
}

func (c *cluster) hangs(i int) *cluster {
	return c.running(i).edit(i, func(h *Host) {
		h.State, h.MembersFrom, h.Live = facts.Starting, "peer_port", facts.Live{Error: "context deadline exceeded"}
	})
}

func (c *cluster) left(hosts ...int) *cluster {
	for _, i := range hosts {
		delete(c.Hosts, host(i))
		c.Order = slices.DeleteFunc(slices.Clone(c.Order), func(name string) bool { return name == host(i) })
	}
	return c
}

func takeApplied(c *cluster, a *args) {
	i := a.host()
	index := a.number("INDEX")
	c.edit(i, func(h *Host) {
		h.Database.ConsistentIndex = index
		h.Log.KnownCommitted = max(h.Log.Commit, h.Log.SnapshotIndex, index)
	})
}

func takeLed(c *cluster, a *args) {
	i := a.host()
	m := a.member()
	c.edit(i, func(h *Host) { h.Live.Leader = m.ID })
}

func takeTail(c *cluster, a *args) {
	i := a.host()
	change := facts.ConfChange{Index: a.number("INDEX"), Type: a.next("TYPE")}
	m := a.member()
	change.MemberID, change.Forced = m.ID, a.take("forced")
	c.edit(i, func(h *Host) {
		h.Log.ConfChanges = append(h.Log.ConfChanges[:len(h.Log.ConfChanges):len(h.Log.ConfChanges)], change)
	})
}

func takeData(c *cluster, a *args) {
	i := a.host()
	m := a.member()
	c.edit(i, func(h *Host) {
		own := *h.Member
		own.ID = m.ID
		h.Member = &own
		if h.Live.Serves {
			h.Live.MemberID = m.ID
		}
		if h.Live.Leader == memberID(i) {
			h.Live.Leader = m.ID
		}
	})
}

func takeMembers(c *cluster, a *args) {
	i := a.host()
	list := []facts.ClusterMember{a.member()}
	for len(a.rest) > 0 && a.err == nil {
		list = append(list, a.member())
	}
	c.list(list, i)
}

func takePeer(c *cluster, a *args) {
	i, other := a.host(), int(a.number("OTHER")) // it may no longer be in any group
	m := a.member()
	c.Hosts[host(i)].Sees[peerURL(other)] = facts.Seen{ID: m.ID, ClusterID: clusterID, Members: int(a.number("N"))}
}

func takeRecord(c *cluster, a *args) {
	i, kind, survivor := a.host(), a.next("KIND"), a.next("HOST")
	if n, err := strconv.Atoi(survivor); err == nil {
		survivor = host(n)
	}
	c.record(facts.Fence{Why: "restore", Kind: kind, Survivor: survivor, Run: a.next("RUN")}, i)
	if len(a.rest) > 0 {
		m := a.member()
		c.edit(i, func(h *Host) {
			f := *h.Fenced
			f.MemberID = &m.ID
			h.Fenced = &f
		})
	}
}

func takeBegun(c *cluster, a *args) {
	i, phase := a.host(), a.next("PHASE")
	commit := a.number("INDEX")
	m := a.member()
	method := "log"
	if a.take("flag") {
		method = "flag"
	}
	c.edit(i, func(h *Host) {
		h.Forcing = &facts.Forcing{Phase: phase, Method: method, Commit: commit, MemberID: m.ID, ClusterID: clusterID}
	})
}
