package plan

import (
	"slices"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/report"
)

// expired gives hosts a server certificate that has ended.
func (c *cluster) expired(hosts ...int) *cluster {
	for _, i := range hosts {
		h := c.Hosts[host(i)]
		h.Certificates = append(h.Certificates, facts.Certificate{Path: "/etc/etcd/server.crt", Purpose: "server", ExpiresDays: -2})
		c.Hosts[host(i)] = h
	}
	return c
}

func (c *cluster) withoutCA() *cluster {
	for name, h := range c.Hosts {
		h.CAKey = false
		c.Hosts[name] = h
	}
	return c
}

func (c *cluster) caOn(i int) *cluster {
	h := c.Hosts[host(i)]
	h.CAKey, h.Enabled = true, true
	c.Hosts[host(i)] = h
	return c
}

func (c *cluster) restartDue(i int) *cluster {
	h := c.Hosts[host(i)]
	h.Checks = append(h.Checks, facts.Check{Name: "ca_restart", Status: "failed", Line: "changed", Advice: "ansible-playbook playbooks/renew_certificates.yml"})
	c.Hosts[host(i)] = h
	return c
}

// A member whose certificates have expired beside a quorum comes first, and is not waited for before it has new ones.
func TestRenewalOfOneOutside(t *testing.T) {
	r := Make(lost(3).healthy(0, 1).caOn(0).expired(2).Request).Renewal
	if want := []string{host(2), host(0), host(1)}; !slices.Equal(r.Hosts, want) || r.Serial != "1" {
		t.Errorf("%+v", r)
	}
	if g := r.Gates[host(2)]; !slices.Equal(g.Before, []string{memberID(2).String()}) || len(g.After) != 0 || len(r.Gates[host(0)].Before) != 0 {
		t.Errorf("%+v", r.Gates)
	}
}

func (c *cluster) newCA() *cluster { c.RenewCA = true; return c }

func (c *cluster) rolledOutFrom(i int) *cluster {
	h := c.Hosts[host(i)]
	h.CARenewal = "trust"
	c.Hosts[host(i)] = h
	return c
}

// A new CA needs quorum and all members; who has the CA leads it, or began it, or else the first host.
func TestNewCA(t *testing.T) {
	for name, c := range map[string]struct {
		facts         *cluster
		refusal, lead string
	}{
		"asked for":             {lost(3).healthy(0, 1, 2).caOn(1).withoutCA().caOn(1).newCA(), "", host(1)},
		"its key is lost":       {lost(3).healthy(0, 1, 2).withoutCA().newCA(), "", host(0)},
		"begun, nobody asks":    {lost(3).healthy(0, 1, 2).withoutCA().rolledOutFrom(2), "", host(2)},
		"no quorum":             {lost(3).caOn(0).newCA(), "there is no quorum", ""},
		"a member is not there": {lost(3).healthy(0, 1).caOn(0).newCA(), host(2) + " would not trust the new CA", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := Make(c.facts.Request).Renewal
			if c.refusal == "" && r.Refusal != "" || !strings.Contains(r.Refusal, c.refusal) || r.NewCA != c.lead || r.CA != "" || len(r.Hosts) > 0 {
				t.Errorf("%+v", r)
			}
			if r.Refusal == "" && len(r.Members) != 3 || r.Refusal != "" && !strings.Contains(r.Refusal, "renew_certificates.yml -e etcd_renew_ca=yes") {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestRenewal(t *testing.T) {
	for name, c := range map[string]struct {
		facts    *cluster
		refusal  string
		hosts    int
		together bool
	}{
		"quorum":                  {lost(3).healthy(0, 1, 2).caOn(0), "", 3, false},
		"no CA":                   {lost(3).healthy(0, 1, 2).withoutCA(), "no host that answers has the CA's key", 0, false},
		"lost for another reason": {lost(3).caOn(0), "No certificate has expired", 0, false},
		"lost, one has moved": {lost(3).caOn(0).edit(0, func(h *Host) {
			h.Certificates = []facts.Certificate{{Purpose: "peer", MissingHosts: []string{"192.0.2.99"}, ExpiresDays: 99}}
		}), "", 1, true},
		"lost, expired":                   {lost(3).caOn(0).caOn(1).caOn(2).expired(0, 1, 2), "", 3, true},
		"lost, expired, one out of reach": {lost(3).caOn(0).caOn(1).off(2).expired(0, 1), "", 2, true},
		"killed before the restart":       {lost(3).caOn(0).caOn(1).caOn(2).restartDue(0), "", 3, true},
		"a restore has begun":             {lost(3).caOn(0).fenced(1, 2).expired(0, 1, 2), "A restore has begun", 0, false},
		"a forced start has begun":        {lost(3).caOn(0).forcing(1).expired(0, 1, 2), "A restore has begun", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := Make(c.facts.Request).Renewal
			if c.refusal == "" && r.Refusal != "" || !strings.Contains(r.Refusal, c.refusal) || len(r.Hosts) != c.hosts || r.Together != c.together {
				t.Errorf("%+v", r)
			}
			if r.Refusal != "" && !strings.Contains(r.Refusal, "playbooks/") {
				t.Errorf("no way on: %s", r.Refusal)
			}
		})
	}
}

// A rotation that is not finished is said, and is no reason against a restore: it goes on only with quorum.
func TestRotationUnderARestore(t *testing.T) {
	before, after := Make(lost(3).caOn(0).Request), Make(lost(3).caOn(0).rolledOutFrom(0).Request)
	if before.Action != after.Action || len(after.Refusals) != len(before.Refusals) {
		t.Errorf("%s, %v; without it: %s", after.Action, after.Refusals, before.Action)
	}
	if !slices.ContainsFunc(after.Findings, func(f report.Finding) bool {
		return f.Code == "ca_renewal" && strings.Contains(f.Advice, "renew_certificates.yml")
	}) {
		t.Errorf("%+v", after.Findings)
	}
}
