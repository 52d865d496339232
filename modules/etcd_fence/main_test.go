package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, rules) }

const (
	record = "etc/etcd/fenced.json"
	dropIn = "etc/systemd/system/etcd.service.d/etcd-quorum-restore-fence.conf"
)

func recordOf(t *testing.T, h *hosttest.Host) map[string]any {
	t.Helper()
	out := map[string]any{}
	if err := json.Unmarshal([]byte(h.Read(record)), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFenceAndLift(t *testing.T) {
	h := hosttest.New(t)
	h.Start()
	fence := h.Args("why", "quorum restored on m1", "survivor", "m1")
	before := h.Tree()
	moduletest.Run(t, h.Args("_ansible_check_mode", true)).OK(t, true)
	if running, _ := h.Running(); !running || h.Tree() != before {
		t.Fatal("check mode touched something")
	}

	a := moduletest.Run(t, fence).OK(t, true)
	if running, _ := h.Running(); running || a.JSON["state"] != "fenced" {
		t.Fatalf("it runs, or: %s", a.Stdout)
	}
	got := recordOf(t, h)
	if got["when"] == "" || cmp.Diff(got, a.JSON["fenced"]) != "" {
		t.Errorf("record %v, returned %v", got, a.JSON["fenced"])
	}
	delete(got, "when")
	want := map[string]any{"why": "quorum restored on m1", "kind": "recovery", "survivor": "m1", "run": "", "ran": true, "earlier": "", "member_id": hosttest.MemberID, "cluster_id": hosttest.ClusterID}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !h.Exists("var/lib/etcd/member/snap/db") {
		t.Error("the data is gone")
	}
	moduletest.Run(t, fence).OK(t, false)

	fenced := h.Tree()
	refused := moduletest.Run(t, h.Args("state", "absent")).Failed(t, "refused")
	if h.Tree() != fenced || !strings.Contains(refused.Msg(), hosttest.MemberID) {
		t.Errorf("%s", refused.Stdout)
	}
	moduletest.Run(t, h.Args("state", "absent", "keep_data", true, "_ansible_check_mode", true)).OK(t, true)
	if h.Tree() != fenced {
		t.Error("check mode touched something")
	}
	a = moduletest.Run(t, h.Args("state", "absent", "keep_data", true)).OK(t, true)
	if running, _ := h.Running(); running || h.Exists(record) || h.Exists(dropIn) || a.JSON["fenced"] != nil || a.JSON["state"] != "stopped" {
		t.Errorf("%s", a.Stdout)
	}
	moduletest.Run(t, h.Args("state", "absent")).OK(t, false)
}

func TestWithoutData(t *testing.T) {
	h := hosttest.New(t)
	h.Wipe()
	moduletest.Run(t, h.Args()).OK(t, true)
	if got := recordOf(t, h); got["member_id"] != nil || got["cluster_id"] != nil {
		t.Errorf("a host without data: %v", got)
	}
	moduletest.Run(t, h.Args("state", "absent")).OK(t, true)
}

// A fence's record never loses what is known: the survivor for which it was set decides whether this host's data may be started again.
func TestTheRecordKeepsWhatIsKnown(t *testing.T) {
	h := hosttest.New(t)
	h.Start()
	fence := func(extra ...any) map[string]any {
		t.Helper()
		moduletest.Run(t, h.Args(extra...)).OK(t, true)
		return recordOf(t, h)
	}
	is := func(got map[string]any, kind, survivor, run string) {
		t.Helper()
		if got["kind"] != kind || got["survivor"] != survivor || got["run"] != run {
			t.Errorf("%v, want %s %s %s", got, kind, survivor, run)
		}
	}
	is(fence("kind", "lost", "survivor", "unknown", "run", "r1"), "lost", "unknown", "r1")
	is(fence("kind", "lost", "survivor", "m1", "run", "r2"), "lost", "m1", "r2")
	for _, less := range [][]any{{"why", "by hand"}, {"survivor", "unknown", "run", "r3"}} {
		moduletest.Run(t, h.Args(less...)).OK(t, false)
		is(recordOf(t, h), "lost", "m1", "r2")
	}
	is(fence("survivor", "m1", "run", "r4"), "recovery", "m1", "r4")
	was := func(earlier string) {
		t.Helper()
		if got := recordOf(t, h); got["earlier"] != earlier || got["ran"] != true {
			t.Errorf("%v, want earlier %q", got, earlier)
		}
	}
	was("m1") // lost, while m1 went on
	fence("survivor", "m2", "run", "r4")
	was("m1") // the same run has another survivor
	fence("survivor", "m1", "run", "r6")
	was("m1,m2")
	fence("survivor", "m1", "run", "r7")
	was("m1,m2")
	fence("kind", "joining", "survivor", "m2", "run", "r7")
	was("m1,m2")
	h.Write(record, `{"when":"2026-01-01T00:00:00Z","why":"an older version","cluster_id":null,"member_id":null,"survivor":""}`)
	is(fence("kind", "lost", "survivor", "unknown", "run", "r5"), "lost", "unknown", "r5")
}

// A run that was killed after any step is finished by the next, and the first record stays.
func TestSecondRunFinishes(t *testing.T) {
	h := hosttest.New(t)
	h.Start()
	h.Write(record, `{"when":"2026-01-01T00:00:00Z","why":"first","kind":"recovery","cluster_id":null,"member_id":null,"survivor":"m1"}`)
	moduletest.Run(t, h.Args("why", "second", "survivor", "m1")).OK(t, true)
	if running, _ := h.Running(); running || recordOf(t, h)["why"] != "first" || !h.Exists(dropIn) {
		t.Errorf("running, or record %s", h.Read(record))
	}
	moduletest.Run(t, h.Args("why", "second", "survivor", "m2")).OK(t, true)
	if got := recordOf(t, h); got["survivor"] != "m2" || got["why"] != "second" || got["when"] != "2026-01-01T00:00:00Z" {
		t.Errorf("another survivor: %v", got)
	}
	os.Remove(h.Root + "/" + record) // a lift that was killed between its two steps
	moduletest.Run(t, h.Args("state", "absent", "keep_data", true)).OK(t, true)
	if h.Exists(dropIn) {
		t.Error("the drop-in is left")
	}
}

// An undo starts etcd where it ran, and only there; after a kill between the two steps, the next run starts it.
func TestStartAgain(t *testing.T) {
	again := func(h *hosttest.Host, more ...any) map[string]any {
		return h.Args(append([]any{"state", "absent", "keep_data", true, "start_again", true}, more...)...)
	}
	const half = "etc/etcd/unfenced.json"
	runs := func(h *hosttest.Host, want bool) {
		t.Helper()
		if running, _ := h.Running(); running != want || h.Exists(record) || h.Exists(dropIn) || h.Exists(half) {
			t.Errorf("running %v, want %v, or a file is left:\n%s", running, want, h.Tree())
		}
	}
	stopped := hosttest.New(t)
	moduletest.Run(t, stopped.Args()).OK(t, true)
	moduletest.Run(t, again(stopped)).OK(t, true)
	runs(stopped, false)

	h := hosttest.New(t)
	h.Start()
	moduletest.Run(t, h.Args()).OK(t, true)
	moduletest.Run(t, h.Args("run", "r2", "survivor", "m2")).OK(t, true) // not running any more, and fenced again
	fenced := h.Tree()
	moduletest.Run(t, again(h, "_ansible_check_mode", true)).OK(t, true)
	if h.Tree() != fenced {
		t.Error("check mode touched something")
	}
	if a := moduletest.Run(t, again(h)).OK(t, true); a.JSON["state"] != "running" || a.JSON["fenced"] != nil {
		t.Errorf("%s", a.Stdout)
	}
	runs(h, true)
	moduletest.Run(t, again(h)).OK(t, false)

	moduletest.Run(t, h.Args()).OK(t, true)
	if err := os.Rename(filepath.Join(h.Root, record), filepath.Join(h.Root, half)); err != nil { // killed between the two steps
		t.Fatal(err)
	}
	moduletest.Run(t, h.Args()).OK(t, true) // another restore fences it again, and is killed as well
	if h.Exists(half) || recordOf(t, h)["ran"] != true {
		t.Errorf("that it ran is forgotten:\n%s", h.Read(record))
	}
	if err := os.Rename(filepath.Join(h.Root, record), filepath.Join(h.Root, half)); err != nil {
		t.Fatal(err)
	}
	moduletest.Run(t, again(h)).OK(t, true)
	runs(h, true)
}

func TestAFailurePutsNothingBack(t *testing.T) {
	h := hosttest.New(t)
	h.Mode(hosttest.Stubborn)
	h.Start()
	a := moduletest.Run(t, h.Args("timeout", 1))
	if a.Code != 1 || a.JSON["kind"] != "timeout" || a.JSON["changed"] != true {
		t.Errorf("%s", a.Stdout)
	}
	if !h.Exists(record) || !h.Exists(dropIn) {
		t.Error("the fence was taken back")
	}
}

func TestForcingHostKeepsItsFence(t *testing.T) {
	h := hosttest.New(t)
	moduletest.Run(t, h.Args()).OK(t, true)
	h.Write("etc/etcd/forcing.json", "{}")
	before := h.Tree()
	a := moduletest.Run(t, h.Args("state", "absent", "keep_data", true)).Failed(t, "refused")
	if !strings.Contains(a.Msg(), "only etcd_force_new_cluster") || h.Tree() != before {
		t.Errorf("%s", a.Stdout)
	}
}

func TestBadInput(t *testing.T) {
	h := hosttest.New(t)
	before := h.Tree()
	for _, args := range []map[string]any{h.Args("state", "gone"), h.Args("kind", "other"), h.Args("timeout", -1), h.Args("keep_data", "perhaps"), h.Args("reason", "x")} {
		if a := moduletest.Run(t, args).Failed(t, "invalid"); !strings.HasPrefix(a.Msg(), "etcd_fence: ") {
			t.Error(a.Msg())
		}
	}
	if h.Tree() != before {
		t.Error("bad input changed something")
	}
}

// Whether etcd went on between the look and the fence is known once it is stopped.
func TestMoved(t *testing.T) {
	m := etcdtest.Start(t, 1).Members[0]
	m.WaitHealthy(t)
	m.Must(t, 3, "put", "/a", "b")
	m.Stop(t)
	s, err := member.Read(t.Context(), m.DataDir, "")
	if err != nil {
		t.Fatal(err)
	}
	h := hosttest.New(t)
	h.Wipe()
	if a := moduletest.Run(t, h.Args("seen_term", 1, "_ansible_check_mode", true)).OK(t, true); a.JSON["moved"] != false {
		t.Error("check mode stops nothing, and so cannot tell: ", a.Stdout)
	}
	if a := moduletest.Run(t, h.Args("seen_term", 0, "seen_index", 0)).OK(t, true); a.JSON["moved"] != false {
		t.Error("no data, as before: ", a.Stdout)
	}
	if err := os.CopyFS(filepath.Join(h.DataDir, "member"), os.DirFS(filepath.Join(m.DataDir, "member"))); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []any
		want bool
	}{
		"without a look": {nil, false},
		"as it was":      {[]any{"seen_term", s.LastTerm, "seen_index", s.LastIndex}, false},
		"by text":        {[]any{"seen_term", fmt.Sprint(s.LastTerm), "seen_index", fmt.Sprint(s.LastIndex)}, false},
		"more entries":   {[]any{"seen_term", s.LastTerm, "seen_index", s.LastIndex - 1}, true},
		"only the term":  {[]any{"seen_term", s.LastTerm}, false},
		"another term":   {[]any{"seen_term", s.LastTerm - 1}, true},
		"there was none": {[]any{"seen_term", 0, "seen_index", 0}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if a := moduletest.Run(t, h.Args(c.args...)).OK(t, false); a.JSON["moved"] != c.want {
				t.Error(a.Stdout)
			}
		})
	}
}
