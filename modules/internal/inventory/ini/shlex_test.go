package ini

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSplitWords: the words are those of Python's shlex.split(line, comments=True).
func TestSplitWords(t *testing.T) {
	for line, want := range map[string][]string{
		`a x=1 y='2 3'`:             {"a", "x=1", "y=2 3"},
		`a "b \" c\d\\" e`:          {"a", `b " c\d\`, "e"},
		`a\ b c`:                    {"a b", "c"},
		`a x=ab#cd e`:               {"a", "x=ab"},
		`a '#' ""`:                  {"a", "#", ""},
		`a x='\n' y="\n"`:           {"a", `x=\n`, `y=\n`},
		`a#b`:                       {"a"},
		`a x=it''s"q"r`:             {"a", "x=itsqr"},
		"\ta\t b  ":                 {"a", "b"},
		"a\u00a0b c":                {"a\u00a0b", "c"},
		`a k="{'b': \"c\"}" # d="e`: {"a", `k={'b': "c"}`},
	} {
		words, err := splitWords(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		var got []string
		for _, w := range words {
			got = append(got, w.value)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", line, diff)
		}
	}
	for _, line := range []string{`a x='b`, `a x="b`, `a b\`, `"`} {
		if words, err := splitWords(line); err == nil {
			t.Errorf("%s: no error, but %v", line, words)
		}
	}
}
