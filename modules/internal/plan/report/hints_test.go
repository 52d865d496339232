package report

import (
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/plan/wording"
	"github.com/google/go-cmp/cmp"
)

func TestHintKeepsACommandInOnePiece(t *testing.T) {
	command := "ansible-playbook -i /a/very/long/path/to/an/inventory/of/hosts playbooks/restore_quorum.yml -e etcd_lost_hosts_off=yes -e a=b"
	got := hintLines("make sure of it, then: " + command)
	want := []string{"Next        make sure of it, then:", strings.Repeat(" ", wording.Indent) + command}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff([]string{"Next        " + command}, hintLines(command)); diff != "" {
		t.Fatal(diff)
	}
	want = []string{"Next        move it aside:", "            ansible a -i i -m etcd_data_dir", "            else:", "            " + command}
	if diff := cmp.Diff(want, hintLines("move it aside: ansible a -i i -m etcd_data_dir; else: "+command)); diff != "" {
		t.Fatal(diff)
	}
	for _, config := range []string{"ANSIBLE_CONFIG=/srv/site/ansible.cfg ", "ANSIBLE_CONFIG='/srv/a site/ansible.cfg' "} { // as a module on a host prints it
		want = []string{"Next        with quorum:", strings.Repeat(" ", wording.Indent) + config + command, "            else wait"}
		if diff := cmp.Diff(want, hintLines("with quorum: "+config+command+"; else wait")); diff != "" {
			t.Fatal(diff)
		}
	}
}
