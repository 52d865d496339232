package plan

import (
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/rows"
	"github.com/google/go-cmp/cmp"
)

// remove asks for the removal of a host, by its number.
func (c *cluster) remove(i int) *cluster { return c.removeName(host(i)) }

func (c *cluster) removeName(name string) *cluster { c.RemoveHost = name; return c }

func (c *cluster) caMoved() *cluster { c.CAMoved = true; return c }

// lastListed is a list that lacks the last member, as after a removal that was not finished.
func lastListed(n int) []facts.ClusterMember { return memberList(n + 1)[:n] }

// renamed gives a member a name and an address that no host has.
func renamed(n, i int) []facts.ClusterMember {
	list := memberList(n)
	list[i].Name, list[i].PeerURLs, list[i].ClientURLs = "old", []string{"https://198.51.100.9:2380"}, nil
	return list
}

// What the playbook carries out: the removal by ID, the URLs under every name, and the list that remains.
func TestRemovalNamesWhatGoes(t *testing.T) {
	c := lost(3).healthy(0, 1, 2).remove(2)
	c.Addresses = map[string][]string{host(2): {"master-2.example.com"}}
	p := Make(c.Request)
	url := func(i int) string { return host(i) + "=" + peerURL(i) }
	if len(p.Remove) != 1 || p.Remove[0].ID != memberID(2) {
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

// Each refusal names what to type next.
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

// A run may have been killed between the removal and its gate: the gate is still to be passed, so the play has its host.
func TestRemovalBegunHasItsGate(t *testing.T) {
	p := Make(lost(3).healthy(0, 1).list(lastListed(2), 0, 1).fenced(2).remove(2).Request)
	if d := cmp.Diff([]string{host(0)}, p.Plays[string(rows.StepRemoveMember)]); d != "" {
		t.Error(d)
	}
}
