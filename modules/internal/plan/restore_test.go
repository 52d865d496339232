package plan

import (
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/plan/rows"
	"github.com/google/go-cmp/cmp"
)

// begun: etcd_restore was interrupted on the host, before or after its member was put in place.
func (c *cluster) begun(i int, clusterID facts.ID) *cluster {
	return c.edit(i, func(h *Host) {
		h.Restoring = &facts.Restoring{Phase: "laid", Backup: "/backup/x/copy", ClusterID: clusterID, MemberID: memberID(i)}
	})
}

// bornEmpty: the host was wiped, and has formed a new cluster with others.
func (c *cluster) bornEmpty(hosts ...int) *cluster {
	for _, i := range hosts {
		c.log(i, history("young", run{2, 8})).edit(i, func(h *Host) {
			h.Database.Revision, h.Live.Revision, h.V2Data = 1, 1, &facts.V2Data{}
		})
	}
	return c
}

func TestMayRestore(t *testing.T) {
	all := []string{"host 0", "fence 1 2", "config 0 1 2"}
	for name, c := range map[string]struct {
		c    *cluster
		want string   // code of the refusal, "" = none
		due  bool     //
		does []string // groups with their hosts
	}{
		"no data":                {lost(3).wiped(0, 1, 2), "", true, all},
		"the operator's host":    {lost(3).wiped(0, 1, 2).prefer(2), "", true, []string{"host 2", "fence 0 1", "config 2 0 1"}},
		"no such host":           {lost(3).wiped(0, 1, 2).prefer(7), "no_host", false, nil},
		"one has data":           {lost(3).wiped(0, 1), "data_left", false, nil},
		"a removed member's":     {lost(3).wiped(0, 1).list(memberList(2), 2), "data_left", false, nil},
		"damaged data":           {lost(3).wiped(0, 1).damaged(2), "", true, all},
		"one is off":             {lost(3).wiped(0, 1).off(2), "etcd_lost_hosts_off", false, nil},
		"one stays off":          {lost(3).wiped(0, 1).off(2).consent(), "", true, []string{"host 0", "fence 1", "config 0 1"}},
		"one of new_etcd is off": {lost(3).wiped(0, 1, 2).newHost(3).off(3), "etcd_lost_hosts_off", false, nil},
		"no facts of one":        {lost(3).wiped(0, 1).edit(2, func(h *Host) { *h = Host{Failed: true, Msg: "no"} }), "facts_missing", false, nil},
		"all off":                {lost(3).off(0, 1, 2).consent(), "no_host", false, nil},
		"quorum":                 {lost(3).healthy(0, 1, 2), "", false, nil},
		"an empty cluster":       {lost(3).healthy(0, 1, 2).bornEmpty(0, 1, 2), "", true, all},
		"begun, not in place":    {lost(3).wiped(0, 1, 2).begun(1, 0xfeed), "", true, []string{"host 1", "fence 0 2", "config 1 0 2"}},
		"begun and in place":     {lost(3).wiped(1, 2).begun(0, clusterID), "", true, all},
		"begun, other data":      {lost(3).wiped(1, 2).begun(0, 0xfeed), "data_left", false, nil},
		"begun, data elsewhere":  {lost(3).wiped(2).begun(0, clusterID), "data_left", false, nil},
		"begun twice":            {lost(3).wiped(0, 1, 2).begun(0, 0xfeed).begun(1, 0xfeed), "two_restores", false, nil},
		"begun elsewhere":        {lost(3).wiped(0, 1, 2).begun(0, 0xfeed).prefer(1), "restore_begun_elsewhere", false, nil},
		"a cluster of one":       {lost(1).wiped(0), "", true, []string{"host 0", "config 0", "masters"}},
		"serves, and was begun":  {lost(3).healthy(0).wiped(1, 2).begun(0, clusterID), "", true, all},
	} {
		t.Run(name, func(t *testing.T) {
			p := Make(c.c.Request)
			r := p.Restore
			var codes, does []string
			for _, x := range p.RestoreReport.Refusals {
				codes = append(codes, x.Code)
			}
			if got := strings.Join(codes, ","); got != c.want || (len(r.Plays[rows.RestoreHost]) > 0) != c.due {
				t.Fatalf("refused %q, due %v; want %q, %v\n%s", got, !c.due, c.want, c.due, strings.Join(p.RestoreReport.Lines, "\n"))
			}
			for _, play := range []string{rows.RestoreHost, rows.RestoreFence, rows.RestoreConfig, rows.RestoreMaster} {
				switch hosts := r.Plays[play]; {
				case len(hosts) == 0:
				case play == rows.RestoreMaster:
					does = append(does, play)
				default:
					does = append(does, play+" "+numbers(hosts))
				}
			}
			if d := cmp.Diff(c.does, does); d != "" {
				t.Error(d)
			}
		})
	}
}

// Only where no backup is named, neither now nor by a run that began, do the hosts list theirs; check mode reads and lists as well.
func TestRestoreListsBackups(t *testing.T) {
	for name, c := range map[string]struct {
		c                 *cluster
		backup            string
		simulate          bool
		lists, puts, does int
	}{
		"no backup named":       {lost(3).wiped(0, 1, 2), "", false, 3, 1, 2},
		"named":                 {lost(3).wiped(0, 1, 2), "/backup/x", false, 0, 1, 2},
		"begun":                 {lost(3).wiped(0, 1, 2).begun(1, 0xfeed), "", false, 0, 1, 2},
		"check mode":            {lost(3).wiped(0, 1, 2), "/backup/x", true, 0, 0, 0},
		"check mode, not named": {lost(3).wiped(0, 1, 2), "", true, 3, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c.c.Backup, c.c.Simulate = c.backup, c.simulate
			plays := Make(c.c.Request).Restore.Plays
			got := []int{len(plays[rows.RestoreCheck]), len(plays[rows.RestoreList]), len(plays[rows.RestoreHost]), len(plays[rows.RestoreFence])}
			if d := cmp.Diff([]int{1, c.lists, c.puts, c.does}, got); d != "" {
				t.Error(d)
			}
		})
	}
}
