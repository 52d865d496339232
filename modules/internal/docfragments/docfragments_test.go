package docfragments

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

func TestModulesAreUpToDate(t *testing.T) {
	files, err := filepath.Glob("../../*/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		doc, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := Render(doc)
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if diff := cmp.Diff(string(doc), string(fresh)); diff != "" {
			t.Errorf("%s is out of date; next: go generate ./modules/internal/docfragments\n%s", file, diff)
		}
		checkNoOwnWords(t, file, doc)
	}
}

// checkNoOwnWords: a common argument is described in fragments.yml and nowhere else.
func checkNoOwnWords(t *testing.T, file string, doc []byte) {
	t.Helper()
	own, _, _ := strings.Cut(string(doc), "    # fragments:")
	for _, name := range []string{"etcd_conf", "manifest_dir", "data_dir"} {
		if strings.Contains(own, "\n    "+name+":\n") {
			t.Errorf("%s describes %s in its own words; next: name it at `# fragments:`, and go generate ./modules/internal/docfragments", file, name)
		}
	}
}

const before = `---
DOCUMENTATION:
  options:
    state:
      type: str
    # fragments: client_key, timeout=300
    old:
      type: str
`

func TestRender(t *testing.T) {
	want := strings.Replace(before, "    old:\n      type: str\n", "    "+notice+`    client_key:
      description: The key of O(client_cert).
      type: path
    timeout:
      description: Seconds for the whole module, from 1 to 86400.
      type: int
      default: 300
`, 1)
	for _, after := range []string{"  seealso:\n    - module: x\n", "\nEXAMPLES: |\n", "RETURN:\n"} {
		got, err := Render([]byte(before + after))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want+after, string(got)); diff != "" {
			t.Error(diff)
		}
		again, err := Render(got)
		if diff := cmp.Diff(string(got), string(again)); diff != "" || err != nil {
			t.Error("again", diff, err)
		}
	}
	for _, bad := range []string{"    # fragments: nothing\nRETURN:\n", "    # fragments: client_key=x\nRETURN:\n", "    # fragments: timeout\n"} {
		if got, err := Render([]byte(bad)); err == nil {
			t.Errorf("%q: %s", bad, got)
		}
	}
}

func TestFragmentsAreOptions(t *testing.T) {
	var options map[string]struct {
		Type        string `yaml:"type"`
		Description any    `yaml:"description"`
	}
	if err := yaml.Unmarshal([]byte(fragments), &options); err != nil {
		t.Fatal(err)
	}
	for name, o := range options {
		if _, err := fragment(name, "", ""); err != nil || o.Type == "" || o.Description == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRenderResults(t *testing.T) {
	doc := "RETURN:\n  path:\n    type: str\n  # fragments: hint\n"
	got, err := Render([]byte(doc + "  old:\n    type: str\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := doc + "  " + notice + "  hint:\n    description: "; !strings.HasPrefix(string(got), want) || strings.Contains(string(got), "old") {
		t.Errorf("%s", got)
	}
}
