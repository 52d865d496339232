package envfile

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/fault"
)

func mustParse(t *testing.T, text string) *File {
	t.Helper()
	f, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return f
}

func values(f *File) map[string]string {
	out := map[string]string{}
	for _, key := range f.Keys() {
		out[key], _ = f.Get(key)
	}
	return out
}

// readable are files that systemd and a shell read alike; judge_test.go asks a real shell about each of them.
var readable = map[string]struct {
	text string
	want map[string]string
}{
	"plain":                      {"A=1\nB=https://192.0.2.1:2379,https://[2001:db8::1]:2379\n", map[string]string{"A": "1", "B": "https://192.0.2.1:2379,https://[2001:db8::1]:2379"}},
	"no end":                     {"A=1", map[string]string{"A": "1"}},
	"empty":                      {"A=\nB=  \t\nC=\"\"\n", map[string]string{"A": "", "B": "", "C": ""}},
	"comments":                   {"#A=0\n # A=2\nA=1\n#[security]\n#\n", map[string]string{"A": "1"}},
	"indented":                   {"\t A=1\n", map[string]string{"A": "1"}},
	"blanks at the end":          {"A=1 \t \nB=\"2\"  \n", map[string]string{"A": "1", "B": "2"}},
	"twice":                      {"A=1\nB=2\nA=3\n", map[string]string{"A": "3", "B": "2"}},
	"double quotes":              {`A="a b \"c\" \\ \$x #y"` + "\n", map[string]string{"A": `a b "c" \ $x #y`}},
	"single quotes":              {`A='a $b "c"'` + "\n", map[string]string{"A": `a $b "c"`}},
	"quotes side by side":        {`A="a"'b'c` + "\n", map[string]string{"A": "abc"}},
	"hash within a word":         {"A=a#b\nB=#c\n", map[string]string{"A": "a#b", "B": "#c"}},
	"equals signs":               {"A=n1=http://h1,n2=http://h2\n", map[string]string{"A": "n1=http://h1,n2=http://h2"}},
	"continuation":               {"A=a,\\\nb\nB=2\n", map[string]string{"A": "a,b", "B": "2"}},
	"continuation in quotes":     {"A=\"a,\\\nb\"\nB=2\n", map[string]string{"A": "a,b", "B": "2"}},
	"continuation to the end":    {"A=a\\\n", map[string]string{"A": "a"}},
	"escaped character":          {`A=a\\b\"c\$` + "\n", map[string]string{"A": `a\b"c$`}},
	"harmless end of a comment":  {"# C:\\\n\n# D:\\\n#x\nA=1\n", map[string]string{"A": "1"}},
	"two backslashes":            {"# C:\\\\\nA=1\n", map[string]string{"A": "1"}},
	"tab in quotes":              {"A=\"a\tb\"\n", map[string]string{"A": "a\tb"}},
	"stars and braces":           {"A=*{a,b}?[c]!^%\n", map[string]string{"A": "*{a,b}?[c]!^%"}},
	"not ASCII":                  {"A=Zürich\n# caf\xe9\n", map[string]string{"A": "Zürich"}},
	"blank lines":                {"\n  \n\t\nA=1\n\n", map[string]string{"A": "1"}},
	"nothing":                    {"", map[string]string{}},
	"only comments without end":  {"# a", map[string]string{}},
	"comment after continuation": {"A=a\\\n#b\nB=2\n", map[string]string{"A": "a#b", "B": "2"}},
}

func TestParse(t *testing.T) {
	for name, tc := range readable {
		t.Run(name, func(t *testing.T) {
			f := mustParse(t, tc.text)
			if diff := cmp.Diff(tc.want, values(f)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tc.text, string(f.Bytes())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCarriageReturnsAreLineEnds(t *testing.T) {
	f := mustParse(t, "A=1\r\n\r\n#B\r\nC=\"2\"\r\nD=\r\n")
	if diff := cmp.Diff(map[string]string{"A": "1", "C": "2", "D": ""}, values(f)); diff != "" {
		t.Error(diff)
	}
}

func TestInstalledFile(t *testing.T) {
	text, err := os.ReadFile("testdata/etcd.conf")
	if err != nil {
		t.Fatal(err)
	}
	f := mustParse(t, string(text))
	if name, ok := f.Get("ETCD_NAME"); !ok || name != "master-1.example.com" || f.Line("ETCD_NAME") != 1 {
		t.Errorf("ETCD_NAME is %q, %v, line %d", name, ok, f.Line("ETCD_NAME"))
	}
	if value, ok := f.Get("ETCD_WAL_DIR"); ok {
		t.Errorf("a commented-out line was read: %q", value)
	}
}

func TestDifferentReadingsAreRefused(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"export":                  {"A=1\nexport B=2\n", "line 2: `export`"},
		"dollar":                  {"A=$B\n", "line 1: A: an unquoted `$`"},
		"dollar in quotes":        {"\nA=\"$B\"\n", "line 2: A: a shell expands"},
		"backquote":               {"A=\"`id`\"\n", "expands"},
		"unquoted blank":          {"A=a b\n", "an unquoted blank"},
		"comment behind":          {"A=a # b\n", "an unquoted blank"},
		"comment behind quotes":   {"A=\"a\" # b\n", "an unquoted blank"},
		"blank before equals":     {"A =1\n", "without blanks around the key"},
		"blank behind equals":     {"A= 1\n", "blanks behind `=`"},
		"quote within":            {`A=a"b"` + "\n", "a quote within a value"},
		"quote after bare":        {`A="a"b"c"` + "\n", "a quote within a value"},
		"command":                 {"A=1\nexit\n", "line 2: expected KEY=value or a comment: systemd"},
		"section":                 {"[member]\nA=1\n", "line 1"},
		"semicolon":               {"; note\n", "`;` starts a comment"},
		"two commands":            {"A=1;B=2\n", "unquoted `;`"},
		"array":                   {"A=(1)\n", "unquoted `(`"},
		"home":                    {"A=~/x\n", "unquoted `~`"},
		"open quote":              {"A=\"1\nB=2\n", "line 1: A: the quote \" is never closed"},
		"backslash in singles":    {`A='a\b'` + "\n", "backslash in single quotes"},
		"backslash in doubles":    {`A="a\nb"` + "\n", "backslash before 'n'"},
		"comment continued":       {"# C:\\\nA=1\n", "line 1: the comment ends in a backslash"},
		"backslash at the end":    {"A=1\\", "continues nothing"},
		"backslash before CR":     {"A=1\\\r\nB=2\r\n", "continues nothing"},
		"escaped blank":           {"A=a\\ b\n", "a blank behind a backslash"},
		"blank after continuing":  {"A=a\\\n b\n", "an unquoted blank"},
		"several lines":           {"A=\"a\nb\"\n", "line end"},
		"lone carriage return":    {"A=1\rB=2\n", "stands alone"},
		"NUL":                     {"A=1\n\x00\n", "line 2: there is a NUL byte"},
		"byte order mark":         {"\xef\xbb\xbfA=1\n", "byte order mark"},
		"not UTF-8":               {"A=\xff\n", "not UTF-8"},
		"key with a dash":         {"A-B=1\n", "a key of letters"},
		"appended":                {"A+=1\n", "a key of letters"},
		"digit":                   {"1A=1\n", "a key of letters"},
		"redirected":              {"A=1>x\n", "unquoted `>`"},
		"control character":       {"A=\x01\n", "control character"},
		"equals sign alone":       {"=1\n", "a key of letters"},
		"exported with a tab":     {"export\tA=1\n", "`export`"},
		"backquote, second quote": {"A='a'\"`id`\"\n", "expands"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(tc.text))
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "line ") {
				t.Fatalf("want %q, got %v", tc.want, err)
			}
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("kind %s", fault.KindOf(err))
			}
		})
	}
}

func TestSystemdAlone(t *testing.T) {
	f, err := ParseSystemd([]byte("; note\n[x]\nexport A=1\nB=a $b 'c' # d\nC = 3 \nD=\"a\" b\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"B": "a $b 'c' # d", "C": "3", "D": "ab"}
	if diff := cmp.Diff(want, values(f)); diff != "" {
		t.Error(diff)
	}
}
