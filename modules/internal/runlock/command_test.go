package runlock

import (
	"strings"
	"testing"
)

// The record of a run, and a refusal of the next one, are named after the playbook, not after a file of variables.
func TestCommand(t *testing.T) {
	for line, want := range map[string]string{
		"ansible-playbook -i hosts playbooks/fence.yml":                            "fence.yml",
		"python3 /usr/bin/ansible-playbook -i hosts.yml playbooks/fence.yml":       "fence.yml",
		"python3 /usr/bin/ansible-playbook -e @a.yml --check fence.yml -e @b.yml":  "fence.yml",
		"ansible-playbook -e@a.yml --inventory=hosts.yml --vault-id ops@v.yml x.y": "ansible-playbook",
		"ansible-playbook -i hosts quorum.etcd.restore_quorum":                     "restore_quorum.yml",
		"ansible-playbook -i quorum.etcd.example.com, quorum.etcd.fence":           "fence.yml",
		"/bin/sh x/ansible-playbook module args.json x/fence.yml":                  "fence.yml",
	} {
		if got := command(strings.Fields(line)); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}
