package inventory

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

// TestPortCountsOnce: Ansible takes a port only from the line that names the host first.
func TestPortCountsOnce(t *testing.T) {
	m := setOf(t, "hosts", "[a]\nx:22\ny\n[b]\nx:23\ny:24\nz:25 ansible_port=26\n[1:3]:22\nnot/a/host:27\n[2001:db8::1]:28\n").Meaning()
	want := map[string]Vars{
		"x": {"ansible_port": "22"}, "y": {}, "z": {"ansible_port": "26"}, "1": {"ansible_port": "3"}, "not/a/host:27": {}, "2001:db8::1": {"ansible_port": "28"},
	}
	if diff := cmp.Diff(want, m.Hosts); diff != "" {
		t.Error(diff)
	}
}

func TestExpand(t *testing.T) {
	for text, want := range map[string][]string{
		"a":           {"a"},
		"a[1:3]":      {"a1", "a2", "a3"},
		"a[08:10]b":   {"a08b", "a09b", "a10b"},
		"[a:c]-x":     {"a-x", "b-x", "c-x"},
		"x[y:B]":      {"xy", "xz", "xA", "xB"},
		"a[0:6:3]":    {"a0", "a3", "a6"},
		"a[:1]":       {"a0", "a1"},
		"a[1:2][a:b]": {"a1a", "a1b", "a2a", "a2b"},
		"a[3:1]":      nil,
		"a[1:1]":      {"a1"},
	} {
		got, err := expand(text, maxNames)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", text, err, diff)
		}
	}
}

// FuzzSplitAt: the pieces of a range stand for the same names in the same order, the host among them by itself.
func FuzzSplitAt(f *testing.F) {
	for _, seed := range []string{"a[1:3]", "a[08:12]b", "[a:c]", "r[1:3]-e[0:2]", "e[0:10:2]", "e[:2]", "h[98:101]"} {
		f.Add(seed, uint16(1))
	}
	f.Fuzz(func(t *testing.T, text string, nth uint16) {
		names, err := expand(text, 300)
		if err != nil || len(names) == 0 {
			return
		}
		host := names[int(nth)%len(names)]
		pieces, err := splitAt(text, host)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		alone := 0
		for _, p := range pieces {
			more, err := expand(p.pattern, 300)
			if err != nil {
				t.Fatalf("%s at %s: %s: %v", text, host, p.pattern, err)
			}
			if p.leaves {
				alone++
			}
			got = append(got, more...)
		}
		if diff := cmp.Diff(names, got); diff != "" || alone != 1 {
			t.Errorf("%s at %s: %d pieces are the host; %s", text, host, alone, diff)
		}
	})
}
