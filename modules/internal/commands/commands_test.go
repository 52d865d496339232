package commands

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var place = Place{Playbooks: "/opt/etcd restore/playbooks", Inventory: []string{"/etc/ansible/hosts", "a b,"}, Host: "etcd-0", Variables: map[string]string{"etcd_group": "my_etcd", "etcd_backup_dir": ""}}

func TestComplete(t *testing.T) {
	const (
		with   = ` -i /etc/ansible/hosts -i 'a b,'`
		script = `'/opt/etcd restore/playbooks/`
		m      = ` -M '/opt/etcd restore/playbooks/library' -m `
	)
	for given, want := range map[string]string{
		"first: ansible-playbook playbooks/verify.yml":                           "first: ansible-playbook" + with + " " + script + "verify.yml' -e etcd_group=my_etcd",
		"ansible-playbook -i '/x y' -i z playbooks/fence.yml -e etcd_host=a":     "ansible-playbook" + with + " " + script + "fence.yml' -e etcd_group=my_etcd -e etcd_host=a",
		"where it moved: ansible-playbook playbooks/fence.yml -e etcd_host=HOST": "where it moved: ansible-playbook" + with + " " + script + "fence.yml' -e etcd_group=my_etcd -e etcd_host=etcd-0",
		"see `ansible etcd -m etcd_cluster_info`, then again":                    "see `ansible my_etcd" + with + m + "etcd_cluster_info`, then again",
		"ansible HOST -m etcd_fence -a 'state=absent keep_data=yes'":             "ansible etcd-0" + with + m + "etcd_fence -a 'state=absent keep_data=yes'",
		"ansible a,b -i '/x y' -m etcd_service -a state=started; or by hand":     "ansible a,b" + with + m + "etcd_service -a state=started; or by hand",
		"openshift-ansible's playbooks/openshift-etcd/redeploy-ca.yml stays":     "openshift-ansible's playbooks/openshift-etcd/redeploy-ca.yml stays",
		"Ansible cannot reach it; see ansible.cfg, and ansible-playbook --help":  "Ansible cannot reach it; see ansible.cfg, and ansible-playbook --help",
	} {
		if diff := cmp.Diff(want, place.Complete(given)); diff != "" {
			t.Errorf("%s: %s", given, diff)
		}
		if got := (Place{}).Complete(given); got != given {
			t.Errorf("without a playbook: %s", got)
		}
		if again := place.Complete(place.Complete(given)); strings.Count(again, "-i 'a b,'") > strings.Count(want, "-i 'a b,'") {
			t.Errorf("completed twice: %s", again)
		}
	}
	control := Place{Playbooks: "/p", Inventory: []string{"i"}, Host: "localhost"}
	if got := control.Complete("ansible HOST -m etcd_fence"); got != "ansible HOST -i i -M /p/library -m etcd_fence" {
		t.Errorf("the control node is no host of etcd: %s", got)
	}
}

// What the run was given on its command line, and the configuration that it used, are not found from another directory.
func TestWhatTheRunWasGiven(t *testing.T) {
	given := place
	given.Given = Given{Config: "/home/my ops/ansible.cfg", Options: []string{"--vault-id", "ops@/a b/pass", "-b"}}
	const (
		config = `ANSIBLE_CONFIG='/home/my ops/ansible.cfg' `
		with   = ` -i /etc/ansible/hosts -i 'a b,' --vault-id 'ops@/a b/pass' -b`
		script = `'/opt/etcd restore/playbooks/`
		m      = ` -M '/opt/etcd restore/playbooks/library' -m `
	)
	for short, want := range map[string]string{
		"first: ansible-playbook playbooks/verify.yml": "first: " + config + "ansible-playbook" + with + " " + script + "verify.yml' -e etcd_group=my_etcd",
		"see `ansible etcd -m etcd_cluster_info`":      "see `" + config + "ansible my_etcd" + with + m + "etcd_cluster_info`",
	} {
		if diff := cmp.Diff(want, given.Complete(short)); diff != "" {
			t.Errorf("%s: %s", short, diff)
		}
		if again := given.Complete(given.Complete(short)); again != want {
			t.Errorf("completed twice: %s", again)
		}
	}
}

func TestRead(t *testing.T) {
	text, err := json.Marshal(place)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(place, Read("json "+string(text))); diff != "" {
		t.Error(diff)
	}
	if got := Read(`json {"playbooks":"/p/steps","inventory":["i"]}`).Playbooks; got != "/p" {
		t.Errorf("a step's playbook_dir: %s", got)
	}
	for _, wrong := range []string{"", "x", "{}", `{"playbooks":"relative","inventory":["i"]}`, `{"playbooks":"/p"}`, `{"playbooks":1}`} {
		if diff := cmp.Diff(Place{}, Read(wrong)); diff != "" {
			t.Errorf("%s: %s", wrong, diff)
		}
	}
}

func TestAnswer(t *testing.T) {
	short, long := "ansible-playbook playbooks/verify.yml", place.Complete("ansible-playbook playbooks/verify.yml")
	answer := map[string]any{
		"hint": short, "n": 1, "warnings": []string{short}, "report": map[string]any{"lines": []any{short, 1}},
		"invocation": map[string]any{"module_args": short}, "before": []any{short},
	}
	place.CompleteAnswer(answer)
	want := map[string]any{
		"hint": long, "n": 1, "warnings": []string{"etcd-0: " + long}, "report": map[string]any{"lines": []any{long, 1}},
		"invocation": map[string]any{"module_args": short}, "before": []any{short},
	}
	if diff := cmp.Diff(want, answer); diff != "" {
		t.Error(diff)
	}
}

var (
	begins = regexp.MustCompile(`(?:^|[^-\w])(ansible(?:-playbook)? [^\s])`)
	ends   = regexp.MustCompile("`|; |\"|\\\\n|: ansible")
	// form is everything that may come between the two ends of a command: a text behind it would be taken for a part of it.
	form  = regexp.MustCompile(`^ansible(-playbook)?( -i %s| -i)?( (playbooks/[a-z_]+\.yml|[A-Z]+|etcd|%s))?( -i %s| -i)?( -m [a-z_]*)?( -a ('[^']*'?|[a-z_]+=[^ ]*))?( -e [a-z_]+=[^ ]*)*( %s)? ?$`)
	named = regexp.MustCompile(`playbooks/([a-z_]+\.yml)| -m ([a-z_]+)`)
)

// Every command in the code names a playbook and a module that exist, and nothing behind it looks like a part of it.
func TestEachCommandInTheCode(t *testing.T) {
	top, count := filepath.Join("..", "..", ".."), 0
	each(t, filepath.Join(top, "modules"), ".go", func(path, line string) {
		if strings.HasSuffix(path, "_test.go") || strings.Contains(line, "// ") || strings.Contains(path, "internal/commands") || strings.Contains(path, "ansible/usage.go") {
			return
		}
		for _, at := range begins.FindAllStringSubmatchIndex(line, -1) {
			text := line[at[2]:]
			if end := ends.FindStringIndex(text); end != nil {
				text = text[:end[0]]
			}
			count++
			if !form.MatchString(text) {
				t.Errorf("%s: %q is no command that can be pasted: a command is the end of a sentence, or stands before \"; \", or in `backquotes`", path, text)
			}
			for _, name := range named.FindAllStringSubmatch(text, -1) {
				if name[1] != "" && !exists(filepath.Join(top, "playbooks", name[1])) || name[2] != "" && !exists(filepath.Join(top, "modules", name[2])) {
					t.Errorf("%s: %q names what does not exist", path, text)
				}
			}
		}
	})
	if count < 25 {
		t.Errorf("%d commands; expected all of the code", count)
	}
}

// Playbooks and roles print the commands that modules return, and pass on what those need.
func TestPlaybooksMakeNoCommands(t *testing.T) {
	top := filepath.Join("..", "..", "..")
	plays := 0
	for _, folder := range []string{"playbooks", "roles"} {
		each(t, filepath.Join(top, folder), ".yml", func(path, line string) {
			if strings.Contains(path, "/meta/") || strings.HasPrefix(strings.TrimSpace(line), "#") {
				return
			}
			if at := begins.FindString(line); at != "" {
				t.Errorf("%s: %s: a command without the inventory and the path of the playbooks", path, line)
			}
		})
	}
	each(t, filepath.Join(top, "playbooks"), ".yml", func(path, line string) {
		if line != "  tasks:" {
			return
		}
		plays++
		text, _ := os.ReadFile(path) // it was read a moment ago
		if strings.Count(string(text), "\n  tasks:\n") != strings.Count(string(text), "\n  environment: \"{{ etcd_commands | default({}) }}\"\n") {
			t.Errorf("%s: a play lacks environment: \"{{ etcd_commands | default({}) }}\"", path)
		}
	})
	if plays < 60 {
		t.Errorf("%d plays; expected those of all playbooks", plays)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func each(t *testing.T, folder, ending string, do func(path, line string)) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ending) {
			return err
		}
		text, err := os.ReadFile(path)
		for _, line := range strings.Split(string(text), "\n") {
			do(path, line)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
