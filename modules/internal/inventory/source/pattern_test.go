package source

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

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

// FuzzSplitAt: the pieces of a range mean the same names in the same order, and the host is a piece by itself.
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
		pieces, err := SplitAt(text, host)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		alone := 0
		for _, p := range pieces {
			more, err := expand(p.Pattern, 300)
			if err != nil {
				t.Fatalf("%s at %s: %s: %v", text, host, p.Pattern, err)
			}
			if p.Leaves {
				alone++
			}
			got = append(got, more...)
		}
		if diff := cmp.Diff(names, got); diff != "" || alone != 1 {
			t.Errorf("%s at %s: %d pieces are the host; %s", text, host, alone, diff)
		}
	})
}
