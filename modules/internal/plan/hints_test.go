package plan

import (
	"regexp"
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
