package plan

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/rows"
)

const clusterID facts.ID = 0x7e27652122e8b2ae

func host(i int) string { return fmt.Sprintf("etcd-%d.example.com", i) }

func memberID(i int) facts.ID { return 0xa000000000000001 + facts.ID(i)*0x1111 }

func peerURL(i int) string { return fmt.Sprintf("https://192.0.2.%d:2380", 20+i) }

// run is a stretch of entries of one term that ends at an index.
type run struct{ term, last uint64 }

// history makes a log. Entries of the same seed, term and index are the same entry. The first index is 1: three entries of term 1 that
// every cluster of this configuration begins with, then the runs.
func history(seed string, runs ...run) *facts.Log {
	return chain(slices.Repeat([]string{seed}, len(runs)), runs)
}

// chain is history with a seed for each run.
func chain(seeds []string, runs []run) *facts.Log {
	key := fmt.Sprint(seeds, runs)
	if _, made := logs[key]; !made {
		if len(logs) > 500 {
			clear(logs)
		}
		logs[key] = write(seeds, runs)
	}
	l := *logs[key]
	return &l
}

var logs = map[string]*facts.Log{}

func write(seeds []string, runs []run) *facts.Log {
	l := &facts.Log{FirstIndex: 1, Terms: []facts.TermRange{}, ConfChanges: []facts.ConfChange{}, Damage: []facts.Damage{}}
	end := uint64(3)
	if len(runs) > 0 {
		end = runs[len(runs)-1].last
	}
	first := uint64(1)
	for k, r := range append([]run{{1, 3}}, runs...) {
		if n := len(l.Terms); n > 0 && l.Terms[n-1].Term == r.term {
			l.Terms[n-1].Last = r.last
		} else {
			l.Terms = append(l.Terms, facts.TermRange{Term: r.term, First: first, Last: r.last})
		}
		t := l.Terms[len(l.Terms)-1]
		for i := first; i <= r.last; i++ {
			if i <= 128 || i == t.First || i%64 == 0 || i+256 > end {
				l.Sums = append(l.Sums, facts.EntrySum{Index: i, Term: r.term, CRC: sum(seeds[max(k, 1)-1], t, i)})
			}
		}
		first = r.last + 1
	}
	last := l.Terms[len(l.Terms)-1]
	l.LastTerm, l.LastIndex, l.Term = last.Term, last.Last, last.Term
	l.Commit, l.KnownCommitted = l.LastIndex, l.LastIndex
	return l
}

// sum is an entry's sum: a new leader's first entry is empty, and the entries of term 1 are the same in all clusters.
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
		if t.First < first && first <= t.Last+1 {
			l.SnapshotTerm = t.Term
		}
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

// lost makes n members that no longer run; all have the same log of 1000 entries.
func lost(n int) *cluster {
	c := &cluster{n: n, Request: Request{Hosts: map[string]Host{}, Rejoin: true, Masters: []string{"master-0.example.com"}}}
	for i := range n {
		c.Order = append(c.Order, host(i))
		c.put(i, stopped(i, n))
	}
	return c
}

func (c *cluster) put(i int, h Host) { c.Hosts[host(i)] = h }

func (c *cluster) stop(i int) *cluster { c.put(i, stopped(i, c.n)); return c }

// edit changes one host's facts.
func (c *cluster) edit(i int, change func(*Host)) *cluster {
	h := c.Hosts[host(i)]
	change(&h)
	c.Hosts[host(i)] = h
	return c
}

func memberList(n int) []facts.ClusterMember {
	list := []facts.ClusterMember{}
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

// fenced fences hosts in one run, for host 0.
func (c *cluster) fenced(hosts ...int) *cluster {
	return c.record(facts.Fence{Why: "restore", Kind: facts.FenceRecovery, Survivor: host(0), Run: "r1"}, hosts...)
}

// lostFor: fence.yml ran on these hosts when they came back; the survivor had gone on without them.
func (c *cluster) lostFor(survivor string, hosts ...int) *cluster {
	return c.record(facts.Fence{Why: "it was lost", Kind: facts.FenceLost, Survivor: survivor, Run: "r2"}, hosts...)
}

// takenIn makes host i a member of a cluster that was forced on host 0, and that it joined since, under a new ID.
func (c *cluster) takenIn(i int) *cluster {
	list := memberList(i + 1)
	list[i].ID = 0xb000000000000000
	list = append(list[:1], list[i])
	return c.list(list, i).edit(i, func(h *Host) { h.Member.ID = list[1].ID })
}

// record fences hosts, each with this record and its own IDs in it.
func (c *cluster) record(fence facts.Fence, hosts ...int) *cluster {
	for _, i := range hosts {
		c.edit(i, func(h *Host) {
			own := fence
			if h.Member != nil {
				own.MemberID, own.ClusterID = &h.Member.ID, &h.Member.ClusterID
			}
			h.State, h.Fenced = facts.Fenced, &own
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

// consent names all hosts that are out of reach.
func (c *cluster) consent() *cluster { c.LostHosts = rows.See(c.Request).Unreached(); return c }

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

// blind: host i does not reach the peer port of j, and got this error.
func (c *cluster) blind(i, j int, message string) *cluster {
	c.Hosts[host(i)].Sees[peerURL(j)] = facts.Seen{Error: message}
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
	return c.edit(i, func(h *Host) {
		h.ForceFlags = []facts.ForceFlag{{Where: "etcd.conf", Path: "/etc/etcd/etcd.conf"}}
	})
}

func (c *cluster) damaged(i int) *cluster {
	return c.edit(i, func(h *Host) {
		h.Log.Damage = []facts.Damage{{Code: "crc", File: "0000000000000000-0000000000000000.wal", Text: "the chain of sums is broken"}}
	})
}

func (c *cluster) startFailed() *cluster { c.StartFailed = true; return c }

func (c *cluster) confirmed() *cluster {
	c.Confirmed = Confirmed{Any: true}
	return c
}

func (c *cluster) alone() *cluster { c.Rejoin = false; return c }

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

// unstarted is a member list of n in which member i was never started: it has no name, and another ID than its old data.
func unstarted(n, i int) []facts.ClusterMember {
	list := memberList(n)
	list[i].Name, list[i].ClientURLs = "", nil
	return list
}

func (c *cluster) accept() *cluster { c.AcceptLoss = true; return c }

func (c *cluster) prefer(i int) *cluster { c.Prefer = host(i); return c }

func (c *cluster) unreadable(i int) *cluster { c.Unreadable = append(c.Unreadable, host(i)); return c }

// commit ends everything that is known to be committed on a host, the log's last HardState included, at an index.
func (c *cluster) commit(i int, index uint64) *cluster {
	return c.edit(i, func(h *Host) {
		h.Log.Commit, h.Log.KnownCommitted, h.Database.ConsistentIndex = index, index, index
	})
}

// foreign: the host has data of another cluster.
func (c *cluster) foreign(i int) *cluster {
	return c.edit(i, func(h *Host) {
		h.Member.ClusterID, h.Member.ID = 0xbad0bad0, 0xf00
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

// notReady: one host's certificate has expired, and the survivor has no room for the backup.
func notReady() *cluster {
	return lost(3).running(0).wiped(1, 2).
		edit(0, func(h *Host) { h.BackupDir.FreeBytes = 100 << 20 }).
		edit(2, func(h *Host) {
			h.Checks = []facts.Check{{Name: "certificate_peer", Status: "failed", Line: "/etc/etcd/peer.crt expired on 2026-11-01T00:00:00Z",
				Advice: "renew it by openshift-ansible's playbooks/openshift-etcd/redeploy-certificates.yml"}}
		})
}

func (c *cluster) fence(hosts ...int) *cluster {
	for _, i := range hosts {
		c.FenceHosts = append(c.FenceHosts, host(i))
	}
	return c
}

func (c *cluster) undo() *cluster { c.Undo = true; return c }

func (c *cluster) newAgain(hosts ...int) *cluster {
	for _, i := range hosts {
		c.NewHosts = append(c.NewHosts, host(i))
	}
	return c
}

func (c *cluster) called(i int, names ...string) *cluster {
	if c.Addresses == nil {
		c.Addresses = map[string][]string{}
	}
	c.Addresses[host(i)] = names
	return c
}
