package plan

import (
	"fmt"
	"hash/crc32"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/facts"
)

// The builders make facts as etcd_host_info returns them for a cluster of n members: etcd-0.example.com and so on, at 192.0.2.2x.

const clusterID = "7e27652122e8b2ae"

func host(i int) string     { return fmt.Sprintf("etcd-%d.example.com", i) }
func memberID(i int) string { return fmt.Sprintf("%016x", 0xa000000000000001+uint64(i)*0x1111) }
func peerURL(i int) string  { return fmt.Sprintf("https://192.0.2.%d:2380", 20+i) }

// run is a stretch of entries of one term that ends at an index.
type run struct{ term, last uint64 }

// history makes a log. Entries of the same seed, term and index are the same entry. The first index is 1: three entries of term 1 that
// every cluster of this configuration begins with, then the runs.
func history(seed string, runs ...run) *facts.Log {
	key := fmt.Sprint(seed, runs)
	if _, made := logs[key]; !made {
		logs[key] = write(seed, runs)
	}
	l := *logs[key]
	return &l
}

var logs = map[string]*facts.Log{}

func write(seed string, runs []run) *facts.Log {
	l := &facts.Log{FirstIndex: 1, Terms: []facts.TermRange{}, ConfChanges: []facts.ConfChange{}, Damage: []facts.Damage{}}
	first := uint64(1)
	for _, r := range append([]run{{1, 3}}, runs...) {
		l.Terms = append(l.Terms, facts.TermRange{Term: r.term, First: first, Last: r.last})
		first = r.last + 1
	}
	last := l.Terms[len(l.Terms)-1]
	l.LastTerm, l.LastIndex, l.Term = last.Term, last.Last, last.Term
	l.Commit = l.LastIndex
	l.KnownCommitted = l.Commit
	for _, t := range l.Terms {
		for i := t.First; i <= t.Last; i++ {
			if i == t.First || i%64 == 0 || i+256 > l.LastIndex {
				l.Sums = append(l.Sums, facts.EntrySum{Index: i, Term: t.Term, CRC: sum(seed, t, i)})
			}
		}
	}
	return l
}

// sum: a new leader's first entry is empty, and the entries of term 1 are the same in all clusters.
func sum(seed string, t facts.TermRange, i uint64) uint32 {
	switch {
	case t.Term == 1:
		seed = "bootstrap"
	case i == t.First:
		return crc32.ChecksumIEEE(fmt.Appendf(nil, "empty %d", t.Term))
	}
	return crc32.ChecksumIEEE(fmt.Appendf(nil, "%s %d %d", seed, t.Term, i)) | 1
}

// from drops the entries before an index, as a snapshot does.
func from(l *facts.Log, first uint64) *facts.Log {
	l.FirstIndex, l.SnapshotIndex = first, first-1
	var terms []facts.TermRange
	for _, t := range l.Terms {
		if t.Last >= first {
			t.First = max(t.First, first)
			terms = append(terms, t)
		}
	}
	l.Terms = terms
	var sums []facts.EntrySum
	for _, s := range l.Sums {
		if s.Index >= first {
			sums = append(sums, s)
		}
	}
	l.Sums = sums
	return l
}

// cluster is a request under construction.
type cluster struct {
	Request
	n int
}

// lost makes n members of which none runs any more; all have the same log of 1000 entries.
func lost(n int) *cluster {
	c := &cluster{n: n, Request: Request{Hosts: map[string]Host{}, Rejoin: true, Masters: []string{"master-0.example.com"}}}
	for i := range n {
		c.Order = append(c.Order, host(i))
		c.put(i, stopped(i, n))
	}
	return c
}

func (c *cluster) put(i int, h Host) { c.Hosts[host(i)] = h }

// edit changes one host's facts.
func (c *cluster) edit(i int, change func(*Host)) *cluster {
	h := c.Hosts[host(i)]
	change(&h)
	c.Hosts[host(i)] = h
	return c
}

func memberList(n int) []facts.ClusterMember {
	var list []facts.ClusterMember
	for i := range n {
		list = append(list, facts.ClusterMember{ID: memberID(i), Name: host(i), PeerURLs: []string{peerURL(i)},
			ClientURLs: []string{fmt.Sprintf("https://192.0.2.%d:2379", 20+i)}})
	}
	return list
}

func stopped(i, n int) Host {
	var h Host
	h.Runtime, h.State = facts.Systemd, facts.Stopped
	h.Config = facts.Config{Path: "/etc/etcd/etcd.conf", Name: host(i), PeerURLs: []string{peerURL(i)},
		ClientURLs: []string{fmt.Sprintf("https://192.0.2.%d:2379", 20+i)}, InitialClusterState: "new"}
	for j := range n {
		h.Config.InitialCluster += fmt.Sprintf("%s=%s,", host(j), peerURL(j))
	}
	h.Config.InitialCluster = strings.TrimSuffix(h.Config.InitialCluster, ",")
	h.DataDir = facts.DataDir{Path: "/var/lib/etcd", Exists: true, Bytes: 200 << 20, FreeBytes: 20 << 30}
	h.Member = &facts.Member{ID: memberID(i), ClusterID: clusterID, Name: host(i)}
	h.Members, h.MembersFrom = memberList(n), "files"
	h.Log = history("real", run{2, 1000})
	h.Database = &facts.Database{ConsistentIndex: 1000, Revision: 900, Bytes: 20 << 20}
	h.CAKey = i == 0
	h.BackupDir = &facts.Space{Path: "/backup", FreeBytes: 20 << 30}
	h.Sees = map[string]facts.Seen{}
	for j := range n {
		if j != i {
			h.Sees[peerURL(j)] = facts.Seen{Error: "connection refused"}
		}
	}
	return h
}

// off: the host does not answer.
func (c *cluster) off(hosts ...int) *cluster {
	for _, i := range hosts {
		c.put(i, Host{Unreachable: true, Msg: "Failed to connect to the host via ssh"})
	}
	return c
}

// wiped: the host is there, its data is gone.
func (c *cluster) wiped(hosts ...int) *cluster {
	for _, i := range hosts {
		c.edit(i, func(h *Host) {
			h.Member, h.Log, h.Database, h.Members = nil, nil, nil, nil
			h.DataDir.Empty, h.DataDir.Bytes = true, 0
		})
	}
	return c
}

// running without quorum, and serving since before the loss.
func (c *cluster) running(hosts ...int) *cluster {
	for _, i := range hosts {
		c.edit(i, func(h *Host) {
			h.State, h.MembersFrom = facts.Running, "client"
			h.Live = facts.Live{Serves: true, MemberID: memberID(i), ClusterID: clusterID, Term: 2, Revision: 900}
		})
		c.seen(i)
	}
	return c
}

// seen: all hosts reach this one's peer port.
func (c *cluster) seen(i int) {
	for j := range c.n {
		if c.Hosts[host(j)].Sees != nil && i != j {
			c.Hosts[host(j)].Sees[peerURL(i)] = facts.Seen{ID: memberID(i), ClusterID: clusterID, Members: c.n}
		}
	}
}

// healthy: running with quorum.
func (c *cluster) healthy(hosts ...int) *cluster {
	c.running(hosts...)
	for _, i := range hosts {
		c.edit(i, func(h *Host) { h.Live.Quorum, h.Live.Leader = true, memberID(hosts[0]) })
	}
	return c
}

func (c *cluster) fenced(hosts ...int) *cluster {
	for _, i := range hosts {
		c.edit(i, func(h *Host) {
			h.State, h.Fenced = facts.Fenced, &facts.Fence{Why: "restore", Survivor: host(0)}
		})
	}
	return c
}

// log replaces a host's log, and what the database says with it.
func (c *cluster) log(i int, l *facts.Log) *cluster {
	return c.edit(i, func(h *Host) {
		h.Log = l
		h.Database = &facts.Database{ConsistentIndex: l.Commit, Revision: int64(l.LastIndex) * 9 / 10, Bytes: 20 << 20}
		if h.Live.Serves {
			h.Live.Revision = h.Database.Revision
		}
	})
}

// list replaces the member list that the hosts know.
func (c *cluster) list(members []facts.ClusterMember, hosts ...int) *cluster {
	for _, i := range hosts {
		c.edit(i, func(h *Host) { h.Members = members })
	}
	return c
}

func (c *cluster) consent() *cluster { c.LostHostsOff = true; return c }

func show(t *testing.T, p Plan) {
	t.Helper()
	for _, l := range p.Lines {
		t.Log(l)
	}
}

// sees: host i reaches the peer port of j, which Ansible does not reach.
func (c *cluster) sees(i, j int) *cluster {
	c.Hosts[host(i)].Sees[peerURL(j)] = facts.Seen{ID: memberID(j), ClusterID: clusterID, Members: c.n}
	return c
}

// seesAlso puts a reachable, stopped host in place of one that is off, which reaches the peer port of j.
func (c *cluster) seesAlso(i, j int) *cluster {
	c.put(i, stopped(i, c.n))
	c.wiped(i)
	return c.sees(i, j)
}

// blind: host i does not reach the peer port of j.
func (c *cluster) blind(i, j int) *cluster {
	c.Hosts[host(i)].Sees[peerURL(j)] = facts.Seen{Error: "dial tcp: i/o timeout"}
	return c
}

func (c *cluster) forcing(i int) *cluster {
	return c.edit(i, func(h *Host) {
		h.Forcing = &facts.Forcing{Phase: "stopped", MemberID: memberID(i), ClusterID: clusterID}
	})
}

func (c *cluster) flag(i int) *cluster {
	return c.edit(i, func(h *Host) {
		h.Live.ForceProcess = true
		h.ForceFlags = []facts.ForceFlag{{Where: "process"}, {Where: "drop-in", Path: "/etc/systemd/system/etcd.service.d/temp.conf"}}
	})
}

func (c *cluster) flagFile(i int) *cluster {
	return c.edit(i, func(h *Host) { h.ForceFlags = []facts.ForceFlag{{Where: "etcd.conf", Path: "/etc/etcd/etcd.conf"}} })
}

func (c *cluster) damaged(i int) *cluster {
	return c.edit(i, func(h *Host) {
		h.Log.Damage = []facts.Damage{{Code: "crc", File: "0000000000000000-0000000000000000.wal", Text: "the chain of sums is broken"}}
	})
}

func (c *cluster) startFailed() *cluster { c.StartFailed = true; return c }
func (c *cluster) alone() *cluster       { c.Rejoin = false; return c }

// before makes the earlier look: this cluster with a change.
func (c *cluster) before(change func(*cluster)) *cluster {
	past := &cluster{n: c.n, Request: Request{Hosts: map[string]Host{}}}
	for name, h := range c.Hosts {
		past.Hosts[name] = h
	}
	change(past)
	c.Earlier = past.Hosts
	return c
}

// unstarted is a member list of n in which member i was never started: it has no name, and another ID than data of old.
func unstarted(n, i int) []facts.ClusterMember {
	list := memberList(n)
	list[i].Name, list[i].ClientURLs = "", nil
	return list
}

func (c *cluster) accept() *cluster          { c.AcceptLoss = true; return c }
func (c *cluster) prefer(i int) *cluster     { c.Prefer = host(i); return c }
func (c *cluster) unreadable(i int) *cluster { c.Unreadable = append(c.Unreadable, host(i)); return c }

// commit: the log's last HardState, and all else that is known to be committed there, ends at an index.
func (c *cluster) commit(i int, index uint64) *cluster {
	return c.edit(i, func(h *Host) {
		h.Log.Commit, h.Log.KnownCommitted, h.Database.ConsistentIndex = index, index, index
	})
}

// foreign: the host has data of another cluster.
func (c *cluster) foreign(i int) *cluster {
	return c.edit(i, func(h *Host) {
		h.Member.ClusterID, h.Member.ID = "bad0bad0", "f00"
		h.Log = history("foreign", run{2, 4000})
	})
}

// listAll gives every host that knows a member list another one.
func (c *cluster) listAll(members []facts.ClusterMember) *cluster {
	for i := range c.n {
		if c.Hosts[host(i)].Members != nil {
			c.list(members, i)
		}
	}
	return c
}

// v2: the v2 store is known to hold no key.
func (c *cluster) v2(hosts ...int) *cluster {
	for _, i := range hosts {
		c.edit(i, func(h *Host) { h.V2Data = &facts.V2Data{} })
	}
	return c
}

func (c *cluster) revisions(revision int64, hosts ...int) *cluster {
	for _, i := range hosts {
		c.edit(i, func(h *Host) { h.Database.Revision, h.Live.Revision = revision, revision })
	}
	return c
}

// newHost is a host of new_etcd, with nothing on it.
func (c *cluster) newHost(i int) *cluster {
	c.put(i, stopped(i, c.n))
	c.wiped(i)
	c.NewHosts = append(c.NewHosts, host(i))
	return c
}
