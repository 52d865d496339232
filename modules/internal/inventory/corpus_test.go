package inventory

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"etcd-quorum-restore/modules/internal/inventory/source"
)

// scenario is a case of the corpus: an inventory, and the host that leaves its group and comes back.
type scenario struct {
	name    string
	group   string
	host    string
	refused string // a part of the message where the edit must be refused; else it must be exact
	traces  bool   // whether some bytes differ after the return
	judge   bool   // whether Ansible can read it, so that it can be compared (judge_test.go)
	files   map[string]string
}

// corpus reads testdata/corpus: each file is a case, with a comment, `key: value` lines, and files after lines `-- name --`.
func corpus(t testing.TB) []scenario {
	t.Helper()
	paths, err := filepath.Glob("testdata/corpus/*.txt")
	if err != nil || len(paths) < 30 {
		t.Fatalf("%d cases in testdata/corpus, %v", len(paths), err)
	}
	var out []scenario
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, parseScenario(t, strings.TrimSuffix(filepath.Base(path), ".txt"), string(text)))
	}
	return out
}

func parseScenario(t testing.TB, name, text string) scenario {
	t.Helper()
	s := scenario{name: name, group: "etcd", judge: true, files: map[string]string{}}
	file := ""
	for _, l := range strings.SplitAfter(text, "\n") {
		switch marker := strings.TrimSuffix(l, "\n"); {
		case strings.HasPrefix(marker, "-- ") && strings.HasSuffix(marker, " --"):
			file = marker[3 : len(marker)-3]
			s.files[file] = ""
		case file != "":
			s.files[file] += l
		case strings.HasPrefix(l, "#"):
		default:
			key, value, _ := strings.Cut(marker, ": ")
			switch key {
			case "host":
				s.host = value
			case "refused":
				s.refused = value
			case "traces":
				s.traces = value == "yes"
			case "judge":
				s.judge = value != "no"
			default:
				t.Fatalf("%s: unknown line %q", name, l)
			}
		}
	}
	return s
}

// unpack writes the case's files, and returns the argument of `-i`.
func (s scenario) unpack(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	root := ""
	for name, text := range s.files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		top, _, _ := strings.Cut(name, "/")
		root = filepath.Join(dir, top)
	}
	return root
}

// contents reads all files below the inventory.
func contents(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		out[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// journey is the sequence of edits for a lost host.
func (s scenario) journey() []Request {
	return []Request{leave(s.group, s.host), move("new_"+s.group, s.host, s.group), move(s.group, s.host, "new_"+s.group)}
}

func do(t *testing.T, root string, r Request) *Outcome {
	t.Helper()
	out, _, err := Apply([]string{root}, r, Options{})
	if err != nil {
		t.Fatalf("%+v: %v", r, err)
	}
	return out
}

func TestCorpus(t *testing.T) {
	for _, s := range corpus(t) {
		t.Run(s.name, func(t *testing.T) {
			root := s.unpack(t)
			if s.refused != "" {
				s.isRefused(t, root)
				return
			}
			before := contents(t, root)
			for _, r := range s.journey() {
				if out := do(t, root, r); len(out.Edits) == 0 {
					t.Fatalf("%+v changed nothing", r)
				}
				step := contents(t, root)
				if out := do(t, root, r); len(out.Edits) != 0 {
					t.Fatalf("%+v changed something again:\n%s", r, cmp.Diff(step, contents(t, root)))
				}
				keepsComments(t, before, step)
			}
			s.isAsBefore(t, before, contents(t, root))
		})
	}
}

func (s scenario) isRefused(t *testing.T, root string) {
	t.Helper()
	before := contents(t, root)
	_, _, err := Apply([]string{root}, leave(s.group, s.host), Options{})
	if err == nil || !strings.Contains(err.Error(), s.refused) {
		t.Errorf("want a refusal with %q, got %v\n%v", s.refused, err, contents(t, root))
	}
	if diff := cmp.Diff(before, contents(t, root)); diff != "" {
		t.Errorf("refused, and changed all the same:\n%s", diff)
	}
}

// isAsBefore checks that Ansible reads after the return what it read before. Bytes differ where a range was split, an alias written out, or a
// variable kept on another line of the host.
func (s scenario) isAsBefore(t *testing.T, before, after map[string]string) {
	t.Helper()
	if diff := cmp.Diff(meaningOf(t, before), meaningOf(t, after), cmpopts.IgnoreUnexported(source.Group{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, after); (diff != "") != s.traces {
		t.Errorf("traces are expected: %v; %s", s.traces, diff)
	}
}

func meaningOf(t *testing.T, files map[string]string) *source.Meaning {
	t.Helper()
	set := &Set{}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if strings.Contains(path, "_vars/") || ignored(filepath.Base(path)) {
			continue
		}
		set.Sources = append(set.Sources, setOf(t, path, files[path]).Sources...)
	}
	return set.Meaning()
}

// keepsComments: no comment and no blank line may be lost.
func keepsComments(t *testing.T, before, after map[string]string) {
	t.Helper()
	for path, text := range before {
		for _, l := range source.SplitLines(text) {
			trimmed := strings.TrimSpace(l.Text)
			if strings.HasPrefix(trimmed, "#") && !strings.Contains(trimmed, "# out of [") && !strings.Contains(after[path], trimmed) {
				t.Errorf("%s: the comment %q is lost:\n%s", path, trimmed, after[path])
			}
		}
	}
}
