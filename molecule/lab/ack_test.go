package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAckLine(t *testing.T) {
	want := Ack{Sent: time.Unix(0, 5), At: time.Unix(0, 7), Store: "v3", Key: "/lab/writer/r/0/1", Value: "0.1.xx"}
	got, err := parseAck(want.line())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "1 2 v3 key", "1 2 v4 key value", "x 2 v3 key value", "1 x v3 key value", "1 2 v3 key value more"} {
		if _, err := parseAck(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzParseAck(f *testing.F) {
	f.Add("5 7 v3 /k v\n")
	f.Add("5 7 v2 /k v")
	f.Fuzz(func(t *testing.T, line string) {
		a, err := parseAck(line)
		if err != nil {
			return
		}
		again, err := parseAck(a.line())
		if err != nil {
			t.Fatalf("%q: what was parsed cannot be written: %v", line, err)
		}
		if diff := cmp.Diff(a, again); diff != "" {
			t.Error(diff)
		}
	})
}

func TestReadAcks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "acked.log")
	// The second was acknowledged first; the last is being written.
	write(t, file, "1 9 v3 /b 2\n1 4 v2 /a 1\n2 12 v3 /c")
	acks, err := readAcks(file)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, a := range acks {
		keys = append(keys, a.Key)
	}
	if diff := cmp.Diff([]string{"/a", "/b"}, keys); diff != "" {
		t.Error(diff)
	}
	if g := longestGap(acks); g.length != 5 || g.from != time.Unix(0, 4) {
		t.Errorf("longest gap %v from %v, want 5ns from 4", g.length, g.from)
	}
	write(t, file, "1 9 v3 /b 2\nnonsense\n1 4 v2 /a 1\n")
	if _, err := readAcks(file); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("a damaged log: %v, want an error that shows the line", err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestMissing(t *testing.T) {
	acks := []Ack{
		{Store: "v3", Key: "/kept", Value: "1"}, {Store: "v3", Key: "/lost", Value: "1"},
		{Store: "v3", Key: "/old", Value: "1"}, {Store: "v3", Key: "/old", Value: "2"},
		{Store: "v2", Key: "/elsewhere", Value: "1"},
	}
	have := map[string]string{"/kept": "1", "/old": "1", "/unknown": "1"}
	if diff := cmp.Diff([]string{"/lost", "/old"}, missing(wanted(acks, "v3"), have)); diff != "" {
		t.Error(diff)
	}
}

func TestReports(t *testing.T) {
	hosts := layout(Options{Etcd: 2, Masters: "same"}, 1)
	good := content{v3: map[string]string{"/a": "1"}, v2: map[string]string{"/b": "1"}, revision: 2, sum: "s", fresh: true}
	acks := []Ack{{Store: "v3", Key: "/a", Value: "1"}, {Store: "v2", Key: "/b", Value: "1"}}
	change := func(f func(*content)) content {
		c := good
		f(&c)
		return c
	}
	tests := []struct {
		name                string
		second              content
		losses, differences bool
	}{
		{"equal", good, false, false},
		{"v3 lost", change(func(c *content) { c.v3, c.sum = nil, "t" }), true, true},
		{"v2 lost", change(func(c *content) { c.v2 = nil }), true, true},
		{"more than was acknowledged", change(func(c *content) { c.sum = "t" }), false, true},
		{"another revision", change(func(c *content) { c.revision = 1 }), false, true},
		{"does not answer", content{err: os.ErrDeadlineExceeded}, true, false},
		{"v2 under way without quorum", change(func(c *content) { c.fresh, c.v2 = false, map[string]string{"/b": "1", "/c": "1"} }), false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			contents := []content{good, tt.second}
			if got := reportLosses(hosts, contents, acks); got != tt.losses {
				t.Errorf("losses: %v, want %v", got, tt.losses)
			}
			if got := reportDifferences(hosts, contents); got != tt.differences {
				t.Errorf("differences: %v, want %v", got, tt.differences)
			}
		})
	}
}

func TestV2Flatten(t *testing.T) {
	tree := v2Node{Dir: true, Nodes: []v2Node{
		{Key: "/a", Dir: true, Nodes: []v2Node{{Key: "/a/b", Value: "1"}}},
		{Key: "/c", Value: ""}, {Key: "/empty", Dir: true},
	}}
	got := map[string]string{}
	tree.flatten(got)
	if diff := cmp.Diff(map[string]string{"/a/b": "1", "/c": ""}, got); diff != "" {
		t.Error(diff)
	}
}

func TestStartTime(t *testing.T) {
	stat := "42 (et) cd) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 299036 100 200"
	if got := field(stat, startTime); got != "299036" {
		t.Errorf("got %q", got)
	}
}

func TestDescends(t *testing.T) {
	me, parent := os.Getpid(), os.Getppid()
	if !descends(me, parent) || !descends(me, me) {
		t.Error("not found below its parents")
	}
	if descends(parent, me) || descends(1<<22+1, 1) {
		t.Error("a stranger was taken for a child")
	}
}

func TestDescribeSeesEveryChange(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), "1")
	describeDir := func() []string {
		lines, err := describe(dir, "/", []string{"/noise"})
		if err != nil {
			t.Fatal(err)
		}
		return lines
	}
	before := describeDir()
	write(t, filepath.Join(dir, "noise"), "x")
	if diff := cmp.Diff(before, describeDir()); diff != "" {
		t.Errorf("noise counts: %s", diff)
	}
	file := filepath.Join(dir, "a")
	for _, change := range []struct {
		name string
		make func() error
	}{
		{"content", func() error { return os.WriteFile(file, []byte("2"), 0o600) }},
		{"mode", func() error { return os.Chmod(file, 0o644) }},
		{"link", func() error { return os.Symlink("a", filepath.Join(dir, "b")) }},
		{"gone", func() error { return os.Remove(file) }},
	} {
		before := describeDir()
		if err := change.make(); err != nil {
			t.Fatal(err)
		}
		if cmp.Diff(before, describeDir()) == "" {
			t.Errorf("%s: not seen", change.name)
		}
	}
}
