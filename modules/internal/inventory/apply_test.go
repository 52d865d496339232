package inventory

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/inventory/source"
)

// TestKilledBetweenTwoFiles: an edit of several files may end after each of them. Each time the result can be read, has the host in at least one
// group, and the next run does the rest.
func TestKilledBetweenTwoFiles(t *testing.T) {
	several := 0
	for _, s := range corpus(t) {
		if s.refused != "" || len(s.files) == 1 {
			continue
		}
		root := s.unpack(t)
		for _, r := range s.journey() {
			files, err := Find([]string{root})
			if err != nil {
				t.Fatal(err)
			}
			set, err := Load(files)
			if err != nil {
				t.Fatal(err)
			}
			out, err := set.Plan(r)
			if err != nil {
				t.Fatal(err)
			}
			for n := 1; n < len(out.Edits); n++ {
				several++
				resumes(t, s.name, set, out, n, r)
			}
			do(t, root, r)
		}
	}
	if several == 0 {
		t.Fatal("no case of the corpus changes two files at once")
	}
}

// resumes applies the first n edits alone, and plans again.
func resumes(t *testing.T, name string, set *Set, whole *Outcome, n int, r Request) {
	t.Helper()
	half := set.with(t, whole.Edits[:n])
	if missing := half.Meaning().Undeclared(); missing != "" {
		t.Errorf("%s: after %d files Ansible reads nothing, since %s is undeclared", name, n, missing)
	}
	if r.From != "" && !half.Meaning().IsMember(r.Group, r.Host) && !half.Meaning().IsMember(r.From, r.Host) {
		t.Errorf("%s: after %d files the host is in neither group", name, n)
	}
	rest, err := half.Plan(r)
	if err != nil {
		t.Errorf("%s: after %d files: %v", name, n, err)
		return
	}
	want, got := set.with(t, whole.Edits).Meaning(), half.with(t, rest.Edits).Meaning()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(source.Group{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s: resumed after %d files (-whole +resumed):\n%s", name, n, diff)
	}
}

func (s *Set) with(t *testing.T, edits []Edit) *Set {
	t.Helper()
	out := s.clone()
	for _, e := range edits {
		for i := range out.Sources {
			if out.Sources[i].Path == e.Path {
				if err := out.replace(i, e.After); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return out
}

// TestSamples: every host of the sample inventories can leave and come back.
func TestSamples(t *testing.T) {
	samples, err := filepath.Glob("../../../inventory/*.*")
	if err != nil || len(samples) < 6 {
		t.Fatal(samples, err)
	}
	for _, path := range samples {
		if strings.HasSuffix(path, ".md") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		start := setOf(t, name, string(text))
		for _, host := range start.Meaning().All("etcd") {
			t.Run(name+" "+host, func(t *testing.T) { travelAll(t, start, host) })
		}
	}
}

// travelAll is travel of the fuzz targets, with no refusal allowed.
func travelAll(t *testing.T, start *Set, host string) {
	for set, steps := start, (scenario{group: "etcd", host: host}).journey(); len(steps) > 0; steps = steps[1:] {
		out, err := set.Plan(steps[0])
		if err != nil {
			t.Fatal(err)
		}
		set = set.with(t, out.Edits)
	}
	travel(t, start, host)
}

func TestSomebodyElseChangesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(path, []byte("[etcd]\na\nb # new\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := replace(Edit{Path: path, Before: "[etcd]\na\nb\n", After: "[etcd]\na\n"}, true)
	if fault.KindOf(err) != fault.Refused {
		t.Errorf("got %v", err)
	}
	list, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
}

// TestPipesAreNotRead: among the variables of groups, a pipe, or a link to an endless device, is skipped; in place of an inventory it is refused.
func TestPipesAreNotRead(t *testing.T) {
	root := t.TempDir()
	hosts, vars := filepath.Join(root, "hosts"), filepath.Join(root, "group_vars")
	err := errors.Join(os.WriteFile(hosts, []byte("[etcd]\na\nb\n"), 0o644), os.Mkdir(vars, 0o755),
		unix.Mkfifo(filepath.Join(vars, "etcd"), 0o644), os.Symlink("/dev/zero", filepath.Join(vars, "all")))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Apply([]string{hosts}, leave("etcd", "b"), Options{}); err != nil {
		t.Error(err)
	}
	if _, _, err := Apply([]string{filepath.Join(vars, "etcd")}, leave("etcd", "b"), Options{}); fault.KindOf(err) != fault.Unsupported {
		t.Error(err)
	}
}

// TestFind finds the files of a directory as Ansible does, each one once.
func TestFind(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"b", "a.yml", "c.bak", "c.orig", "d~", ".hidden", "x.cfg", "host_vars/b", "group_vars/all", "sub/z", "sub/y.ini"} {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Find([]string{root, filepath.Join(root, "b")})
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i] = strings.TrimPrefix(got[i], root+"/")
	}
	if diff := cmp.Diff([]string{"a.yml", "b", "sub/y.ini", "sub/z"}, got); diff != "" {
		t.Error(diff)
	}
}
