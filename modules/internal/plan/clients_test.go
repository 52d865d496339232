package plan

import (
	"slices"
	"testing"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/rows"
	"github.com/google/go-cmp/cmp"
)

// Lists of URLs have host names, addresses, or both. An unreachable host is known by the inventory and the member list.
func TestClients(t *testing.T) {
	c := lost(3).running(0).off(1).wiped(2).consent()
	c.Addresses = map[string][]string{host(0): {"192.0.2.20"}, host(1): {"192.0.2.21", "10.0.0.1", ""}, host(2): {"192.0.2.22"}}
	want := Clients{
		Remove:  []Client{{Name: host(1), Aliases: []string{"192.0.2.21", "10.0.0.1"}}},
		Keep:    []Client{{Name: host(0), Aliases: []string{"192.0.2.20"}}, {Name: host(2), Aliases: []string{"192.0.2.22"}}},
		Members: []Client{}, // not known without quorum
	}
	if diff := cmp.Diff(want, Make(c.Request).Clients); diff != "" {
		t.Fatal(diff)
	}
}

func TestClientsOfAMemberThatIsNoHost(t *testing.T) {
	c := lost(2).running(0).wiped(1).consent()
	c.listAll(append(memberList(2), facts.ClusterMember{ID: 0xff00000000000000, Name: "old-etcd", PeerURLs: []string{"https://192.0.2.99:2380"},
		ClientURLs: []string{"https://old-etcd.example.com:2379"}}))
	p := Make(c.Request)
	want := []Client{{Name: "old-etcd", Aliases: []string{"192.0.2.99", "old-etcd.example.com"}}}
	if diff := cmp.Diff(want, p.Clients.Remove); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff([]string{"old-etcd"}, p.StaysOut); diff != "" {
		t.Fatal(diff)
	}
	for step, hosts := range p.Plays {
		if slices.Contains(hosts, "old-etcd") {
			t.Fatalf("%s is to act on what is no host: %v", step, hosts)
		}
	}
}

// The members with which lists of URLs are compared; a member without a host is known by its own entry.
func TestClientsThatAreMembers(t *testing.T) {
	c := lost(3).healthy(0, 1).off(2).newHost(3).sees(0, 2)
	c.Addresses = map[string][]string{host(0): {"192.0.2.20"}}
	c.listAll(append(memberList(2), facts.ClusterMember{ID: 0xff00000000000000, Name: "old-etcd", PeerURLs: []string{"https://192.0.2.99:2380"}}))
	want := []Client{
		{Name: host(0), Aliases: []string{"192.0.2.20"}},
		{Name: host(1), Aliases: []string{"192.0.2.21"}},
		{Name: "old-etcd", Aliases: []string{"192.0.2.99"}},
	}
	if diff := cmp.Diff(want, Make(c.Request).Clients.Members); diff != "" {
		t.Fatal(diff)
	}
}

// An address that moved to a host that stays must not remove that host's URL.
func TestClientsNeverRemoveWhatStays(t *testing.T) {
	c := lost(3).running(0).off(1).wiped(2).consent()
	c.Addresses = map[string][]string{host(1): {"192.0.2.22", host(2), "lb.example.com"}}
	want := []Client{{Name: host(1), Aliases: []string{"lb.example.com", "192.0.2.21"}}}
	if diff := cmp.Diff(want, Make(c.Request).Clients.Remove); diff != "" {
		t.Fatal(diff)
	}
}

func TestNobodyLeavesWhenAllRejoin(t *testing.T) {
	if p := Make(lost(3).running(0).wiped(1, 2).Request); len(p.Clients.Remove) > 0 || len(p.StaysOut) > 0 {
		t.Fatalf("%+v %v", p.Clients.Remove, p.StaysOut)
	}
}

func TestInitialCluster(t *testing.T) {
	url := func(i int) string { return host(i) + "=" + peerURL(i) }
	cases := map[string]struct {
		c    *cluster
		want string
	}{
		"all rejoin":                 {lost(3).running(0).wiped(1, 2), url(0) + "," + url(1) + "," + url(2)},
		"one stays out":              {lost(3).running(0).wiped(1).off(2), url(0) + "," + url(1)},
		"alone":                      {lost(3).running(0).off(1, 2).consent(), url(0)},
		"a minority off stays":       {lost(5).off(4), url(0) + "," + url(1) + "," + url(2) + "," + url(3) + "," + url(4)},
		"the inventory's own order":  {lost(3).running(2).wiped(0, 1), url(0) + "," + url(1) + "," + url(2)},
		"a dead entry is taken out":  {lost(3).healthy(0, 1).listAll(unstarted(3, 2)).off(2), url(0) + "," + url(1)},
		"nothing is done to healthy": {lost(3).healthy(0, 1, 2), url(0) + "," + url(1) + "," + url(2)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if p := Make(tc.c.Request); p.InitialCluster != tc.want {
				show(t, p)
				t.Fatalf("%s, want %s", p.InitialCluster, tc.want)
			}
		})
	}
}

// A run that was killed before its last step left the old list in etcd.conf; a cluster that was never restored is left alone.
func TestOldInitialClusterIsWrittenAnew(t *testing.T) {
	conf := func(state, list string) func(*Host) {
		return func(h *Host) { h.Config.InitialClusterState, h.Config.InitialCluster = state, list }
	}
	full := lost(3).Hosts[host(0)].Config.InitialCluster
	c := lost(3).healthy(0, 1, 2).edit(0, conf("existing", host(0)+"="+peerURL(0))).edit(1, conf("new", "")).edit(2, conf("existing", full))
	p := Make(c.Request)
	if got := groupsOf(p)["final"]; p.Action != rows.Nothing || got != "0" {
		t.Fatalf("action %s, final %q, want host 0 only", p.Action, got)
	}
}

// On pods the probe comes back last, also when the run that removed it was killed.
func TestProbe(t *testing.T) {
	pod := func(h *Host) { h.Runtime, h.Probe = facts.StaticPod, "present" }
	c := lost(3).running(0).wiped(1, 2).edit(0, pod).edit(1, pod).edit(2, pod)
	if got := groupsOf(Make(c.Request))["probe"]; got != "0" {
		t.Errorf("after a forced start the probe comes back on %q, want 0", got)
	}
	c = lost(3).healthy(0, 1, 2).edit(1, pod).edit(2, func(h *Host) { h.Runtime, h.Probe = facts.StaticPod, "removed" })
	p := Make(c.Request)
	if got := groupsOf(p)["probe"]; p.Action != rows.FinishJoin || got != "2" {
		t.Errorf("action %s, probe on %q, want finish_join and 2", p.Action, got)
	}
}

// A host of new_etcd that holds old data is fenced beside a forced start, and left to add_hosts.yml.
func TestNewHosts(t *testing.T) {
	c := lost(3).running(0).wiped(1)
	c.NewHosts = []string{host(2)}
	c.listAll(memberList(2))
	p := Make(c.Request)
	groups := groupsOf(p)
	if p.Action != rows.Force || groups["fence"] != "1 2" || groups["rejoin"] != "1" || len(p.StaysOut) > 0 {
		show(t, p)
		t.Fatalf("action %s, %v, out %v", p.Action, groups, p.StaysOut)
	}
	if c := p.Clients; len(c.Keep) != 2 || len(c.Remove) != 0 {
		t.Fatalf("%+v", c)
	}
}

// What an earlier run has left: the URLs of a host that is still out, and not of one that is back.
func TestClientsLeft(t *testing.T) {
	c := lost(3).healthy(0, 1, 2)
	c.edit(1, func(h *Host) {
		h.ClientsLeft = &facts.ClientsLeft{Remove: []Client{{Name: "gone.example.com", Aliases: []string{"192.0.2.99"}}, {Name: host(2)}}, Lost: true}
	})
	p := Make(c.Request)
	if diff := cmp.Diff([]Client{{Name: "gone.example.com", Aliases: []string{"192.0.2.99"}}}, p.Clients.Remove); diff != "" || !p.Clients.Lost {
		t.Error(p.Clients, diff)
	}
	if diff := cmp.Diff([]string{host(1)}, p.Plays[rows.PlayClientsLeft]); diff != "" {
		t.Error(diff)
	}
	c.Simulate = true
	if p := Make(c.Request); len(p.Plays[rows.PlayClientsLeft]) > 0 {
		t.Error(p.Plays)
	}
}
