package plan

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mostUpward is how many arrows may be left that point up, over all packages of the decision.
const mostUpward = 14

// arrow is a file that uses what another file of its package declares.
type arrow struct{ from, to string }

// TestFilesHaveAnOrder holds the files of each package of the decision to an order in which a reader can take them: each uses what stands further
// down. The order is the one that a local search finds, so the count is an upper bound of what the best order has.
func TestFilesHaveAnOrder(t *testing.T) {
	set := token.NewFileSet()
	imports := importer.ForCompiler(set, "source", nil) // it keeps what it has read
	upward, all := []string{}, 0
	for _, directory := range []string{".", "rows", "histories", "report", "wording"} {
		arrows := arrowsOf(t, directory, set, imports)
		all += len(arrows)
		order := ordered(arrows)
		for a, name := range arrows {
			if slices.Index(order, a.from) > slices.Index(order, a.to) {
				upward = append(upward, filepath.Join(directory, a.from)+" uses "+name+" of "+a.to)
			}
		}
	}
	slices.Sort(upward)
	t.Logf("%d arrows, %d of them upward:\n%s", all, len(upward), strings.Join(upward, "\n"))
	if all < 200 {
		t.Errorf("%d arrows; expected those of the whole decision", all)
	}
	if len(upward) > mostUpward {
		t.Errorf("%d arrows point up, and %d may; next: move what is used to the file below", len(upward), mostUpward)
	}
}

// TestOrdered breaks the order once.
func TestOrdered(t *testing.T) {
	order := ordered(map[arrow]string{{"a", "b"}: "", {"b", "c"}: "", {"a", "c"}: "", {"c", "a"}: ""})
	if got := strings.Join(order, ""); got != "abc" {
		t.Errorf("%s; expected the order with one arrow up", got)
	}
}

// arrowsOf has one of the names used for each arrow.
func arrowsOf(t *testing.T, directory string, set *token.FileSet, imports types.Importer) map[arrow]string {
	t.Helper()
	uses := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: imports}
	checked, err := config.Check(directory, set, parsed(t, set, directory), uses)
	if err != nil {
		t.Fatal(err)
	}
	arrows := map[arrow]string{}
	for name, used := range uses.Uses {
		if used.Pkg() != checked || !ofPackage(used, checked.Scope()) {
			continue
		}
		a := arrow{filepath.Base(set.Position(name.Pos()).Filename), filepath.Base(set.Position(used.Pos()).Filename)}
		if a.from != a.to && (arrows[a] == "" || used.Name() < arrows[a]) {
			arrows[a] = used.Name()
		}
	}
	return arrows
}

func parsed(t *testing.T, set *token.FileSet, directory string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(directory, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// ofPackage is true for what a package declares at its top, and for methods.
func ofPackage(used types.Object, scope *types.Scope) bool {
	function, ok := used.(*types.Func)
	return used.Parent() == scope || ok && function.Signature().Recv() != nil
}

// ordered puts each file, over and over, where the fewest arrows point up, until none moves.
func ordered(arrows map[arrow]string) []string {
	files := map[string]bool{}
	for a := range arrows {
		files[a.from], files[a.to] = true, true
	}
	order := slices.Sorted(maps.Keys(files))
	for moved := true; moved; {
		moved = false
		for i := range order {
			rest := slices.Delete(slices.Clone(order), i, i+1)
			if best := bestPlace(order[i], rest, i, arrows); best != i {
				order, moved = slices.Insert(rest, best, order[i]), true
			}
		}
	}
	return order
}

// bestPlace is where among the rest the file has the fewest arrows that point up: at i, unless another place has fewer.
func bestPlace(file string, rest []string, i int, arrows map[arrow]string) int {
	best, fewest := i, upwardAt(file, rest, i, arrows)
	for place := range len(rest) + 1 {
		if count := upwardAt(file, rest, place, arrows); count < fewest {
			best, fewest = place, count
		}
	}
	return best
}

func upwardAt(file string, rest []string, place int, arrows map[arrow]string) int {
	count := 0
	for i, other := range rest {
		up := arrow{file, other}
		if i >= place {
			up = arrow{other, file}
		}
		if _, is := arrows[up]; is {
			count++
		}
	}
	return count
}
