package systemd

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// units are unit files and what systemd reads in them: section, key, value. settings_judge_test.go asks systemd itself.
var units = map[string]struct {
	text string
	want []string
}{
	"the usual": {"# comment = no setting\n; neither\n[Unit]\nDescription = An etcd\nAssertPathExists=!/etc/etcd/fenced.json\n\n[Service]\nRestart=no",
		[]string{"Unit/Description/An etcd", "Unit/AssertPathExists/!/etc/etcd/fenced.json", "Service/Restart/no"}},
	"a line that goes on": {"[Service]\nExecStart=/usr/bin/etcd \\\n  --name=x \\\n  --force-new-cluster\n# a comment that ends in a backslash \\\nRestart=no\n",
		[]string{"Service/ExecStart//usr/bin/etcd    --name=x    --force-new-cluster", "Service/Restart/no"}},
	"it goes on without a blank": {"[Service]\nExecStart=/usr/bin/etcd\\\n--name=x\n", []string{"Service/ExecStart//usr/bin/etcd --name=x"}},
	"a comment within it":        {"[Service]\nExecStart=/usr/bin/etcd \\\n# not yet \\\n  ; nor this\n --name=x\n", []string{"Service/ExecStart//usr/bin/etcd   --name=x"}},
	"an escaped backslash":       {"[Service]\nEnvironment=A=b\\\\\nRestart=no\n", []string{`Service/Environment/A=b\\`, "Service/Restart/no"}},
	"it goes on in nothing":      {"[Service]\nEnvironment=A=b \\", []string{"Service/Environment/A=b"}},
	"quotes": {"[Service]\nEnvironment=\"A=1 2\" 'B=3 # 4' C=5\nExecStart=/bin/echo \"x ; y\" 'z'\n",
		[]string{`Service/Environment/"A=1 2" 'B=3 # 4' C=5`, `Service/ExecStart//bin/echo "x ; y" 'z'`}},
	"one quoted word":      {"[Service]\nEnvironment=\"A=1 2\"\nExecStart=\"/bin/true\"\n", []string{`Service/Environment/"A=1 2"`, `Service/ExecStart/"/bin/true"`}},
	"backquotes":           {"[Service]\nEnvironment=`A=b\nExecStart=/bin/true\n", []string{"Service/Environment/`A=b", "Service/ExecStart//bin/true"}},
	"three quotes":         {"[Service]\nEnvironment=\"\"\"A=b\nExecStart=/bin/true\n", []string{`Service/Environment/"""A=b`, "Service/ExecStart//bin/true"}},
	"no inline comment":    {"[Service]\nEnvironment=A=1 # B=2 ; C=3\n", []string{"Service/Environment/A=1 # B=2 ; C=3"}},
	"repeated":             {"[Service]\nEnvironment=A=1\nRestart=no\nEnvironment=B=2\nEnvironment=A=1\n", []string{"Service/Environment/A=1", "Service/Environment/B=2", "Service/Environment/A=1", "Service/Restart/no"}},
	"a reset":              {"[Service]\nExecStart=/bin/false\nExecStart=\nExecStart = \nExecStart=/bin/true\n", []string{"Service/ExecStart//bin/false", "Service/ExecStart/", "Service/ExecStart/", "Service/ExecStart//bin/true"}},
	"a reset at the end":   {"[Service]\nEnvironment=A=1\nEnvironment=", []string{"Service/Environment/A=1", "Service/Environment/"}},
	"a section again":      {"[Service]\nEnvironment=A=1\n[Unit]\nDescription=x\n[Service]\nEnvironment=\nEnvironment=B=2\n", []string{"Service/Environment/A=1", "Service/Environment/", "Service/Environment/B=2", "Unit/Description/x"}},
	"outside of a section": {"Environment=A=1\n[Service]\nEnvironment=B=2\n", []string{"Service/Environment/B=2"}},
	"no assignment":        {"[Service]\nhello\n=x\n- = y\n\"Environment=A=1\nEnvironment=B=2\n", []string{"Service/Environment/B=2"}},
	"no name of a section": {"[Service]\nEnvironment=A=1\n[]\nEnvironment=B=2\n[Service]\nEnvironment=C=3\n", []string{"Service/Environment/A=1", "Service/Environment/C=3"}},
	"a colon":              {"[Service]\nEnvironment: A=1\nEnvironment=B:2=3\n", []string{"Service/Environment/B:2=3"}},
	"a percent sign":       {"[Unit]\nDescription=%(x)s %n\n", []string{"Unit/Description/%(x)s %n"}},
	"carriage returns":     {"[Service]\r\nEnvironment=A=1 \\\r\n B=2\r\n", []string{"Service/Environment/A=1   B=2"}},
	"indented":             {"  [Service]\n\tEnvironment =\tA=1\t\n", []string{"Service/Environment/A=1"}},
	"nothing":              {"", nil},
}

func TestSettings(t *testing.T) {
	for name, tc := range units {
		t.Run(name, func(t *testing.T) {
			settings, err := Settings(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range settings {
				got = append(got, s.Section+"/"+s.Key+"/"+s.Value)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestResetsAsserts(t *testing.T) {
	for text, want := range map[string]bool{
		"[Unit]\nAssertPathExists=\n":    true,
		"[Unit]\nAssertFileNotEmpty=\n":  true, // each of them empties the whole list
		"[Unit]\nAssertPathExists=/a\n":  false,
		"[Unit]\n#AssertPathExists=\n":   false,
		"[Service]\nAssertPathExists=\n": false,
	} {
		path := filepath.Join(t.TempDir(), "x.conf")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := ResetsAsserts(path); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestParseProperties(t *testing.T) {
	got := parseProperties("MainPID=12\nDropInPaths=\nEnvironment=A=b C=d\nnoise\n")
	want := map[string]string{"MainPID": "12", "DropInPaths": "", "Environment": "A=b C=d"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestVerbs(t *testing.T) {
	yes, no := true, false
	up := Unit{Load: "loaded", Active: "active", FileText: "enabled"}
	down := Unit{Load: "loaded", Active: "inactive", FileText: "disabled"}
	masked := Unit{Load: "masked", Active: "inactive", FileText: "masked"}
	for name, c := range map[string]struct {
		unit Unit
		wish Wish
		want string
	}{
		"started already":   {up, Wish{State: "started", Enabled: &yes}, ""},
		"start":             {down, Wish{State: "started", Enabled: &yes}, "enable start"},
		"stop":              {up, Wish{State: "stopped", Enabled: &no}, "disable stop"},
		"stopped already":   {down, Wish{State: "stopped", Enabled: &no}, ""},
		"failed is stopped": {Unit{Active: "failed"}, Wish{State: "stopped"}, ""},
		"restart":           {up, Wish{State: "restarted"}, "restart"},
		"reload":            {up, Wish{State: "reloaded"}, "reload"},
		"reload of nothing": {down, Wish{State: "reloaded"}, "start"},
		"unmask first":      {masked, Wish{State: "started", Enabled: &yes, Masked: &no}, "unmask enable start"},
		"mask":              {up, Wish{State: "stopped", Masked: &yes}, "mask stop"},
		"masked already":    {masked, Wish{Masked: &yes}, ""},
	} {
		if got := strings.Join(c.unit.Verbs(c.wish), " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestFullName(t *testing.T) {
	for name, want := range map[string]string{"etcd": "etcd.service", "etcd.service": "etcd.service", "a.b": "a.b.service", "x.timer": "x.timer"} {
		if got := FullName(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// For any text: no setting is invented, and none is missed.
func FuzzSettings(f *testing.F) {
	for _, tc := range units {
		f.Add(tc.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		settings, err := Settings(text)
		if err != nil {
			t.Fatal(err)
		}
		if lines := len(regexp.MustCompile("(?m)^[^\\[\n]").FindAllString(plain(text), -1)); len(settings) != lines {
			t.Fatalf("%d settings of %d: %q", len(settings), lines, text)
		}
		for _, s := range settings {
			if word, _, _ := strings.Cut(s.Value, " "); !strings.Contains(text, s.Key) || !strings.Contains(text, word) {
				t.Fatalf("%+v in %q", s, text)
			}
		}
	})
}
