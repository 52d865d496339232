package inventory

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/inventory/source"
)

// For any input, either the edit is exact, or nothing is changed and the error says why. The seeds are the corpus, with each host of the first
// group in turn.

func FuzzINI(f *testing.F)  { fuzz(f, "hosts.ini", ".yml") }
func FuzzYAML(f *testing.F) { fuzz(f, "hosts.yml", ".ini") }

func fuzz(f *testing.F, file, not string) {
	for _, s := range corpus(f) {
		for name, text := range s.files {
			if !strings.HasSuffix(name, not) {
				f.Add(text)
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := Parse(file, text)
		if err != nil {
			return // the whole file is refused
		}
		if source.JoinLines(source.SplitLines(text)) != text {
			t.Fatal("splitting and joining lines is not exact")
		}
		set := &Set{Sources: []Source{parsed}}
		if len(set.Meaning().Hosts) > 300 {
			return // a long range takes time and finds nothing
		}
		hosts := set.Meaning().All("etcd")
		for _, host := range hosts[:min(len(hosts), 4)] {
			if set.Meaning().IsMember("new_etcd", host) {
				continue // it ends in etcd alone
			}
			travel(t, set, host)
		}
	})
}

// travel makes the edits of a lost host's journey.
func travel(t *testing.T, start *Set, host string) {
	set := start
	for _, r := range (scenario{group: "etcd", host: host}).journey() {
		out, err := set.Plan(r)
		if err != nil {
			if fault.KindOf(err) == fault.Internal {
				t.Fatalf("%+v: %v", r, err)
			}
			return
		}
		for _, e := range out.Edits {
			untouched(t, start.Sources[0].Text, e.After, host)
			parsed, err := Parse(e.Path, e.After)
			if err != nil {
				t.Fatalf("%+v left a file that cannot be read: %v", r, err)
			}
			set = &Set{Sources: []Source{parsed}}
			e.Diff()
		}
		if again, err := set.Plan(r); err != nil || len(again.Edits) > 0 {
			t.Fatalf("%+v: a second run: %v %v", r, err, again)
		}
	}
	if diff := cmp.Diff(start.Meaning(), set.Meaning(), cmpopts.IgnoreUnexported(source.Group{}), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("after the return of %s:\n%s\n%q\n%q", host, diff, start.Sources[0].Text, set.Sources[0].Text)
	}
}

// untouched: each line of the original is still there, perhaps as a mark, or it names the host, or is a range that was split, or an alias that
// was written out. This package's own lines come and go.
func untouched(t *testing.T, before, after, host string) {
	t.Helper()
	for _, l := range source.SplitLines(before) {
		text := strings.TrimRight(strings.TrimSpace(l.Text), ",")
		ours := strings.Contains(text, "etcd_inventory") || strings.Contains(text, "# out of [")
		if !ours && !strings.Contains(text, host) && !strings.ContainsAny(text, "[{*,") && !strings.Contains(after, text) {
			t.Fatalf("the line %q is lost:\n%q\n%q", text, before, after)
		}
	}
}
