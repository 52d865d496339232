package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, rules) }

func evidenceOf(t *testing.T, a moduletest.Answer) map[string]any {
	t.Helper()
	e, ok := a.JSON["evidence"].(map[string]any)
	if !ok {
		t.Fatalf("no evidence: %s", a.Stdout)
	}
	return e
}

func want(t *testing.T, got map[string]any, pairs ...any) {
	t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		if got[pairs[i].(string)] != pairs[i+1] {
			t.Errorf("%s is %v, want %v", pairs[i], got[pairs[i].(string)], pairs[i+1])
		}
	}
}

func TestStartStopRestart(t *testing.T) {
	h := hosttest.New(t)
	start, stop := h.Args("state", "started"), h.Args("state", "stopped")

	check := moduletest.Run(t, h.Args("state", "started", "_ansible_check_mode", true)).OK(t, true)
	if running, _ := h.Running(); running || len(h.Calls()) > 0 {
		t.Fatalf("check mode called %v", h.Calls())
	}
	want(t, check.JSON, "state", "stopped", "runtime", "systemd")
	a := moduletest.Run(t, start).OK(t, true)
	want(t, a.JSON, "state", "running")
	want(t, evidenceOf(t, a), "serving", true, "peer_port", true, "already_running", false)
	a = moduletest.Run(t, start).OK(t, false)
	want(t, evidenceOf(t, a), "already_running", true, "serving", true)
	moduletest.Run(t, h.Args("state", "started", "_ansible_check_mode", true)).OK(t, false)

	moduletest.Run(t, h.Args("state", "stopped", "_ansible_check_mode", true)).OK(t, true)
	if running, _ := h.Running(); !running {
		t.Fatal("check mode stopped it")
	}
	a = moduletest.Run(t, h.Args("state", "restarted")).OK(t, true)
	want(t, evidenceOf(t, a), "was_running", true, "graceful", true, "process_gone", true, "serving", true, "already_running", false)
	a = moduletest.Run(t, stop).OK(t, true)
	want(t, a.JSON, "state", "stopped")
	want(t, evidenceOf(t, a), "process_gone", true, "ports_closed", true, "locks_free", true, "graceful", true)
	a = moduletest.Run(t, stop).OK(t, false)
	want(t, evidenceOf(t, a), "was_running", false, "process_gone", true)
}

func TestWithoutQuorum(t *testing.T) {
	h := hosttest.New(t)
	h.Mode(hosttest.NoQuorum)
	a := moduletest.Run(t, h.Args("state", "started", "wait", "process")).OK(t, true)
	want(t, a.JSON, "state", "starting")
	want(t, evidenceOf(t, a), "peer_port", true, "serving", false)
	a = moduletest.Run(t, h.Args("state", "started", "timeout", 2)).Failed(t, "timeout")
	if hint, _ := a.JSON["hint"].(string); !strings.Contains(hint, "wait=process") {
		t.Errorf("hint: %s", hint)
	}
}

func TestAFailureAfterAChangeSaysSo(t *testing.T) {
	h := hosttest.New(t)
	h.Mode(hosttest.Exits)
	h.Journal("open /var/lib/etcd/member/wal/0.wal: permission denied")
	a := moduletest.Run(t, h.Args("state", "started"))
	if a.Code != 1 || a.JSON["changed"] != true || a.JSON["kind"] != "internal" || !strings.Contains(a.Msg(), "permission denied") {
		t.Errorf("%s", a.Stdout)
	}
}

func TestRefusals(t *testing.T) {
	h := hosttest.New(t)
	h.Write("etc/etcd/fenced.json", `{"when":"2026-11-23T03:14:00Z","why":"it is old"}`)
	h.Start()
	before := h.State()
	a := moduletest.Run(t, h.Args("state", "restarted")).Failed(t, "refused")
	if !strings.Contains(a.Msg(), "it is old") || h.State() != before {
		t.Errorf("a fenced host was restarted: %s", a.Stdout)
	}
	moduletest.Run(t, h.Args("state", "stopped")).OK(t, true)
	moduletest.Run(t, h.Args("state", "started")).Failed(t, "refused")

	h = hosttest.New(t)
	h.Wipe()
	moduletest.Run(t, h.Args("state", "started")).Failed(t, "refused")
	moduletest.Run(t, h.Args("state", "started", "_ansible_check_mode", true)).Failed(t, "refused")
}

func TestForceFlagsAbsent(t *testing.T) {
	const temp = "etc/systemd/system/etcd.service.d/temp.conf"
	h := hosttest.New(t)
	h.Write(temp, "[Service]\nExecStart=\nExecStart=/usr/bin/etcd --force-new-cluster\n")
	args := h.Args("force_flags", "absent")
	moduletest.Run(t, h.Args("force_flags", "absent", "_ansible_check_mode", true)).OK(t, true)
	if !h.Exists(temp) {
		t.Fatal("check mode took it away")
	}
	h.Write("etc/etcd/forcing.json", "{}")
	moduletest.Run(t, args).Failed(t, "refused")
	os.Remove(h.Root + "/etc/etcd/forcing.json")
	a := moduletest.Run(t, args).OK(t, true)
	if kept, _ := a.JSON["kept"].([]any); len(kept) != 1 || h.Exists(temp) {
		t.Errorf("%s", a.Stdout)
	}
	moduletest.Run(t, args).OK(t, false)
	if running, _ := h.Running(); running {
		t.Error("etcd was started")
	}
}

// The record that a start is left to do goes once etcd runs, whoever started it.
func TestForceFlagsAbsentTakesTheRecordOfAStart(t *testing.T) {
	const unfenced = "etc/etcd/unfenced.json"
	h := hosttest.New(t)
	h.Write(unfenced, "{}")
	args := h.Args("force_flags", "absent")
	if moduletest.Run(t, args).OK(t, false); !h.Exists(unfenced) {
		t.Fatal("etcd does not run, and is still to be started")
	}
	h.Start()
	if moduletest.Run(t, h.Args("force_flags", "absent", "_ansible_check_mode", true)).OK(t, true); !h.Exists(unfenced) {
		t.Fatal("check mode took it away")
	}
	if moduletest.Run(t, args).OK(t, true); h.Exists(unfenced) {
		t.Error("the record is still there")
	}
	moduletest.Run(t, args).OK(t, false)
}

// The record of a forced start of data that is gone says nothing of the data that etcd runs with. A copy of it stays.
func TestForceFlagsAbsentTakesTheRecordOfOtherData(t *testing.T) {
	const forcing = "etc/etcd/forcing.json"
	h := hosttest.New(t)
	args := h.Args("force_flags", "absent")
	for record, goes := range map[string]bool{
		`{"phase":"begun","member_id":"b0b"}`:                       true,
		`{"phase":"begun","member_id":"` + hosttest.MemberID + `"}`: false,
		`{"phase":"begun"}`:                                         false,
		`{"phase":`:                                                 false,
	} {
		h.Write(forcing, record)
		if moduletest.Run(t, args).OK(t, false); !h.Exists(forcing) {
			t.Fatal("etcd does not run, so nothing says that its data is right, and the record is gone")
		}
		h.Start()
		if moduletest.Run(t, h.Args("force_flags", "absent", "_ansible_check_mode", true)).OK(t, goes); !h.Exists(forcing) {
			t.Fatal("check mode took it away")
		}
		if moduletest.Run(t, args).OK(t, goes); h.Exists(forcing) == goes {
			t.Errorf("%s: still there: %v", record, !goes)
		}
		moduletest.Run(t, args).OK(t, false)
		moduletest.Run(t, h.Args("state", "stopped")).OK(t, true)
	}
	if copies, err := filepath.Glob(filepath.Join(h.Root, forcing+".*~")); len(copies) != 1 || err != nil {
		t.Errorf("copies: %v %v", copies, err)
	}
}

func TestBadInput(t *testing.T) {
	h := hosttest.New(t)
	before := h.Tree()
	for name, args := range map[string]map[string]any{
		"no argument":   h.Args(),
		"unknown state": h.Args("state", "running"),
		"unknown wait":  h.Args("state", "started", "wait", "long"),
		"timeout":       h.Args("state", "stopped", "timeout", 0),
		"unknown":       h.Args("state", "stopped", "force", true),
	} {
		a := moduletest.Run(t, args).Failed(t, "invalid")
		if !strings.HasPrefix(a.Msg(), "etcd_service: ") {
			t.Errorf("%s: %s", name, a.Msg())
		}
	}
	if h.Tree() != before || len(h.Calls()) > 0 {
		t.Error("bad input changed something")
	}
}
