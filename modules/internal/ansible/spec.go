package ansible

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"gopkg.in/yaml.v3"
)

// option is one entry of DOCUMENTATION.options.
type option struct {
	Type        string   `yaml:"type"`
	Elements    string   `yaml:"elements"`
	Required    bool     `yaml:"required"`
	Default     any      `yaml:"default"`
	Choices     []string `yaml:"choices"`
	Aliases     []string `yaml:"aliases"`
	Description any      `yaml:"description"`
}

// documentation is the part of NAME.yml that the parser and the usage text need.
type documentation struct {
	Module      string            `yaml:"module"`
	Short       string            `yaml:"short_description"`
	Description any               `yaml:"description"`
	Options     map[string]option `yaml:"options"`
}

func parseDocumentation(doc []byte) (documentation, error) {
	var file struct {
		Documentation documentation `yaml:"DOCUMENTATION"`
	}
	if err := yaml.Unmarshal(doc, &file); err != nil {
		return documentation{}, fmt.Errorf("the embedded documentation is not valid YAML: %w", err)
	}
	if file.Documentation.Module == "" {
		return documentation{}, fmt.Errorf("the embedded documentation has no DOCUMENTATION.module")
	}
	return file.Documentation, nil
}

// names lists the options, sorted.
func (d documentation) names() []string {
	out := make([]string, 0, len(d.Options))
	for name := range d.Options {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

// resolve finds the option that a given key means, by name or alias.
func (d documentation) resolve(key string) (string, bool) {
	if _, ok := d.Options[key]; ok {
		return key, true
	}
	for name, o := range d.Options {
		if slices.Contains(o.Aliases, key) {
			return name, true
		}
	}
	return "", false
}

// Rules are the checks that DOCUMENTATION cannot express. The documentation's text must name them; tests check that.
type Rules struct {
	MutuallyExclusive [][]string
	RequiredOneOf     [][]string
	IDs               []string         // hexadecimal IDs: a bare YAML number is refused, since 8e9 and 0012 change their meaning on the way
	Ranges            map[string]Range // of whole numbers; that of `timeout` is the same everywhere
	RelativePaths     []string         // paths on the control node, where a relative one begins at the directory of the play
	ReadOnly          bool             // the module changes nothing, so it can be left alone in the middle of a read that never returns
}

// Range is what a whole number may be; both ends are in it.
type Range struct{ Min, Max int64 }

// TimeoutRange is that of the argument `timeout`, in seconds.
var TimeoutRange = Range{1, 86400}

const timeoutName = "timeout"

func (r Range) String() string {
	if r.Max == math.MaxInt64 {
		return fmt.Sprintf("from %d on", r.Min)
	}
	return fmt.Sprintf("from %d to %d", r.Min, r.Max)
}

func (r Range) holds(value any) bool {
	n, ok := value.(int64)
	return ok && n >= r.Min && n <= r.Max
}

// RangeOf is what the whole number of that name may be, if it is limited.
func (r Rules) RangeOf(name string) (Range, bool) {
	if name == timeoutName {
		return TimeoutRange, true
	}
	limits, ok := r.Ranges[name]
	return limits, ok
}

func (r Rules) check(given map[string]any) error {
	for _, group := range r.MutuallyExclusive {
		if present := presentIn(given, group); len(present) > 1 {
			return fmt.Errorf("arguments %s exclude each other: give one of them", strings.Join(present, ", "))
		}
	}
	for _, group := range r.RequiredOneOf {
		if len(presentIn(given, group)) == 0 {
			return fmt.Errorf("one of the arguments %s is required", strings.Join(group, ", "))
		}
	}
	return nil
}

func presentIn(given map[string]any, group []string) []string {
	var out []string
	for _, name := range group {
		if given[name] != nil {
			out = append(out, name)
		}
	}
	return out
}
