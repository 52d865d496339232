package plan

import (
	"testing"

	"etcd-quorum-restore/modules/internal/plan/report"
)

// How a run ends is reported in the same words by all playbooks, and is decided here.
func TestEnd(t *testing.T) {
	for name, c := range map[string]struct {
		c    *cluster
		want report.End
	}{
		"healthy":                    {lost(3).healthy(0, 1, 2), report.End{Now: "whole", Done: "whole"}},
		"a member is down":           {lost(3).healthy(0, 1).off(2), report.End{Now: "degraded", Done: "refused"}},
		"lost, and all come back":    {lost(3).running(0).wiped(1, 2), report.End{Now: "lost", Done: "whole"}},
		"lost, and one stays out":    {lost(3).running(0).wiped(1).off(2), report.End{Now: "lost", Done: "degraded"}},
		"stops at one member":        {lost(3).running(0).wiped(1, 2).alone(), report.End{Now: "lost", Done: "degraded"}},
		"check mode":                 {simulated(lost(3).running(0).wiped(1, 2)), report.End{Now: "lost", Done: "lost"}},
		"refused":                    {lost(3).running(0).off(1, 2), report.End{Now: "lost", Done: "refused"}},
		"no data":                    {lost(3).wiped(0, 1, 2), report.End{Now: "lost", Done: "refused"}},
		"another plan was confirmed": {confirmedOther(lost(3).running(0).wiped(1, 2)), report.End{Now: "lost", Done: "plan changed"}},
		"nobody answers":             {lost(3).off(0, 1, 2), report.End{Now: "failed", Done: "refused"}},
	} {
		if got := Make(c.c.Request).End; got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func simulated(c *cluster) *cluster { c.Simulate = true; return c }

func confirmedOther(c *cluster) *cluster { c.Confirmed.ID = "000000000000"; return c }
