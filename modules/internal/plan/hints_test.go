package plan

import (
	"regexp"
	"strings"
	"testing"
)

// Each refusal names a command as the next step. The advice of a failed check comes from the host, and is tested there.
func TestEveryRefusalNamesACommand(t *testing.T) {
	command := regexp.MustCompile(`(^|: |\n)(ansible(-playbook)?) [^;]+`)
	count := 0
	for _, one := range allCases(t) {
		checks := map[string]bool{}
		for _, h := range one.c.Hosts {
			for _, c := range h.Checks {
				checks[c.Name] = true
			}
		}
		p := Make(one.c.Request)
		for _, r := range append(append(p.Refusals, p.Holds...), p.RestoreReport.Refusals...) {
			count++
			if !checks[r.Code] && !command.MatchString(r.Hint) {
				t.Errorf("%s: %s: no command in %q", one.why, r.Code, r.Hint)
			}
		}
	}
	if count < 100 {
		t.Errorf("%d refusals in all cases; expected more", count)
	}
}

// A refusal that asks for one consent keeps the others in its command: two that leave out what the other asks for would lead to each other for ever.
func TestHintsKeepWhatWasGiven(t *testing.T) {
	count := 0
	for _, one := range allCases(t) {
		r := one.c.Request
		if r.RemoveHost != "" || r.Undo || len(r.FenceHosts) > 0 {
			continue
		}
		given := map[string]bool{"etcd_survivor=": r.Prefer != "", "etcd_accept_loss=yes": r.AcceptLoss, "etcd_lost_hosts_off=": len(r.LostHosts) > 0, "etcd_rejoin=no": !r.Rejoin}
		for _, refusal := range Make(r).Refusals {
			if !strings.Contains(refusal.Hint, "playbooks/restore_quorum.yml") {
				continue
			}
			for option, was := range given {
				count++
				if was && !strings.Contains(refusal.Hint, option) && !strings.Contains(refusal.Hint, "without "+strings.Split(option, "=")[0]) {
					t.Errorf("%s: %s: no %s in %q", one.why, refusal.Code, option, refusal.Hint)
				}
			}
		}
	}
	if count < 100 {
		t.Errorf("%d options of refusals in all cases; expected more", count)
	}
}
