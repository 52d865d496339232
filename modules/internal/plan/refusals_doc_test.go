package plan

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/plan/histories"
	"github.com/google/go-cmp/cmp"
)

const refusalsDoc = "../../../docs/refusals.md"

// What stands in brackets behind a refusal or a finding is looked up in docs/refusals.md, so that has all words of the code, and no others.
func TestEveryCodeIsDocumented(t *testing.T) {
	documented := documentedCodes(t)
	var checks []string
	for _, name := range words(t, "../survey", "Name") {
		if strings.HasSuffix(name, "_") { // certificate_, and what the file is for
			checks = append(checks, prefixed(name, words(t, "../survey", "Purpose"))...)
			continue
		}
		checks = append(checks, name)
	}
	for section, want := range map[string][]string{
		"The plan": words(t, "rows", "Code"), "The checks of a host": checks, "What verify.yml finds": words(t, "report", "Code"),
	} {
		if len(want) < 10 {
			t.Errorf("%s: the code has %d words; expected more", section, len(want))
		}
		if diff := cmp.Diff(histories.Unique(slices.Sorted(slices.Values(want))), slices.Sorted(slices.Values(documented[section]))); diff != "" {
			t.Errorf("%s, section %q: - is not in the table, + is not in the code\n%s", refusalsDoc, section, diff)
		}
	}
}

// Words that are put together, or come from the facts, are seen where they are used.
func TestEveryCodeOfACaseIsDocumented(t *testing.T) {
	documented := documentedCodes(t)
	known := slices.Concat(documented["The plan"], documented["The checks of a host"])
	for _, one := range allCases(t) {
		p := Make(one.c.Request)
		for _, r := range slices.Concat(p.Refusals, p.Holds, p.RestoreReport.Refusals) {
			if !slices.Contains(known, r.Code) {
				t.Errorf("%s: %s is not in %s", one.why, r.Code, refusalsDoc)
				known = append(known, r.Code) // said once
			}
		}
	}
}

// What the page quotes, as *… words*, some module says in these words.
func TestEveryQuotedWordingIsSaid(t *testing.T) {
	quoted := regexp.MustCompile(`\*… ([^*]+)\*`).FindAllStringSubmatch(read(t, refusalsDoc), -1)
	if len(quoted) < 2 {
		t.Errorf("%s quotes %d wordings; expected more", refusalsDoc, len(quoted))
	}
	said := allLiterals(t, "../..")
	for _, q := range quoted {
		if !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, q[1]) }) {
			t.Errorf("%s quotes %q, which no module says", refusalsDoc, q[1])
		}
	}
}

// allLiterals are the strings of the Go files below a directory, without those of tests.
func allLiterals(t *testing.T, directory string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(directory, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				all = append(all, l.Value)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// documentedCodes are the first cells of each section's table. The other two say something.
func documentedCodes(t *testing.T) map[string][]string {
	t.Helper()
	row := regexp.MustCompile("^\\| `([a-z_]+)` \\| ([^|]+) \\| ([^|]+) \\|$")
	codes, section := map[string][]string{}, ""
	for _, line := range strings.Split(read(t, refusalsDoc), "\n") {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			section = title
		}
		if cells := row.FindStringSubmatch(line); cells != nil {
			codes[section] = append(codes[section], cells[1])
		} else if strings.HasPrefix(line, "| `") {
			t.Errorf("%s: expected a code, its meaning and what to do, found %q", refusalsDoc, line)
		}
	}
	return codes
}

// words are the string literals that a package gives to a field of this name, and to the functions that take a code first.
func words(t *testing.T, directory, field string) (all []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(directory, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool { all = append(all, given(n, field)...); return true })
	}
	return all
}

func given(n ast.Node, field string) (all []string) {
	switch n := n.(type) {
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && key.Name == field {
			return literal(n.Value)
		}
	case *ast.AssignStmt:
		for i, left := range n.Lhs {
			if to, ok := left.(*ast.SelectorExpr); ok && to.Sel.Name == field && len(n.Rhs) == len(n.Lhs) {
				all = append(all, literal(n.Rhs[i])...)
			}
		}
	case *ast.CallExpr:
		if field == "Code" && len(n.Args) > 1 && slices.Contains([]string{"refuse", "add"}, called(n.Fun)) {
			return literal(n.Args[0])
		}
	}
	return all
}

func called(f ast.Expr) string {
	switch f := f.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// literal is a word, also one that begins what is put together.
func literal(e ast.Expr) []string {
	if sum, ok := e.(*ast.BinaryExpr); ok {
		e = sum.X
	}
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return nil
	}
	word, err := strconv.Unquote(l.Value)
	if err != nil || !regexp.MustCompile(`^[a-z_]+$`).MatchString(word) {
		return nil
	}
	return []string{word}
}

func prefixed(prefix string, words []string) (all []string) {
	for _, w := range words {
		all = append(all, prefix+w)
	}
	return all
}
