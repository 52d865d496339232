package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, ansible.Rules{}) }

func copies(a moduletest.Answer) []string {
	var out []string
	list, _ := a.JSON["set_aside"].([]any)
	for _, each := range list {
		out = append(out, each.(map[string]any)["path"].(string))
	}
	return out
}

func TestAsideAndBack(t *testing.T) {
	h := hosttest.New(t)
	aside := h.Args("state", "set_aside")
	before := h.Tree()
	check := moduletest.Run(t, h.Args("state", "set_aside", "_ansible_check_mode", true)).OK(t, true)
	if h.Tree() != before || check.JSON["member_id"] != hosttest.MemberID {
		t.Errorf("check mode: %s", check.Stdout)
	}
	a := moduletest.Run(t, aside).OK(t, true)
	path, _ := a.JSON["path"].(string)
	if h.Exists("var/lib/etcd/member") || filepath.Dir(filepath.Dir(path)) != h.DataDir || filepath.Base(path) != "member" {
		t.Fatalf("%s", a.Stdout)
	}
	if got := copies(a); len(got) != 1 || got[0] != path {
		t.Errorf("copies %v, want %s", got, path)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("its directory: %v, %v", info.Mode(), err)
	}
	if again := moduletest.Run(t, aside).OK(t, false); len(copies(again)) != 1 {
		t.Errorf("second run: %s", again.Stdout)
	}
	moduletest.Run(t, h.Args("state", "restored", "_ansible_check_mode", true)).OK(t, true)
	a = moduletest.Run(t, h.Args("state", "restored")).OK(t, true)
	if h.Tree() != before || len(copies(a)) != 0 {
		t.Errorf("put back, and the host differs from before:\n%s\n%s", before, h.Tree())
	}
	moduletest.Run(t, h.Args("state", "restored")).OK(t, false)
}

// The record of a forced start that was begun goes with the data that it is about, and comes back with it.
func TestTheRecordOfAForcedStart(t *testing.T) {
	const record = "etc/etcd/forcing.json"
	h := hosttest.New(t)
	h.Write(record, `{"phase":"begun","commit":900}`)
	before := h.Tree()
	a := moduletest.Run(t, h.Args("state", "set_aside")).OK(t, true)
	path, _ := a.JSON["path"].(string)
	kept, err := os.ReadFile(filepath.Join(filepath.Dir(path), "forcing.json"))
	if err != nil || string(kept) != `{"phase":"begun","commit":900}` || h.Exists(record) {
		t.Fatalf("%s %v; still there: %v", kept, err, h.Exists(record))
	}
	moduletest.Run(t, h.Args("state", "set_aside")).OK(t, false)
	moduletest.Run(t, h.Args("state", "restored")).OK(t, true)
	if h.Tree() != before {
		t.Errorf("put back, and the host differs from before:\n%s\n%s", before, h.Tree())
	}
	h.Wipe()
	moduletest.Run(t, h.Args("state", "set_aside", "_ansible_check_mode", true)).OK(t, true)
	moduletest.Run(t, h.Args("state", "set_aside")).OK(t, true)
	if copies, err := filepath.Glob(filepath.Join(h.Root, record+".*~")); h.Exists(record) || len(copies) != 1 || err != nil {
		t.Errorf("without data: %v %v", copies, err)
	}
	moduletest.Run(t, h.Args("state", "set_aside")).OK(t, false)
}

func TestRestoreDoesNotGuess(t *testing.T) {
	h := hosttest.New(t)
	for _, stamp := range []string{"20260101T000000Z", "20260102T000000Z"} {
		h.Write("var/lib/etcd/set-aside-"+stamp+"/member/wal/x", stamp)
	}
	first := h.DataDir + "/set-aside-20260101T000000Z"
	a := moduletest.Run(t, h.Args("state", "restored", "path", first)).Failed(t, "refused")
	if !strings.Contains(a.Msg(), "holds a member already") {
		t.Error(a.Msg())
	}
	h.Wipe()
	a = moduletest.Run(t, h.Args("state", "restored")).Failed(t, "refused")
	if hint, _ := a.JSON["hint"].(string); !strings.Contains(hint, "path="+h.DataDir) || len(copies(a)) != 2 {
		t.Errorf("%s", a.Stdout)
	}
	moduletest.Run(t, h.Args("state", "restored", "path", "/elsewhere")).Failed(t, "invalid")
	moduletest.Run(t, h.Args("state", "restored", "path", first)).OK(t, true)
	if h.Read("var/lib/etcd/member/wal/x") != "20260101T000000Z" || !h.Exists("var/lib/etcd/set-aside-20260102T000000Z/member/wal/x") {
		t.Error("the wrong copy, or both")
	}
}

func TestAnInterruptedRunLeavesNothingBehind(t *testing.T) {
	h := hosttest.New(t)
	if err := os.Mkdir(h.DataDir+"/set-aside-20260101T000000Z", 0o700); err != nil { // killed before its rename
		t.Fatal(err)
	}
	if a := moduletest.Run(t, h.Args("state", "set_aside")).OK(t, true); len(copies(a)) != 1 {
		t.Errorf("%s", a.Stdout)
	}
	if h.Exists("var/lib/etcd/set-aside-20260101T000000Z") {
		t.Error("the empty directory is still there")
	}
}

func TestRefusesWhileEtcdRuns(t *testing.T) {
	for name, start := range map[string]func(h *hosttest.Host){
		"as a unit": func(h *hosttest.Host) { h.Start() },
		"by hand":   func(h *hosttest.Host) { h.StartByHand() },
	} {
		t.Run(name, func(t *testing.T) {
			h := hosttest.New(t)
			start(h)
			before := h.Tree()
			for _, state := range []string{"set_aside"} {
				a := moduletest.Run(t, h.Args("state", state)).Failed(t, "refused")
				if !strings.Contains(a.Msg(), "etcd runs on this host") || h.Tree() != before {
					t.Errorf("%s", a.Stdout)
				}
			}
		})
	}
}

func TestEndpointsThatAreGivenMustAnswer(t *testing.T) {
	h := hosttest.New(t)
	before := h.Tree()
	moduletest.Run(t, h.Args("state", "set_aside", "endpoints", "http://127.0.0.1:1", "timeout", 5)).Failed(t, "unreachable")
	if h.Tree() != before {
		t.Error("the data was moved")
	}
}

func TestALogElsewhereIsRefused(t *testing.T) {
	h := hosttest.New(t)
	h.Write("etc/etcd/etcd.conf", h.Read("etc/etcd/etcd.conf")+"ETCD_WAL_DIR="+h.Root+"/var/wal\n")
	before := h.Tree()
	a := moduletest.Run(t, h.Args("state", "set_aside")).Failed(t, "unsupported")
	if !strings.Contains(a.Msg(), "ETCD_WAL_DIR") || h.Tree() != before {
		t.Errorf("%s", a.Stdout)
	}
}

func TestBadInput(t *testing.T) {
	h := hosttest.New(t)
	before := h.Tree()
	for _, args := range []map[string]any{
		h.Args(), h.Args("state", "absent"), h.Args("state", "set_aside", "path", "/x"), h.Args("state", "set_aside", "timeout", 0),
		h.Args("state", "set_aside", "endpoints", "nonsense"),
	} {
		if a := moduletest.Run(t, args).Failed(t, "invalid"); !strings.HasPrefix(a.Msg(), "etcd_data_dir: ") {
			t.Error(a.Msg())
		}
	}
	if h.Tree() != before {
		t.Error("bad input changed something")
	}
}
