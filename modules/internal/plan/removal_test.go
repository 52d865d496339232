package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/facts"
)

// remove asks for the removal of a host, by its number.
func (c *cluster) remove(i int) *cluster { return c.removeName(host(i)) }

func (c *cluster) removeName(name string) *cluster { c.RemoveHost = name; return c }

func (c *cluster) caMoved() *cluster { c.CAMoved = true; return c }

// lastListed: the list without its last member, as after a removal that was not finished.
func lastListed(n int) []facts.ClusterMember { return memberList(n + 1)[:n] }

func TestRemoval(t *testing.T) {
	for _, tc := range []testCase{
		{"a healthy member", lost(3).healthy(0, 1, 2).remove(2),
			want{action: RemoveHost, who: host(0), groups: map[string]string{"leave": "2", "final": "0 1", "masters": "m", "out": "2"}, out: "2"}},
		{"a stopped member", lost(3).healthy(0, 1).remove(2),
			want{action: RemoveHost, who: host(0), groups: map[string]string{"leave": "2", "final": "0 1"}, out: "2"}},
		{"a wiped member", lost(3).healthy(0, 1).wiped(2).remove(2),
			want{action: RemoveHost, who: host(0), groups: map[string]string{"leave": "2"}, out: "2"}},
		{"a host that is off", lost(3).healthy(0, 1).off(2).remove(2),
			want{action: RemoveHost, who: host(0), groups: map[string]string{"leave": "", "final": "0 1"}, out: "2"}},
		{"one of two", lost(2).healthy(0, 1).remove(1),
			want{action: RemoveHost, who: host(0), groups: map[string]string{"leave": "1", "final": "0"}, out: "1"}},
		{"added and never started", lost(3).healthy(0, 1).list(unstarted(3, 2), 0, 1).wiped(2).remove(2),
			want{action: RemoveHost, who: host(0), groups: map[string]string{"leave": "2"}, out: "2"}},
		{"begun: off the list, still running", lost(3).healthy(0, 1).running(2).list(lastListed(2), 0, 1).remove(2),
			want{action: RemoveHost, who: host(0), groups: map[string]string{"leave": "2", "final": "0 1", "masters": "m"}, out: "2"}},
		{"begun: off the list, fenced", lost(3).healthy(0, 1).list(lastListed(2), 0, 1).fenced(2).remove(2),
			want{action: RemoveHost, who: host(0), groups: map[string]string{"leave": "2", "final": "0 1"}, out: "2"}},
		{"begun: off the list, out of reach", lost(3).healthy(0, 1).list(lastListed(2), 0, 1).off(2).remove(2),
			want{action: RemoveHost, who: host(0), groups: map[string]string{"leave": ""}, out: "2"}},
		{"the CA's host, whose key was moved", lost(3).healthy(0, 1, 2).remove(0).caMoved(),
			want{action: RemoveHost, who: host(1), groups: map[string]string{"leave": "0", "final": "1 2"}, out: "0"}},
		{"the CA's host is off, another has the key", lost(3).healthy(1, 2).off(0).edit(1, func(h *Host) { h.CAKey = true }).remove(0),
			want{action: RemoveHost, who: host(1), out: "0"}},
		{"one that Ansible does not reach takes part all the same", lost(3).healthy(0, 2).off(1).sees(0, 1).sees(2, 1).remove(2),
			want{action: RemoveHost, who: host(0), groups: map[string]string{"final": "0"}, out: "2"}},

		{"the last one", lost(1).healthy(0).remove(0).caMoved(), want{action: Refuse, who: "last_member"}},
		{"the CA's host", lost(3).healthy(0, 1, 2).remove(0), want{action: Refuse, who: "ca_host"}},
		{"the CA's host is off", lost(3).healthy(1, 2).off(0).remove(0), want{action: Refuse, who: "ca_host"}},
		{"a healthy one while another is down", lost(3).healthy(0, 1).remove(1), want{action: Refuse, who: "quorum_would_go"}},
		{"one of two, the other added and never started", lost(2).healthy(0).list(unstarted(2, 1), 0).remove(0).caMoved(), want{action: Refuse, who: "quorum_would_go"}},
		{"those that stay are out of Ansible's reach", lost(3).healthy(2).off(0, 1).sees(2, 0).sees(2, 1).remove(2), want{action: Refuse, who: "no_way_in"}},
		{"no quorum", lost(3).running(0).wiped(1, 2).remove(2), want{action: Refuse, who: "no_quorum"}},
		{"a stranger", lost(3).healthy(0, 1, 2).removeName("etcd-7.example.com"), want{action: Refuse, who: "no_such_host"}},
		{"a pattern", lost(3).healthy(0, 1, 2).removeName("etcd-*"), want{action: Refuse, who: "no_such_host"}},
		{"two hosts", lost(3).healthy(0, 1, 2).removeName(host(1) + "," + host(2)), want{action: Refuse, who: "no_such_host"}},
		{"all hosts", lost(3).healthy(0, 1, 2).removeName("all"), want{action: Refuse, who: "no_such_host"}},
		{"a stranger, and nobody answers", lost(3).off(0, 1, 2).removeName("etcd-7.example.com"), want{action: Refuse, who: "no_such_host"}},
		{"nobody answers", lost(3).off(0, 1, 2).remove(2), want{action: Refuse, who: "no_host_answered"}},
		{"hosts of new_etcd only", lost(0).newHost(0).removeName("x"), want{action: Refuse, who: "no_such_host"}},
		{"a host of new_etcd", lost(3).healthy(0, 1, 2).newHost(3).remove(3), want{action: Refuse, who: "no_such_host"}},
		{"an unreachable host that may be a member of another name", lost(3).healthy(0, 1).off(2).listAll(renamed(2)).
			edit(0, forgets).edit(1, forgets).remove(2), want{action: Refuse, who: "unknown_member"}},
		{"a forced start was begun", lost(3).healthy(0, 1, 2).forcing(0).remove(2), want{action: Refuse, who: "forced"}},
		{"a force flag in a process", lost(3).healthy(0, 1, 2).flag(0).remove(2), want{action: Refuse, who: "forced"}},
		{"two quorums", lost(3).healthy(0, 1, 2).list(memberList(1), 0).remove(2), want{action: Refuse, who: "network"}},
		{"a host without facts", lost(3).healthy(0, 1, 2).edit(1, func(h *Host) { *h = Host{Failed: true, Msg: "module not found"} }).remove(2),
			want{action: Refuse, who: "facts_missing"}},
	} {
		t.Run(tc.name, func(t *testing.T) { check(t, tc) })
	}
}

// renamed gives a member a name and an address that no host is known by.
func renamed(i int) []facts.ClusterMember {
	list := memberList(3)
	list[i].Name, list[i].PeerURLs, list[i].ClientURLs = "old", []string{"https://198.51.100.9:2380"}, nil
	return list
}

func forgets(h *Host) { h.Config.InitialCluster = "" }

// What the playbook carries out: the member by its ID, the URLs by every name, and the list that stays.
func TestRemovalNamesWhatGoes(t *testing.T) {
	c := lost(3).healthy(0, 1, 2).remove(2)
	c.Addresses = map[string][]string{host(2): {"master-2.example.com"}}
	p := Make(c.Request)
	url := func(i int) string { return host(i) + "=" + peerURL(i) }
	if len(p.Remove) != 1 || p.Remove[0].ID != strings.TrimLeft(memberID(2), "0") {
		t.Errorf("%+v", p.Remove)
	}
	if diff := cmp.Diff([]Client{{Name: host(2), Aliases: []string{"master-2.example.com", "192.0.2.22"}}}, p.Clients.Remove); diff != "" {
		t.Error(diff)
	}
	if want := url(0) + "," + url(1); p.InitialCluster != want {
		t.Errorf("%s, want %s", p.InitialCluster, want)
	}
	if p := Make(lost(3).healthy(0, 1).list(lastListed(2), 0, 1).fenced(2).remove(2).Request); len(p.Remove) != 0 || p.InitialCluster != url(0)+","+url(1) {
		t.Errorf("the second run: %+v, %s", p.Remove, p.InitialCluster)
	}
}

// Whatever refuses names what to type next.
func TestRemovalRefusalsHaveAHint(t *testing.T) {
	for _, c := range []*cluster{
		lost(1).healthy(0).remove(0), lost(3).healthy(0, 1, 2).remove(0), lost(3).healthy(0, 1).remove(1), lost(3).remove(2),
		lost(3).healthy(0, 1, 2).removeName("nobody"), lost(3).healthy(0, 1, 2).forcing(0).remove(2),
	} {
		for _, r := range Make(c.Request).Refusals {
			if !strings.Contains(r.Hint, "ansible") {
				t.Errorf("%s: %s", r.Msg, r.Hint)
			}
		}
	}
}
