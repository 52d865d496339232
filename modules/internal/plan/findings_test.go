package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/facts"
)

// certificate of a host that ends in so many days.
func (c *cluster) certificate(i, days int) *cluster {
	return c.edit(i, func(h *Host) {
		h.Certificates = []facts.Certificate{{Path: "/etc/etcd/peer.crt", Purpose: "peer", NotAfter: "2026-12-01T00:00:00Z", ExpiresDays: days}}
	})
}

func TestFindings(t *testing.T) {
	for name, tc := range map[string]struct {
		c    *cluster
		want []string // host's number and code
	}{
		"as it should be":          {lost(3).healthy(0, 1, 2).certificate(0, 400), nil},
		"a certificate ends soon":  {lost(3).healthy(0, 1, 2).certificate(1, 29), []string{"1 certificate_expires"}},
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
		"the list of the installation": {lost(3).healthy(0, 1, 2).edit(1, func(h *Host) { h.Config.InitialCluster = "" }), nil},
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
	got := Make(lost(3).healthy(0, 1, 2).certificate(0, 400).edit(1, func(h *Host) {
		h.SetAside = []facts.SetAside{{Path: "/var/lib/etcd/set-aside-20261123T031400Z/member", Bytes: 200 << 20}}
	}).Request).Checkup
	want := []string{
		"Certificate etcd-0.example.com: peer until 2026-12-01",
		"Set aside   etcd-1.example.com: old data in one directory, 200 MiB",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSpeaker(t *testing.T) {
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
		if got := Make(tc.c.Request).Speaker; got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
