package envfile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSet(t *testing.T) {
	for name, tc := range map[string]struct{ before, key, value, after string }{
		"replaced":              {"#x\nA=1\nB=2\n", "A", "3", "#x\nA=3\nB=2\n"},
		"same":                  {"A='1' \n", "A", "1", "A='1' \n"},
		"same, odd writing":     {"A=a\\b\\\nc\n", "A", "abc", "A=a\\b\\\nc\n"},
		"not within another":    {"B=\"x\\\n#A=1\\\ny\"\nC=1\n", "A", "1", "B=\"x\\\n#A=1\\\ny\"\nC=1\nA=1\n"},
		"blanks kept":           {" A=1  \nB=2\n", "A", "3", " A=3  \nB=2\n"},
		"double quotes kept":    {`A="1"`, "A", "3", `A="3"`},
		"single quotes kept":    {`A='1'`, "A", "3 $x", `A='3 $x'`},
		"single quotes in it":   {`A='1'`, "A", "it's", `A="it's"`},
		"quoted when needed":    {"A=1\n", "A", "a b", "A=\"a b\"\n"},
		"escaped":               {"A=1\n", "A", "$`\"\\", "A=\"\\$\\`\\\"\\\\\"\n"},
		"last one":              {"A=1\nA=2\n#A=4\n", "A", "3", "A=1\nA=3\n#A=4\n"},
		"CRLF":                  {"A=1\r\nB=2\r\n", "A", "3", "A=3\r\nB=2\r\n"},
		"empty before":          {"A=\nB=2\n", "A", "3", "A=3\nB=2\n"},
		"blanks before":         {"A=  \nB=2\n", "A", "3", "A=3\nB=2\n"},
		"emptied":               {"A=1\nB=2\n", "A", "", "A=\nB=2\n"},
		"continuation":          {"A=a,\\\nb\nB=2\n", "A", "c", "A=c\nB=2\n"},
		"new, commented":        {"#A=0\nB=2\n", "A", "1", "#A=0\nA=1\nB=2\n"},
		"new, commented twice":  {"# A=0\n#A=\n#AB=\nB=2\n", "A", "1", "# A=0\n#A=\nA=1\n#AB=\nB=2\n"},
		"new, commented at end": {"B=2\n#A=0", "A", "1", "B=2\n#A=0\nA=1"},
		"new, at the end":       {"B=2\n\n#C\n", "A", "1", "B=2\n\n#C\nA=1\n"},
		"new, no line end":      {"B=2", "A", "1", "B=2\nA=1"},
		"new, CRLF":             {"B=2\r\n#A=\r\nC=3\r\n", "A", "1", "B=2\r\n#A=\r\nA=1\r\nC=3\r\n"},
		"new, CRLF, no end":     {"B=2\r\nC=3", "A", "1", "B=2\r\nC=3\r\nA=1"},
		"new in an empty file":  {"", "A", "1", "A=1\n"},
		"IPv6":                  {"A=1\n", "A", "https://[2001:db8::1]:2380", "A=https://[2001:db8::1]:2380\n"},
	} {
		t.Run(name, func(t *testing.T) {
			f := mustParse(t, tc.before)
			for range 2 { // the second time changes nothing
				if err := f.Set(tc.key, tc.value); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tc.after, string(f.Bytes())); diff != "" {
					t.Fatal(diff)
				}
			}
		})
	}
}

func TestSetRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ before, key, value, want string }{
		"bad key":           {"A=1\n", "A B", "x", "no name of a variable"},
		"line end":          {"A=1\n", "A", "x\ny", "control character"},
		"after a backslash": {"#A=\\\n#x\n", "A", "1", "cannot be edited safely"},
	} {
		t.Run(name, func(t *testing.T) {
			f := mustParse(t, tc.before)
			if err := f.Set(tc.key, tc.value); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("want %q, got %v", tc.want, err)
			}
			if diff := cmp.Diff(tc.before, string(f.Bytes())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnset(t *testing.T) {
	for name, tc := range map[string]struct{ before, after string }{
		"one":          {"A=1\nB=2\n", "B=2\n"},
		"all":          {"A=1\nB=2\n#A=3\nA=4", "B=2\n#A=3\n"},
		"none":         {"#A=1\nB=2", "#A=1\nB=2"},
		"continuation": {"A=1\\\n2\nB=2\n", "B=2\n"},
		"CRLF":         {"A=1\r\nB=2\r\n", "B=2\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			f := mustParse(t, tc.before)
			if err := f.Unset("A"); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.after, string(f.Bytes())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestText(t *testing.T) {
	f := mustParse(t, "A=1\r\nB=x\\\ny\n A=2")
	if diff := cmp.Diff("A=1\n A=2\n", f.Text("A")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("B=x\\\ny\n", f.Text("B")); diff != "" {
		t.Error(diff)
	}
	if f.Text("C") != "" {
		t.Errorf("%q", f.Text("C"))
	}
}
