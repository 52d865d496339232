//go:build judge

// Ansible itself judges every edit. This test takes the corpus through the edits of a lost host, and compares what `ansible-inventory --list`
// reads before and after each step, with Ansible 2.9.27 and a current one. It needs `make environments`:
//
//	go test -tags judge -run Judge -parallel 2 ./modules/internal/inventory/
//
// ANSIBLE_INVENTORIES, a list of paths of ansible-inventory separated by colons, names others.
package inventory

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"etcd-quorum-restore/modules/internal/inventory/source"
)

// verdict is the output of `ansible-inventory --list --export`: hosts with their own variables, groups with theirs.
type verdict struct {
	Hosts  map[string]map[string]any
	Groups map[string]judged
}

type judged struct {
	Hosts    []string       `json:"hosts"`
	Children []string       `json:"children"`
	Vars     map[string]any `json:"vars"`
}

func judgePaths(t testing.TB) []string {
	t.Helper()
	list := filepath.SplitList(os.Getenv("ANSIBLE_INVENTORIES"))
	if len(list) == 0 {
		for _, name := range []string{"current", "rhel7"} {
			path, err := filepath.Abs("../../../.cache/venv/" + name + "/bin/ansible-inventory")
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, path)
		}
	}
	for _, path := range list {
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("no judge: %v (`make environments` installs both)", err)
		}
	}
	return list
}

// judge is one Ansible that reads inventories, one after the other (testdata/judge.py).
type judge struct {
	name    string // of its environment
	lock    sync.Mutex
	ask     io.Writer
	answers *bufio.Reader
}

func judges(t *testing.T) []*judge {
	t.Helper()
	var list []*judge
	for _, path := range judgePaths(t) {
		list = append(list, startJudge(t, filepath.Dir(path)))
	}
	return list
}

func startJudge(t *testing.T, bin string) *judge {
	t.Helper()
	config := filepath.Join(t.TempDir(), "ansible.cfg") // neither the project's nor the user's
	if err := os.WriteFile(config, []byte("[defaults]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(bin, "python"), "testdata/judge.py")
	cmd.Env = append(os.Environ(), "ANSIBLE_CONFIG="+config, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=1", "ANSIBLE_LOCALHOST_WARNING=0")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", bin, err)
		}
	})
	return &judge{name: filepath.Base(filepath.Dir(bin)), ask: in, answers: bufio.NewReader(out)}
}

// list is what `ansible-inventory -i root --list --export` prints.
func (j *judge) list(t *testing.T, root string) []byte {
	t.Helper()
	j.lock.Lock()
	defer j.lock.Unlock()
	if _, err := fmt.Fprintln(j.ask, root); err != nil {
		t.Fatal(err)
	}
	line, err := j.answers.ReadBytes('\n')
	if err != nil {
		t.Fatalf("%s ended: %v", j.name, err)
	}
	var answer struct {
		Status         int
		Stdout, Stderr string
	}
	if err := json.Unmarshal(line, &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Status != 0 {
		t.Fatalf("%s: ansible-inventory ends with status %d\n%s\n%v", j.name, answer.Status, answer.Stderr, contents(t, root))
	}
	return []byte(answer.Stdout)
}

func (j *judge) reads(t *testing.T, root string) verdict {
	t.Helper()
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(j.list(t, root), &raw); err != nil {
		t.Fatal(err)
	}
	v := verdict{Groups: map[string]judged{}}
	var meta struct {
		Hostvars map[string]map[string]any `json:"hostvars"`
	}
	for name, text := range raw {
		var err error
		if name == "_meta" {
			err = json.Unmarshal(text, &meta)
		} else {
			var g judged
			err = json.Unmarshal(text, &g)
			v.Groups[name] = g
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	v.Hosts = meta.Hostvars
	return v
}

// all lists the hosts of a group and its children.
func (v verdict) all(group string) []string {
	g := v.Groups[group]
	out := slices.Clone(g.Hosts)
	for _, c := range g.Children {
		out = append(out, v.all(c)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestJudge(t *testing.T) {
	for _, judge := range judges(t) {
		for _, s := range corpus(t) {
			if !s.judge || s.refused != "" {
				continue
			}
			t.Run(judge.name+"/"+s.name, func(t *testing.T) {
				t.Parallel()
				s.judged(t, judge)
			})
		}
	}
}

func (s scenario) judged(t *testing.T, judge *judge) {
	root := s.unpack(t)
	steps := s.journey()
	before := judge.reads(t, root)
	if !slices.Contains(before.all(s.group), s.host) {
		t.Fatalf("Ansible does not see %s in %s: %v", s.host, s.group, before)
	}
	do(t, root, steps[0])
	gone := judge.reads(t, root)
	s.differs(t, before, gone, "")
	do(t, root, steps[1])
	staged := judge.reads(t, root)
	s.differs(t, before, staged, "new_"+s.group)
	if !slices.Contains(staged.all("new_"+s.group), s.host) {
		t.Errorf("it is not in new_%s: %v", s.group, staged.Groups)
	}
	do(t, root, steps[2])
	back := judge.reads(t, root)
	if diff := cmp.Diff(before, back, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("after the return:\n%s", diff)
	}
}

// TestJudgePassesOverCopies: if Ansible read the copy that an edit leaves in a directory, the copy would put the host back. It does not, with its
// own list of ignored endings, and with that of openshift-ansible's ansible.cfg, which lacks ~.
func TestJudgePassesOverCopies(t *testing.T) {
	for _, path := range judgePaths(t) {
		for name, setting := range map[string]string{"its own": "", "openshift-ansible's": "inventory_ignore_extensions = secrets.py, .pyc, .cfg, .crt, .ini\n"} {
			t.Run(filepath.Base(filepath.Dir(filepath.Dir(path)))+" "+name, func(t *testing.T) {
				root, config := t.TempDir(), filepath.Join(t.TempDir(), "ansible.cfg")
				for file, text := range map[string]string{config: "[defaults]\n" + setting, filepath.Join(root, "hosts"): "[etcd]\na\nb\n", filepath.Join(root, "more.yml"): "etcd:\n  hosts:\n    b:\n"} {
					if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				_, changes, err := Apply([]string{root}, leave("etcd", "b"), Options{Backup: true})
				if err != nil || len(changes) != 2 {
					t.Fatal(changes, err)
				}
				cmd := exec.Command(path, "-i", root, "--list")
				cmd.Env = append(os.Environ(), "ANSIBLE_CONFIG="+config)
				out, err := cmd.Output()
				var list struct{ Etcd judged }
				if err := errors.Join(err, json.Unmarshal(out, &list)); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]string{"a"}, list.Etcd.Hosts); diff != "" {
					t.Errorf("[etcd] is %v; the copies are %s and %s", list.Etcd.Hosts, changes[0].Backup, changes[1].Backup)
				}
			})
		}
	}
}

// TestJudgeReads: this package and Ansible read the same hosts, groups and variables' names.
func TestJudgeReads(t *testing.T) {
	for _, judge := range judges(t) {
		for _, s := range corpus(t) {
			if s.judge {
				t.Run(judge.name+"/"+s.name, func(t *testing.T) {
					t.Parallel()
					s.readAlike(t, judge)
				})
			}
		}
	}
}

func (s scenario) readAlike(t *testing.T, judge *judge) {
	root := s.unpack(t)
	files, err := Find([]string{root})
	if err != nil {
		t.Fatal(err)
	}
	set, err := Load(files)
	if err != nil {
		if s.refused == "" {
			t.Fatal(err)
		}
		return
	}
	ours, theirs := set.Meaning(), judge.reads(t, root)
	for name := range theirs.Groups {
		if name == "all" || name == "ungrouped" {
			continue
		}
		got := ours.All(name)
		slices.Sort(got)
		if diff := cmp.Diff(theirs.all(name), got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("group %s (-Ansible +here):\n%s", name, diff)
		}
		for v := range theirs.Groups[name].Vars {
			if _, known := ours.Group(name).Vars[v]; !known && !strings.Contains(s.name, "directory") { // group_vars
				t.Errorf("group %s: the variable %s is not seen", name, v)
			}
		}
	}
	for host, vars := range ours.Hosts {
		for v := range source.Union(vars, theirs.stringsOf(host)) {
			_, here := vars[v]
			_, there := theirs.Hosts[host][v]
			if here != there && !strings.Contains(s.name, "directory") { // host_vars
				t.Errorf("host %s, variable %s: here %v, Ansible %v", host, v, here, there)
			}
		}
	}
}

// stringsOf is the host's variables by name; their values are typed by Ansible, and are not compared here.
func (v verdict) stringsOf(host string) source.Vars {
	out := source.Vars{}
	for name := range v.Hosts[host] {
		out[name] = ""
	}
	return out
}

// differs checks that the host is out of the group, and that otherwise only the group `made` differs.
func (s scenario) differs(t *testing.T, before, after verdict, made string) {
	t.Helper()
	for name, vars := range before.Hosts {
		if _, there := after.Hosts[name]; !there && name == s.host {
			continue // it is in no other group
		}
		if diff := cmp.Diff(vars, after.Hosts[name]); diff != "" {
			t.Errorf("variables of %s:\n%s", name, diff)
		}
	}
	for name := range after.Hosts {
		if _, there := before.Hosts[name]; !there && name != s.host {
			t.Errorf("there is a new host %s", name)
		}
	}
	for name := range source.Union(before.Groups, after.Groups) {
		was, is := before.all(name), after.all(name)
		if name == made {
			continue
		}
		if name == s.group && slices.Contains(is, s.host) {
			t.Errorf("%s is still in %s", s.host, name)
		}
		if diff := cmp.Diff(source.Without(was, s.host), source.Without(is, s.host), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("group %s:\n%s", name, diff)
		}
		if diff := cmp.Diff(before.Groups[name].Vars, after.Groups[name].Vars); diff != "" && after.Groups[name].Hosts != nil {
			t.Errorf("variables of group %s:\n%s", name, diff)
		}
		if s.leavesOnly(before, name) && !cmp.Equal(was, is) {
			t.Errorf("group %s has nothing to do with %s, and has changed from %v to %v", name, s.group, was, is)
		}
		if made != "" && slices.Contains(before.Groups[name].Children, s.group) != slices.Contains(after.Groups[name].Children, made) {
			t.Errorf("group %s: its children are %v", name, after.Groups[name].Children)
		}
	}
}

// leavesOnly tells whether the group is neither the host's group nor one above it.
func (s scenario) leavesOnly(v verdict, name string) bool {
	if name == s.group || name == "all" || name == "ungrouped" {
		return false
	}
	for _, c := range v.Groups[name].Children {
		if !s.leavesOnly(v, c) {
			return false
		}
	}
	return true
}
