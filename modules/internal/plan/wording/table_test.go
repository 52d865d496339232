package wording

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestTable(t *testing.T) {
	got := Table([]string{"HOST", "N", "WORD"}, [][]string{{"a", "1", "x"}, {"bb", "100", "longer"}}, map[int]bool{1: true})
	want := []string{"HOST    N  WORD", "a       1  x", "bb    100  longer"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}

// A long first cell is on a line of its own; the columns stay in place.
func TestTableGivesWay(t *testing.T) {
	name := strings.Repeat("n", 90)
	for _, l := range Table([]string{"HOST", "TEXT"}, [][]string{{name, strings.Repeat("t", 30)}, {"short", "t"}}, nil) {
		if n := utf8.RuneCountInString(l); n > Width {
			t.Errorf("%d columns: %s", n, l)
		}
	}
}

func TestLabelled(t *testing.T) {
	text := strings.TrimSpace(strings.Repeat("word ", 40))
	lines := Labelled("Label", text)
	var words []string
	for i, l := range lines {
		if len(l) > Width {
			t.Errorf("%d columns: %s", len(l), l)
		}
		want := strings.Repeat(" ", Indent)
		if i == 0 {
			want = "Label       "
		}
		if !strings.HasPrefix(l, want) {
			t.Errorf("line %d: %q", i, l)
		}
		words = append(words, strings.Fields(l[Indent:])...)
	}
	if strings.Join(words, " ") != text {
		t.Errorf("words were lost: %v", words)
	}
}
