package plan

import (
	"fmt"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/facts"
	"github.com/google/go-cmp/cmp"
)

// certificate gives a host a certificate that ends in so many days.
func (c *cluster) certificate(i, days int) *cluster {
	return c.edit(i, func(h *Host) {
		h.Certificates = []facts.Certificate{{Path: "/etc/etcd/peer.crt", Purpose: "peer", NotAfter: "2026-12-01T00:00:00Z", ExpiresDays: days}}
	})
}

// bundle gives a host a bundle of CA certificates that end in so many days.
func (c *cluster) bundle(i int, days ...int) *cluster {
	return c.edit(i, func(h *Host) {
		for n, left := range days {
			h.Certificates = append(h.Certificates, facts.Certificate{Path: "/etc/etcd/ca.crt", Position: n + 1, Purpose: "ca",
				Subject: fmt.Sprintf("CN=etcd-signer@%d", n), Issuer: fmt.Sprintf("CN=etcd-signer@%d", n), NotAfter: "2026-12-01T00:00:00Z", ExpiresDays: left})
		}
	})
}

// old removes all hosts from new_etcd.
func (c *cluster) old() *cluster { c.NewHosts = nil; return c }

// waits puts a host into new_etcd of the inventory.
func (c *cluster) waits(i int) *cluster { c.NewHosts = append(c.NewHosts, host(i)); return c }

// stranger adds a member without a host in the inventory to the list.
func (c *cluster) stranger() *cluster {
	list := append(memberList(c.n), facts.ClusterMember{ID: 0xff, Name: "old-etcd", PeerURLs: []string{"https://192.0.2.99:2380"}})
	for i := range c.n {
		c.edit(i, func(h *Host) { h.Config.InitialCluster += ",old-etcd=https://192.0.2.99:2380" })
	}
	return c.listAll(list)
}

func TestFindings(t *testing.T) {
	for name, tc := range map[string]struct {
		c    *cluster
		want []string // host's number and code
	}{
		"as it should be":          {lost(3).healthy(0, 1, 2).certificate(0, 400), nil},
		"a certificate ends soon":  {lost(3).healthy(0, 1, 2).certificate(1, 59), []string{"1 certificate_expires"}},
		"not so soon":              {lost(3).healthy(0, 1, 2).certificate(1, 60), nil},
		"in a bundle":              {lost(3).healthy(0, 1, 2).bundle(1, 700, 59), []string{"1 certificate_expires"}},
		"the old CA of a bundle":   {lost(3).healthy(0, 1, 2).bundle(1, 700, -1), []string{"1 certificate_expired"}},
		"a certificate has ended":  {notReady(), []string{"2 certificate_peer"}},
		"out of reach":             {lost(3).healthy(0, 1).off(2).sees(0, 2), []string{"2 not_looked_at"}},
		"a flag in a file":         {lost(3).healthy(0, 1, 2).flagFile(1), []string{"1 force_flag"}},
		"a flag in a process, too": {lost(3).healthy(0, 1, 2).flag(0), []string{"0 force_flag", "0 force_flag"}},
		"fenced":                   {lost(3).healthy(0, 1).fenced(2), []string{"2 fenced"}},
		"a forced start was begun": {lost(3).running(0).forcing(0), []string{"0 forcing"}},
		"a pod without its probe":  {lost(3).healthy(0, 1, 2).edit(1, func(h *Host) { h.Probe = "removed" }), []string{"1 probe"}},
		"an old ETCD_INITIAL_CLUSTER": {lost(3).healthy(0, 1, 2).edit(1, func(h *Host) {
			h.Config.InitialClusterState, h.Config.InitialCluster = "existing", "etcd-1.example.com="+peerURL(1)
		}), []string{"1 initial_cluster"}},
		"a list with a host that left": {lost(3).healthy(0, 1, 2).edit(1, func(h *Host) {
			h.Config.InitialCluster += ",etcd-9.example.com=" + peerURL(9)
		}), []string{"1 initial_cluster"}},
		"no list":                      {lost(3).healthy(0, 1, 2).edit(1, func(h *Host) { h.Config.InitialCluster = "" }), nil},
		"a waiting host among members": {lost(3).healthy(0, 1, 2).newHost(3).edit(3, func(h *Host) { h.Config.InitialCluster = "" }).old(), []string{"3 no_member"}},
		"a member that waits":          {lost(3).healthy(0, 1, 2).waits(2), []string{"2 member_is_new"}},
		"a member without a host":      {lost(3).healthy(0, 1, 2).stranger(), []string{"old-etcd member_without_host"}},
		"the list of the installation": {lost(3).healthy(0, 1, 2).edit(1, func(h *Host) { h.Config.InitialClusterState = "new" }), nil},
		"a host that is not in yet":    {lost(3).healthy(0, 1, 2).newHost(3).edit(3, func(h *Host) { h.Fenced = &facts.Fence{} }), nil},
	} {
		var got []string
		p := Make(tc.c.Request)
		for _, f := range p.Findings {
			got = append(got, numbers([]string{f.Host})+" "+f.Code)
			if f.Line == "" || f.Advice == "" || !strings.Contains(strings.Join(p.Checkup, "\n"), "["+f.Code+"]") {
				t.Errorf("%s: %+v is not for people: %q", name, f, p.Checkup)
			}
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestCheckupHasTheDates(t *testing.T) {
	peer := facts.Certificate{Path: "/etc/etcd/peer.crt", Position: 1, Purpose: "peer", Subject: "CN=etcd-0", Issuer: "CN=etcd-signer@0",
		Usages: []string{"serverAuth", "clientAuth"}, SANs: []string{"192.0.2.20"}, NotAfter: "2026-12-01T00:00:00Z", ExpiresDays: 400}
	got := Make(lost(3).healthy(0, 1, 2).bundle(0, 700, -3).edit(0, func(h *Host) { h.Certificates = append(h.Certificates, peer) }).edit(1, func(h *Host) {
		h.SetAside = []facts.SetAside{{Path: "/var/lib/etcd/set-aside-20261123T031400Z/member", Bytes: 200 << 20}}
	}).Request).Checkup
	want := []string{
		"Certificate etcd-0.example.com: ca until 2026-12-01, ca until 2026-12-01, peer until 2026-12-01",
		"            /etc/etcd/ca.crt (1) CN=etcd-signer@0: 700 days left; issuer CN=etcd-signer@0",
		"            /etc/etcd/ca.crt (2) CN=etcd-signer@1: expired on 2026-12-01T00:00:00Z; issuer",
		"            CN=etcd-signer@1",
		"            /etc/etcd/peer.crt CN=etcd-0: 400 days left; serverAuth and clientAuth; for 192.0.2.20;",
		"            issuer CN=etcd-signer@0",
		"CA's key    on etcd-0.example.com",
		"Set aside   etcd-1.example.com: old data in one directory, 200 MiB",
	}
	if diff := cmp.Diff(want, got[:min(len(got), len(want))]); diff != "" {
		t.Error(diff)
	}
}

// renew_certificates.yml is named where it can renew the certificate.
func TestWhoRenews(t *testing.T) {
	const ours, installers = "playbooks/renew_certificates.yml", "playbooks/openshift-etcd/redeploy-"
	soon := func() *cluster { return lost(3).healthy(0, 1, 2).certificate(1, 59) }
	for name, tc := range map[string]struct {
		c    *cluster
		want string
	}{
		"quorum and CA":       {soon(), ours},
		"the CA ends as well": {soon().bundle(1, 59), ours},
		"nobody has the key":  {soon().edit(0, func(h *Host) { h.CAKey = false }), installers},
		"no quorum":           {lost(3).running(1).certificate(1, 59), installers},
	} {
		found := false
		for _, f := range Make(tc.c.Request).Findings {
			if f.Code == "certificate_expires" {
				found = true
				if !strings.Contains(f.Advice, tc.want) {
					t.Errorf("%s: %s", name, f.Advice)
				}
			}
		}
		if !found {
			t.Errorf("%s: no finding", name)
		}
	}
}

func TestCheckupWithoutTheCAsKey(t *testing.T) {
	got := Make(lost(3).healthy(0, 1, 2).certificate(1, 400).edit(0, func(h *Host) { h.CAKey = false }).
		edit(1, func(h *Host) { h.Certificates[0].MissingHosts = []string{"192.0.2.99"} }).Request).Checkup
	text := strings.Join(got, "\n")
	for _, want := range []string{"NOT for 192.0.2.99", "CA's key    on no host that answers"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}

func TestQueryHost(t *testing.T) {
	for name, tc := range map[string]struct {
		c    *cluster
		want string
	}{
		"the first is off":  {lost(3).healthy(1, 2).off(0), host(1)},
		"no quorum":         {lost(3).running(2), host(2)},
		"nobody runs":       {lost(3).off(0), host(1)},
		"nobody can answer": {lost(3).off(0, 1, 2), ""},
		"quorum goes first": {lost(3).running(0).healthy(1, 2), host(1)},
	} {
		if got := Make(tc.c.Request).QueryHost; got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// Without a quorum no member serves: to wait for that ended the run before the member joined that brings the quorum.
func TestRestartWaits(t *testing.T) {
	for want, c := range map[string]*cluster{"serving": lost(3).healthy(0, 1), "process": lost(3).running(0).wiped(1)} {
		if got := Make(c.Request).RestartWait; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
