// Package internal_test checks the directions of dependency, which the compiler does not.
package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	modules  = "etcd-quorum-restore/modules/"
	internal = modules + "internal/"
)

// libraries are all that a module may import, beside the standard library: each goes to every host, in each binary.
var libraries = []string{
	"go.etcd.io/etcd/client/v3",
	"go.etcd.io/etcd/api/v3", "go.uber.org/zap", "google.golang.org/grpc", "google.golang.org/protobuf", // imported by the client
	"golang.org/x/sys",
	"gopkg.in/ini.v1",
	"gopkg.in/yaml.v3",
}

// helpers are for tests; a module that imports one would contain a test host.
var helpers = []string{"badetcd", "etcdtest", "hosttest", "killtest", "membertest", "moduletest"}

// pkg is a package with its imports.
type pkg struct {
	Path                 string
	Imports, TestImports []string
}

func TestImports(t *testing.T) {
	packages := read(t)
	if len(packages) < 30 {
		t.Fatalf("%d packages; expected the whole project's", len(packages))
	}
	for _, p := range packages {
		for _, wrong := range p.wrong() {
			t.Error(wrong)
		}
	}
}

// TestEachDirectionIsHeld breaks each rule once.
func TestEachDirectionIsHeld(t *testing.T) {
	cases := map[string]struct {
		p    pkg
		want []string
	}{
		"the decision looks at nothing": {
			pkg{Path: internal + "plan", Imports: []string{"strings", internal + "facts", internal + "plan/history", internal + "host"}},
			[]string{"plan imports host"},
		},
		"nor does a part of it, in its tests": {
			pkg{Path: internal + "plan/history", TestImports: []string{internal + "etcd", internal + "fault", internal + "membertest"}},
			[]string{"plan/history imports etcd"},
		},
		"what the decision is made of": {
			pkg{Path: internal + "facts", Imports: []string{internal + "fault"}, TestImports: []string{internal + "root"}},
			[]string{"facts imports root"},
		},
		"what modules share knows no module": {
			pkg{Path: internal + "host", Imports: []string{modules + "etcd_member"}},
			[]string{"host imports " + modules + "etcd_member"},
		},
		"modules do not know each other": {
			pkg{Path: modules + "etcd_member", Imports: []string{internal + "host", modules + "etcd_fence"}},
			[]string{modules + "etcd_member imports " + modules + "etcd_fence"},
		},
		"nor the test hosts": {
			pkg{Path: modules + "etcd_member", TestImports: []string{"etcd-quorum-restore/molecule/lab"}},
			[]string{modules + "etcd_member imports etcd-quorum-restore/molecule/lab"},
		},
		"test code stays in tests": {
			pkg{Path: internal + "host", Imports: []string{internal + "hosttest"}, TestImports: []string{internal + "hosttest"}},
			[]string{"host imports hosttest, which is for tests"},
		},
		"but may use test code": {
			pkg{Path: internal + "hosttest", Imports: []string{internal + "membertest"}}, nil,
		},
		"another library": {
			pkg{Path: internal + "host", Imports: []string{"golang.org/x/sys/unix", "golang.org/x/system", "example.com/y"}},
			[]string{"host imports golang.org/x/system, a library that no module has", "host imports example.com/y, a library that no module has"},
		},
		"go-cmp compares in tests": {
			pkg{Path: internal + "host", Imports: []string{"github.com/google/go-cmp/cmp"}, TestImports: []string{"github.com/google/go-cmp/cmp"}},
			[]string{"host imports github.com/google/go-cmp/cmp, a library that no module has"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, c.p.wrong()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// wrong names the imports that are against the directions.
func (p pkg) wrong() []string {
	var found []string
	for _, path := range p.Imports {
		if why := p.forbids(path, false); why != "" {
			found = append(found, why)
		}
	}
	for _, path := range p.TestImports {
		if why := p.forbids(path, true); why != "" {
			found = append(found, why)
		}
	}
	return found
}

func (p pkg) forbids(path string, test bool) string {
	says := strings.TrimPrefix(p.Path, internal) + " imports " + strings.TrimPrefix(path, internal)
	helper := slices.Contains(helpers, strings.TrimPrefix(path, internal))
	switch {
	case strings.HasPrefix(path, "etcd-quorum-restore/"):
		if helper {
			if test || slices.Contains(helpers, strings.TrimPrefix(p.Path, internal)) {
				return ""
			}
			return says + ", which is for tests"
		}
		if p.may(path) {
			return ""
		}
		return says
	case !strings.Contains(strings.Split(path, "/")[0], "."):
		return "" // the standard library
	case within(path, "github.com/google/go-cmp") && test:
		return ""
	case slices.ContainsFunc(libraries, func(library string) bool { return within(path, library) }):
		return ""
	}
	return says + ", a library that no module has"
}

// may: a module may import shared packages, and no shared package imports a module. The decision is a function of facts, so that every case of it
// can be written down as a test.
func (p pkg) may(path string) bool {
	facts := []string{internal + "facts", internal + "fault"}
	switch {
	case within(p.Path, internal+"plan"):
		return within(path, internal+"plan") || slices.Contains(facts, path) || path == internal+"commands"
	case p.Path == internal+"commands":
		return false
	case slices.Contains(facts, p.Path):
		return slices.Contains(facts, path)
	}
	return strings.HasPrefix(path, internal)
}

// within is true where the path is that package, or one below it.
func within(path, top string) bool { return path == top || strings.HasPrefix(path, top+"/") }

// read takes the imports of each directory from its files, whatever their build tags. (`go list` is another process, whose reads go test does not
// see: it would repeat a result from before a change.)
func read(t *testing.T) []pkg {
	t.Helper()
	found := map[string]*pkg{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		name := modules + filepath.ToSlash(filepath.Dir(strings.TrimPrefix(path, "../")))
		if found[name] == nil {
			found[name] = &pkg{Path: name}
		}
		found[name].add(path, file.Imports)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var packages []pkg
	for _, name := range slices.Sorted(maps.Keys(found)) {
		packages = append(packages, *found[name])
	}
	return packages
}

func (p *pkg) add(file string, imports []*ast.ImportSpec) {
	into := &p.Imports
	if strings.HasSuffix(file, "_test.go") {
		into = &p.TestImports
	}
	for _, spec := range imports {
		*into = append(*into, strings.Trim(spec.Path.Value, `"`))
	}
}
