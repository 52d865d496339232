package plan

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestTable(t *testing.T) {
	got := table([]string{"HOST", "N", "WORD"}, [][]string{{"a", "1", "x"}, {"bb", "100", "longer"}}, map[int]bool{1: true})
	want := []string{"HOST    N  WORD", "a       1  x", "bb    100  longer"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}

// A long first cell has a line of its own; the columns stay where they are.
func TestTableGivesWay(t *testing.T) {
	name := strings.Repeat("n", 90)
	for _, l := range table([]string{"HOST", "TEXT"}, [][]string{{name, strings.Repeat("t", 30)}, {"short", "t"}}, nil) {
		if n := utf8.RuneCountInString(l); n > width {
			t.Errorf("%d columns: %s", n, l)
		}
	}
}

func TestLabelled(t *testing.T) {
	text := strings.TrimSpace(strings.Repeat("word ", 40))
	lines := labelled("Label", text)
	var words []string
	for i, l := range lines {
		if len(l) > width {
			t.Errorf("%d columns: %s", len(l), l)
		}
		want := strings.Repeat(" ", indent)
		if i == 0 {
			want = "Label       "
		}
		if !strings.HasPrefix(l, want) {
			t.Errorf("line %d: %q", i, l)
		}
		words = append(words, strings.Fields(l[indent:])...)
	}
	if strings.Join(words, " ") != text {
		t.Errorf("words were lost: %v", words)
	}
}

func TestHintKeepsACommandInOnePiece(t *testing.T) {
	command := "ansible-playbook -i /a/very/long/path/to/an/inventory/of/hosts playbooks/restore_quorum.yml -e etcd_lost_hosts_off=yes -e a=b"
	got := hintLines("make sure of it, then: " + command)
	want := []string{"Next        make sure of it, then:", strings.Repeat(" ", indent) + command}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff([]string{"Next        " + command}, hintLines(command)); diff != "" {
		t.Fatal(diff)
	}
}
