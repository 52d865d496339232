package plan

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/plan/rows"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what follows ---- in testdata/*.txt anew")

// The cases of the decision are in files: testdata/NAME.txt has cases, and a case has a sentence why (lines that begin with #), the facts (one
// change a line, in the words of testdata/README.md, hosts by their numbers), a line ----, and the plan. After the word "text" among the facts,
// the plan is followed by the text for people; after "going", by that of a run which carries the plan out.
//
// go test ./modules/internal/plan -run 'Cases|Words' -update writes the plans again; read the difference.
func TestCases(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no case files", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) { runFile(t, path) })
	}
}

// allCases are those of all files.
func allCases(t *testing.T) []oneCase {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no case files", err)
	}
	var all []oneCase
	for _, path := range paths {
		cases, err := parseCases(path, read(t, path))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, cases...)
	}
	return all
}

func runFile(t *testing.T, path string) {
	cases, err := parseCases(path, read(t, path))
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for i := range cases {
		one := &cases[i]
		got := one.plan()
		texts = append(texts, one.head+"----\n"+got)
		if diff := cmp.Diff(one.want, got); diff != "" && !*update {
			t.Errorf("%s:%d: %s\n%s", path, one.line, one.why, diff)
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(strings.Join(texts, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// oneCase is a case of a file.
type oneCase struct {
	line int // of the file, where it begins
	why  string
	head string // everything above ----, as written
	c    *cluster
	text bool // the text for people is part of the plan
	run  bool // so is what a run prints that carries it out
	want string
}

// reasonWords is how many words a reason has at least: fewer name the facts, which stand below, and no reason.
const reasonWords = 6

// parseCases reads a file. An error names file and line.
func parseCases(path, text string) ([]oneCase, error) {
	var cases []oneCase
	inPlan := true
	for i, line := range strings.SplitAfter(text, "\n") {
		bare := strings.TrimSpace(line)
		if inPlan && strings.HasPrefix(bare, "#") {
			cases = append(cases, oneCase{line: i + 1, c: &cluster{}})
			inPlan = false
		}
		if len(cases) == 0 {
			return nil, fmt.Errorf("%s:%d: a case begins with # and a sentence that says why", path, i+1)
		}
		one := &cases[len(cases)-1]
		switch {
		case inPlan:
			one.want += line
		case bare == "----":
			inPlan = true
		default:
			one.head += line
			if err := one.take(bare); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
			}
		}
	}
	if !inPlan {
		return nil, fmt.Errorf("%s: the last case has no line ----", path)
	}
	for i := range cases {
		one := &cases[i]
		if found := len(strings.Fields(one.why)); found < reasonWords {
			return nil, fmt.Errorf("%s:%d: expected a reason of at least %d words, found %q", path, one.line, reasonWords, one.why)
		}
		one.want = strings.TrimRight(one.want, "\n") + "\n"
	}
	return cases, nil
}

// take takes a line above ----.
func (one *oneCase) take(line string) error {
	switch {
	case line == "":
	case strings.HasPrefix(line, "#"):
		one.why = strings.TrimSpace(one.why + " " + strings.TrimSpace(strings.TrimLeft(line, "#")))
	case line == "text":
		one.text = true
	case line == "going":
		one.run = true
	case one.c.Hosts == nil && !strings.HasPrefix(line, "lost "):
		return fmt.Errorf("facts begin with lost N, found %q", line)
	default:
		return one.c.apply(line)
	}
	return nil
}

// plan is the decision on the facts: the action with its survivor or its refusals, the verdict on each host's data, and the hosts of each play.
func (one *oneCase) plan() string {
	one.c.Inventory = []string{"/etc/ansible/hosts"}
	p := Make(one.c.Request)
	lines := []string{strings.TrimSpace(p.Action + " " + numbers([]string{p.Survivor}))}
	for _, r := range p.Refusals {
		lines = append(lines, r.Code+": "+r.Msg)
	}
	if len(p.Refusals) == 0 {
		lines = append(lines, "why: "+p.Reason)
	}
	lines = append(lines, "data: "+dataOf(one.c.Request, p))
	for _, s := range append(slices.Clone(rows.Sequence), rows.PlayVerify) {
		if hosts := p.Plays[string(s)]; len(hosts) > 0 {
			lines = append(lines, string(s)+": "+numbers(hosts)+removed(s, p))
		}
	}
	if !slices.Equal(p.StaysOut, p.Plays[string(rows.StepOut)]) { // a member may have no host
		lines = append(lines, "stays out: "+numbers(p.StaysOut))
	}
	if one.text {
		lines = append(append(lines, ""), p.Lines...)
	}
	if one.run {
		lines = append(append(lines, ""), p.Going...)
	}
	return strings.Join(lines, "\n") + "\n"
}

// removed names the members that are removed: the play's hosts are those that remove them.
func removed(s rows.Step, p Plan) string {
	if s != rows.StepRemoveMember {
		return ""
	}
	var who []string
	for _, m := range p.Remove {
		who = append(who, m.Host)
	}
	return " removes " + numbers(who)
}

func dataOf(req Request, p Plan) string {
	var parts []string
	for _, name := range req.Input().Ordered() {
		parts = append(parts, numbers([]string{name})+" "+p.Hosts[name].Data)
	}
	return strings.Join(parts, ", ")
}

// The error for a mistyped word names its place.
func TestBadCases(t *testing.T) {
	for text, want := range map[string]string{
		"lost 3\n----\n":                                  `f:1: a case begins with # and a sentence that says why`,
		"# why\noff 1\n----\n":                            `f:2: facts begin with lost N, found "off 1"`,
		"# why\nlost 3\nof 1\n----\n":                     `f:3: unknown word "of"; the words are in testdata/README.md`,
		"# why\nlost three\n----\n":                       `f:2: N: expected a number, found "three"; expected: lost N`,
		"# why\nlost 3\n\noff 1 7\n----\n":                `f:4: there is no host 7; expected: off HOST...`,
		"# why\nlost 3\noff\n----\n":                      `f:3: HOST is missing; expected: off HOST...`,
		"# why\nlost 3\nconsent 1\n----\n":                `f:3: "1" is one word too many; expected: consent`,
		"# why\nlost 3\nlog 0 2-9\n----\n":                `f:3: expected TERM:LAST, found "2-9"; expected: log HOST [of NAME] TERM:LAST[@NAME]... [from INDEX]`,
		"# why\nlost 3\nfact 0 log.lasst 7\n----\n":       `f:3: log.lasst: json: unknown field "lasst"; expected: fact HOST PATH JSON`,
		"# why\nlost 3\nwiped 0\nfact 0 log.term 7\n----": `f:4: log.term: term is in no object of this host; expected: fact HOST PATH JSON`,
		"# why\nlost 3\noff 0\nsees 0 1\n----":            `f:4: these hosts do not have what is to be changed (assignment to entry in nil map); expected: sees HOST OTHER...`,
		"# why\nlost 3\nearlier heal 0\n----\n":           `f:3: unknown word "heal"; the words are in testdata/README.md; expected: earlier WORD...`,
		"# why\nlost 3\nlist 2 unstarted 2\n----\n":       `f:3: host 2 is none of the 2 members; expected: list N [unstarted HOST | renamed HOST] [on HOST...]`,
		"# why\nlost 3\n":                                 `f: the last case has no line ----`,
		"# A stranger.\nlost 3\n----\n":                   `f:1: expected a reason of at least 6 words, found "A stranger."`,
	} {
		if _, err := parseCases("f", text); err == nil || err.Error() != want {
			t.Errorf("%q:\ngot  %v\nwant %s", text, err, want)
		}
	}
}

// Each word is used by a case, so that none is there for nothing.
func TestEachWordHasACase(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var text string
	for _, path := range paths {
		text += read(t, path)
	}
	for _, w := range vocabulary() {
		if !regexp.MustCompile(`(?m)^(earlier )?` + w.name + `( |$)`).MatchString(text) {
			t.Errorf("no case has the word %s", w.name)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// The words are described in the directory's README.
func TestWordsAreDocumented(t *testing.T) {
	const path = "testdata/README.md"
	var b strings.Builder
	b.WriteString(readmeHead)
	for _, w := range vocabulary() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", strings.ReplaceAll(strings.TrimSpace(w.name+" "+w.takes), "|", "\\|"), w.means)
	}
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(read(t, path), b.String()); diff != "" {
		t.Fatal(diff)
	}
}

const readmeHead = `# The decision in cases

Each file has cases of one kind. A case begins with a sentence that says why (lines with #), then come the facts, a line ----, and the plan. To add
one, write all above the line ----, run this, and read what the decision made of it:

    go test ./modules/internal/plan -run 'Cases|Words' -update

Hosts are numbers: 0 is etcd-0.example.com, its member and its data. In the plan, m is the master. The line "text" among the facts adds what a
person reads, "going" what a run prints that carries the plan out.

| facts | meaning |
|---|---|
`
