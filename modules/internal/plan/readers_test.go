package plan

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// Playbooks act on Do: each field of it is read somewhere, and whatever they read of the plan exists.
func TestPlaybooksReadThePlan(t *testing.T) {
	fields := map[string]bool{} // true for a leaf
	collect(fields, "do", reflect.ValueOf(Make(lost(3).Request).Do))
	collect(fields, "report", reflect.ValueOf(Make(lost(3).Request).Report))
	read := readOfThePlan(t)
	for field, leaf := range fields {
		if leaf && strings.HasPrefix(field, "do.") && !isRead(field, read) {
			t.Errorf("no playbook and no role reads %s", field)
		}
	}
	for path, where := range read {
		if !hasField(fields, path) {
			t.Errorf("%s reads %s, which the plan does not have", where, path)
		}
	}
}

// collect names the fields by their JSON names. A list is a leaf, and so is a map, except those of plays, whose keys are fixed.
func collect(fields map[string]bool, path string, v reflect.Value) {
	switch {
	case v.Kind() == reflect.Struct:
		fields[path] = false
		for i := range v.NumField() {
			if name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ","); name != "-" {
				collect(fields, path+"."+name, v.Field(i))
			}
		}
	case v.Kind() == reflect.Map && strings.HasSuffix(path, ".plays"):
		fields[path] = false
		for _, key := range v.MapKeys() {
			fields[fmt.Sprintf("%s.%s", path, key)] = true
		}
	default:
		fields[path] = true
	}
}

var (
	planVariable = regexp.MustCompile(`_plan\b( \| default\([^()]*\)\))?\.((?:[a-z_]+\.)*[a-z_]+)`)
	yamlFolders  = []string{"../../../playbooks", "../../../roles"}
)

// readOfThePlan finds the fields that follow a variable that holds a plan, with the file.
func readOfThePlan(t *testing.T) map[string]string {
	read := map[string]string{}
	for _, folder := range yamlFolders {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".yml" {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			scalars, err := valuesOf(text)
			for _, found := range planVariable.FindAllStringSubmatch(strings.Join(scalars, "\n"), -1) {
				read[found[2]] = path
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return read
}

// valuesOf are the keys and values of a YAML file: a comment reads nothing.
func valuesOf(text []byte) (values []string, err error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	var walk func(*yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode {
			values = append(values, n.Value)
		}
		for _, child := range n.Content {
			walk(child)
		}
	}
	walk(&document)
	return values, nil
}

func TestACommentReadsNothing(t *testing.T) {
	got, err := valuesOf([]byte("# etcd_plan.do.other\na: \"{{ etcd_plan.do.action }}\" # etcd_plan.do.other\nb: |\n  {{ etcd_plan.do.code }}\n"))
	if want := []string{"a", "{{ etcd_plan.do.action }}", "b", "{{ etcd_plan.do.code }}\n"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}

func isRead(field string, read map[string]string) bool {
	for path := range read {
		if path == field || strings.HasPrefix(path, field+".") {
			return true
		}
	}
	return false
}

// hasField: the path is a field, or leads into a leaf, where names depend on hosts.
func hasField(fields map[string]bool, path string) bool {
	if _, ok := fields[path]; ok {
		return true
	}
	for at := strings.LastIndex(path, "."); at > 0; at = strings.LastIndex(path[:at], ".") {
		if leaf, ok := fields[path[:at]]; ok {
			return leaf
		}
	}
	return false
}
