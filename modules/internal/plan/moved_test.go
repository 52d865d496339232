package plan

import (
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/plan/rows"
)

// A host that has another address than the member list says cannot be reached by its peers, and that is not the network.
func TestMovedHosts(t *testing.T) {
	at := func(address string) func(*Host) { return func(h *Host) { h.MovedFrom = address } }
	elsewhere := func(h *Host) { h.MovedFrom, h.Config.PeerURLs = "192.0.2.11", []string{"https://192.0.2.111:2380"} }
	alone := func() *cluster { return lost(3).wiped(1, 2).edit(0, at("192.0.2.99")) }
	both := func() *cluster { return lost(3).wiped(2).edit(0, at("192.0.2.98")).edit(1, at("192.0.2.99")) }
	for name, c := range map[string]struct {
		now    *cluster
		action string
		code   string
	}{
		"alone, stopped":                   {alone(), rows.Force, ""},
		"alone, running, a joiner is down": {alone().running(0).blind(1, 0, "connection refused").blind(2, 0, "connection refused"), rows.Force, ""},
		"alone, one was added": {alone().running(0).listAll(unstarted(2, 1)).edit(0, elsewhere).edit(1, func(h *Host) {
			h.Config.InitialCluster = memberList(2)[0].Name + "=" + peerURL(0) + "," + memberList(2)[1].Name + "=" + peerURL(1)
		}), rows.Force, ""},
		"a majority":           {both(), rows.Refuse, "moved"},
		"a majority that runs": {both().running(0, 1).blind(0, 1, "connection refused").blind(1, 0, "connection refused"), rows.Refuse, "moved"},
		"one of a majority":    {both().edit(0, at("")), rows.Start, ""},
	} {
		p := Make(c.now.Request)
		if p.Action != c.action || c.code != "" && p.Refusals[0].Code != c.code {
			t.Errorf("%s: %s\n%s", name, p.Action, strings.Join(p.Lines, "\n"))
		}
	}
	findings := Make(lost(3).healthy(0, 1, 2).edit(1, at("192.0.2.99")).Request).Findings
	if len(findings) != 1 || findings[0].Code != "moved" || !strings.Contains(findings[0].Advice, "readdress.yml -e etcd_host="+host(1)) {
		t.Error(findings)
	}
}
