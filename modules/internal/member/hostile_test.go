package member

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/membertest"
)

// Root writes the log in place, in another user's directory: not through a link to a log elsewhere, and not where the file has a second name.
func TestHostileTail(t *testing.T) {
	const stranger = 65534 // tests run as root
	for name, spoil := range map[string]func(outside, segment string) error{
		"a link":             func(outside, segment string) error { return os.Symlink(outside, segment) },
		"a hard link":        func(outside, segment string) error { return os.Link(outside, segment) },
		"a link to the logs": func(outside, segment string) error { return os.Symlink(filepath.Dir(outside), filepath.Dir(segment)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := membertest.AMember(membertest.Good()).Write(t)
			segments, err := filepath.Glob(filepath.Join(dir, "member/wal/*.wal"))
			if err != nil || len(segments) == 0 {
				t.Fatal(segments, err)
			}
			last := segments[len(segments)-1]
			outside := filepath.Join(t.TempDir(), filepath.Base(last))
			must(t, os.Rename(last, outside))
			if name == "a link to the logs" {
				must(t, os.RemoveAll(filepath.Dir(last)))
			}
			before, err := os.ReadFile(outside)
			must(t, err)
			must(t, spoil(outside, last))
			for _, path := range []string{dir, filepath.Join(dir, "member")} {
				must(t, os.Chown(path, stranger, stranger))
			}
			if _, err := KeepTail(t.Context(), dir, ""); fault.KindOf(err) != fault.Refused || fault.HintOf(err) == "" {
				t.Errorf("%v (%s)", err, fault.HintOf(err))
			}
			if after, err := os.ReadFile(outside); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file elsewhere was written (%v)", err)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestHostileTimeIsOver: a member that was not read to its end has no damage to act on.
func TestHostileTimeIsOver(t *testing.T) {
	dir := membertest.AMember(membertest.Good()).Write(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, read := range map[string]func() (*State, error){
		"given up": func() (*State, error) { return Read(ctx, dir, "") },
		"within":   func() (*State, error) { return readMember(ctx, dir, "") },
	} {
		s, err := read()
		if s != nil || fault.KindOf(err) != fault.Timeout || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	before := treeSum(t, dir)
	if _, err := ForceNewCluster(ctx, dir, "", true); fault.KindOf(err) != fault.Timeout || treeSum(t, dir) != before {
		t.Error(err)
	}
	// Each loop checks the time by itself: between .snap files, segments, and records.
	w := walker{ctx: ctx, state: &State{}}
	all, err := segments(dir + "/member/wal")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.walk(dir+"/member/wal", all); !errors.Is(err, context.Canceled) || len(w.state.Damage) > 0 {
		t.Error(err, w.state.Damage)
	}
	if _, err := w.segment(dir+"/member/wal", all[0], 0, true); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := os.WriteFile(dir+"/member/snap/0000000000000009-0000000000000009.snap", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.state.newestSnapshot(ctx, dir+"/member/snap"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
