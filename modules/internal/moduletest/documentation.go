package moduletest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/ansible"
)

type sidecar struct {
	Documentation struct {
		Module      string         `yaml:"module"`
		Description []string       `yaml:"description"`
		Attributes  map[string]any `yaml:"attributes"`
		Options     map[string]struct {
			Type        string   `yaml:"type"`
			Aliases     []string `yaml:"aliases"`
			Choices     []string `yaml:"choices"`
			Description any      `yaml:"description"`
		} `yaml:"options"`
	} `yaml:"DOCUMENTATION"`
	Examples string             `yaml:"EXAMPLES"`
	Return   map[string]returns `yaml:"RETURN"`
}

// returns is a key of an answer, as RETURN describes it.
type returns struct {
	Returned string             `yaml:"returned"`
	Type     string             `yaml:"type"`
	Sample   any                `yaml:"sample"`
	Contains map[string]returns `yaml:"contains"`
}

// Documentation checks a module's NAME.yml: options and results are described, the rules that Ansible's schema cannot express are in the
// description, and the examples use only arguments that exist.
func Documentation(t *testing.T, raw []byte, rules ansible.Rules) {
	t.Helper()
	doc := read(t, raw)
	for _, name := range []string{"check_mode", "diff_mode", "idempotent"} {
		if doc.Documentation.Attributes[name] == nil {
			t.Errorf("no attribute %s", name)
		}
	}
	for name, o := range doc.Documentation.Options {
		if o.Type == "" || o.Description == nil {
			t.Errorf("option %s needs a type and a description", name)
		}
		limits, limited := rules.RangeOf(name)
		if o.Type == "int" && !limited {
			t.Errorf("option %s is a number, and Rules.Ranges does not limit it", name)
		}
		if limited && !strings.Contains(fmt.Sprint(o.Description), limits.String()) {
			t.Errorf("the description of %s does not say %q", name, limits)
		}
	}
	for name, r := range doc.Return {
		if r.Returned == "" || r.Type == "" || r.Sample == nil {
			t.Errorf("result %s needs returned, type and sample", name)
		}
	}
	for _, group := range slices.Concat(rules.MutuallyExclusive, rules.RequiredOneOf) {
		if !slices.ContainsFunc(doc.Documentation.Description, func(line string) bool { return namesAll(line, group) }) {
			t.Errorf("no line of the description names the rule over %v", group)
		}
	}
	doc.checkExamples(t)
}

func read(t *testing.T, raw []byte) sidecar {
	t.Helper()
	var doc sidecar
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func namesAll(line string, options []string) bool {
	for _, name := range options {
		if !strings.Contains(line, "O("+name+")") {
			return false
		}
	}
	return true
}

func (d sidecar) checkExamples(t *testing.T) {
	t.Helper()
	var tasks []map[string]any
	if err := yaml.Unmarshal([]byte(d.Examples), &tasks); err != nil || len(tasks) == 0 {
		t.Errorf("EXAMPLES is no list of tasks: %v", err)
	}
	for _, task := range tasks {
		given, _ := task[d.Documentation.Module].(map[string]any)
		for name := range given {
			if !d.accepts(name) {
				t.Errorf("the example %q uses %s, which is no argument", task["name"], name)
			}
		}
	}
}

func (d sidecar) accepts(name string) bool {
	if _, ok := d.Documentation.Options[name]; ok {
		return true
	}
	for _, o := range d.Documentation.Options {
		if slices.Contains(o.Aliases, name) {
			return true
		}
	}
	return false
}

// documented fails the test when the answer holds a key that the RETURN of the module, the one of this directory, does not describe. So whatever a
// test of a module makes it return is looked at.
func (a *Answer) documented(t *testing.T) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(home, filepath.Base(home)+".yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range undescribed("", a.JSON, read(t, raw).Return) {
		if !slices.Contains(ofAnsible, key) {
			t.Errorf("RETURN does not describe %s", key)
		}
	}
}

// home is the module's directory: a test may change to another one.
var home, _ = os.Getwd()

// ofAnsible are keys that mean the same in every module of Ansible.
var ofAnsible = []string{"changed", "diff", "failed", "invocation", "msg", "warnings"}

// undescribed are the keys of an answer, or of a part of it, that RETURN lacks. A part whose keys are not listed there has keys of its own, such as
// hosts' names.
func undescribed(path string, answer map[string]any, described map[string]returns) []string {
	var missing []string
	for key, value := range answer {
		d, ok := described[key]
		if !ok {
			missing = append(missing, path+key)
			continue
		}
		if d.Contains == nil {
			continue
		}
		elements, isList := value.([]any)
		if !isList {
			elements = []any{value}
		}
		for _, element := range elements {
			if part, ok := element.(map[string]any); ok {
				missing = append(missing, undescribed(path+key+".", part, d.Contains)...)
			}
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}
