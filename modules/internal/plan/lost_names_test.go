package plan

import (
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/facts"
)

func TestLostHostsByName(t *testing.T) {
	stranger := func(c *cluster) *cluster {
		return c.listAll(append(memberList(3), facts.ClusterMember{ID: 0xff, Name: "old-etcd", PeerURLs: []string{"https://192.0.2.99:2380"}}))
	}
	for name, tc := range map[string]struct {
		c     *cluster
		names string
		want  string // code of the refusal; "" where it goes on
		asks  string // the names that the refusal prints
	}{
		"none":                     {lost(3).running(0).off(1, 2), "", "etcd_lost_hosts_off", host(1) + "," + host(2)},
		"a bare yes":               {lost(3).running(0).off(1, 2), "yes", "etcd_lost_hosts_off", host(1) + "," + host(2)},
		"a bare yes, one is off":   {lost(3).running(0).wiped(1).off(2), "yes", "etcd_lost_hosts_off", host(2)},
		"a bare yes for nothing":   {lost(3).running(0).wiped(1, 2), "yes", "", ""},
		"all":                      {lost(3).running(0).off(1, 2), host(2) + "," + host(1), "", ""},
		"one of two":               {lost(3).running(0).off(1, 2), host(1), "etcd_lost_hosts_off", host(1) + "," + host(2)},
		"a wrong name":             {lost(3).running(0).off(1, 2), host(1) + ",etcd-2", "etcd_lost_hosts_off", host(1) + "," + host(2)},
		"one that answers":         {lost(3).running(0).wiped(1).off(2), host(1) + "," + host(2), "lost_host_answers", host(2)},
		"one that has left":        {lost(3).running(0).off(1, 2), host(1) + "," + host(2) + ",etcd-9", "", ""},
		"a member without a host":  {stranger(lost(3).running(0).off(1, 2)), host(1) + "," + host(2), "etcd_lost_hosts_off", host(1) + "," + host(2) + ",ff"},
		"it is named by its ID":    {stranger(lost(3).running(0).off(1, 2)), host(1) + "," + host(2) + ",ff", "", ""},
		"a healthy cluster, later": {lost(3).healthy(0, 1, 2), host(1), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.c.LostHostsYes = tc.names == "yes"; !tc.c.LostHostsYes && tc.names != "" {
				tc.c.LostHosts = strings.Split(tc.names, ",")
			}
			p := Make(tc.c.Request)
			var codes []string
			for _, r := range p.Refusals {
				codes = append(codes, r.Code)
			}
			if strings.Join(codes, ",") != tc.want {
				show(t, p)
				t.Fatalf("refused %v, want %q", codes, tc.want)
			}
			if text := strings.Join(p.Lines, "\n") + "\n"; tc.asks != "" && !strings.Contains(text, "restore_quorum.yml -e etcd_lost_hosts_off="+tc.asks+"\n") {
				t.Errorf("the names to paste are not there:\n%s", text)
			}
			if p.Action == "force" && !tc.c.LostHostsYes && !strings.Contains(strings.Join(p.Lines, "\n"), "-e etcd_lost_hosts_off="+tc.names+" -e etcd_confirm=") {
				t.Errorf("the command does not carry the names:\n%s", strings.Join(p.Lines, "\n"))
			}
		})
	}
}

// Sentences name hosts in the order of the inventory, as the table and the commands do, and not in that of their members' IDs.
func TestNamesAreInTheInventorysOrder(t *testing.T) {
	c := lost(3).running(0).off(1, 2)
	c.Order = []string{host(0), host(2), host(1)}
	want := host(2) + " and " + host(1)
	if msg := Make(c.Request).Refusals[0].Msg; !strings.HasPrefix(msg, want+" cannot be reached") {
		t.Errorf("refused: %s", msg)
	}
	if given := strings.Join(Make(c.consent().Request).GivenUp, " "); !strings.Contains(given, want+" held") {
		t.Errorf("given up: %s", given)
	}
}
