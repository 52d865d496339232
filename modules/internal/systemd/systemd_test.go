package systemd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSettings(t *testing.T) {
	text := `# comment = no setting
; neither
[Unit]
Description = An etcd
AssertPathExists=!/etc/etcd/fenced.json

[Service]
ExecStart=
ExecStart=/usr/bin/etcd \
  --name=x \
  --force-new-cluster
# a comment that ends in a backslash \
Restart=no`
	var got []string
	for _, s := range Settings(text) {
		got = append(got, s.Section+"/"+s.Key+"/"+s.Value)
		if !strings.Contains(text[s.Start:s.End], s.Key) {
			t.Errorf("%s is not at its offsets: %q", s.Key, text[s.Start:s.End])
		}
	}
	want := []string{
		"Unit/Description/An etcd", "Unit/AssertPathExists/!/etc/etcd/fenced.json", "Service/ExecStart/",
		"Service/ExecStart//usr/bin/etcd    --name=x    --force-new-cluster", "Service/Restart/no",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if s := Settings(text)[3]; s.Line != 9 || Settings(text)[4].Line != 13 {
		t.Errorf("lines %d and %d", s.Line, Settings(text)[4].Line)
	}
}

func TestResetsAsserts(t *testing.T) {
	for text, want := range map[string]bool{
		"[Unit]\nAssertPathExists=\n":    true,
		"[Unit]\nAssertFileNotEmpty=\n":  true, // any of them empties the whole list
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

// Whatever the text: offsets are in order and inside it, and no setting is made up.
func FuzzSettings(f *testing.F) {
	f.Add("[Service]\nExecStart=a \\\n b\n# c \\\nX=y")
	f.Fuzz(func(t *testing.T, text string) {
		end := 0
		for _, s := range Settings(text) {
			if s.Start < end || s.End <= s.Start || s.End > len(text) || !strings.Contains(text[s.Start:s.End], "=") {
				t.Fatalf("%+v in %q", s, text)
			}
			end = s.End
		}
	})
}
