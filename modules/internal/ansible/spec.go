package ansible

import (
	"fmt"
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

// Rules are the checks that DOCUMENTATION cannot express. The text of the documentation must name them; tests see to that.
type Rules struct {
	MutuallyExclusive [][]string
	RequiredOneOf     [][]string
	RequiredIf        []RequiredIf
	NoLog             []string // arguments whose values are secret
	IDs               []string // hexadecimal IDs: a bare YAML number is refused, since 8e9 and 0012 change their meaning on the way
}

// RequiredIf says: when Key has Value, all of Need must be given.
type RequiredIf struct {
	Key, Value string
	Need       []string
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
	for _, rule := range r.RequiredIf {
		if fmt.Sprint(given[rule.Key]) != rule.Value {
			continue
		}
		for _, need := range rule.Need {
			if given[need] == nil {
				return fmt.Errorf("argument %s is required when %s is %s", need, rule.Key, rule.Value)
			}
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
