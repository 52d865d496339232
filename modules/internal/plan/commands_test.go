package plan

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/commands"
)

// Each command of every plan runs as pasted, from any directory: complete, in one piece, with nothing behind it.
func TestCommandsOfAllCases(t *testing.T) {
	place := commands.Place{Playbooks: "/opt/restore/playbooks", Inventory: []string{"/etc/ansible/my hosts"}, Host: "localhost"}
	whole := regexp.MustCompile(`^ansible(-playbook -i '/etc/ansible/my hosts' /opt/restore/playbooks/[a-z_]+\.yml( -e [a-z_]+=[^ ;]+)*| ` +
		`[^ ]+ -i '/etc/ansible/my hosts' -M /opt/restore/playbooks/library -m [a-z_]+( -a ('[^']*'|[^ ;]+))?)$`)
	begins := regexp.MustCompile(`(^|[^-\w/])(ansible(-playbook)? .*)$`)
	count := 0
	for _, one := range allCases(t) {
		one.c.Inventory = []string{"/etc/ansible/my hosts"}
		raw, err := json.Marshal(Make(one.c.Request).Report)
		if err != nil {
			t.Fatal(err)
		}
		answer := map[string]any{}
		if err := json.Unmarshal(raw, &answer); err != nil {
			t.Fatal(err)
		}
		place.CompleteAnswer(answer)
		texts(answer, func(text string) {
			for _, part := range strings.Split(text, "; ") {
				found := begins.FindStringSubmatch(part)
				if found == nil {
					continue
				}
				count++
				if !whole.MatchString(found[2]) {
					t.Errorf("%s: %q", one.why, found[2])
				}
			}
		})
	}
	if count < 200 {
		t.Errorf("%d commands in all cases; expected hundreds", count)
	}
}

func texts(value any, do func(string)) {
	switch v := value.(type) {
	case string:
		do(v)
	case []any:
		for _, each := range v {
			texts(each, do)
		}
	case map[string]any:
		for _, each := range v {
			texts(each, do)
		}
	}
}
