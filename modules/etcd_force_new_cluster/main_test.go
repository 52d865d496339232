package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

// The forced start itself is proven on real hosts only: molecule/role-single-node, restore-crashed, interrupted.

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, rules) }

func TestRefusalsTouchNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare func(*hosttest.Host)
		kind    string
		msg     string
	}{
		"no data":          {func(h *hosttest.Host) { h.Wipe() }, "refused", "no member in the data directory"},
		"damaged database": {func(*hosttest.Host) {}, "corrupt", "broken_database"},
	} {
		t.Run(name, func(t *testing.T) {
			h := hosttest.New(t)
			tc.prepare(h)
			before := h.Tree()
			for _, check := range []bool{true, false} {
				a := moduletest.Run(t, h.Args("_ansible_check_mode", check)).Failed(t, tc.kind)
				if !strings.Contains(a.Msg(), tc.msg) || a.JSON["hint"] == nil {
					t.Errorf("check mode %v: %s", check, a.Stdout)
				}
				if h.Tree() != before {
					t.Errorf("check mode %v: it touched something", check)
				}
			}
		})
	}
}

// An expectation must be a possible result of a rehearsal: anything else would be compared with nothing.
// The package's etcd.conf has the flag, switched off, as a comment; some take the comment mark away. systemd lets this line win over a drop-in.
func TestFlagSwitchedOffInConf(t *testing.T) {
	for _, method := range []string{"log", "flag"} {
		for _, value := range []string{`"false"`, "0"} {
			t.Run(method+" "+value, func(t *testing.T) {
				h := fencedHost(t)
				h.Write("etc/etcd/etcd.conf", h.Read("etc/etcd/etcd.conf")+"ETCD_FORCE_NEW_CLUSTER="+value+"\n")
				moduletest.Run(t, h.Args("method", method)).OK(t, true)
				moduletest.Run(t, h.Args("method", method)).OK(t, false) // it runs alone, and nothing forces it
			})
		}
	}
}

func TestHostileExpectations(t *testing.T) {
	h := hosttest.New(t)
	before := h.Tree()
	for want, change := range map[string]any{
		"member_id": "", "cluster_id": "not hex", "revision": -1, "keys": -1, "v2_keys": -5, "method": "by hand", "Revision": "many", "Keys": 1.5,
	} {
		expect := map[string]any{"member_id": hosttest.MemberID, "cluster_id": hosttest.ClusterID, "revision": 5, "keys": 1, "v2_keys": 0, "method": "log"}
		expect[strings.ToLower(want)] = change
		if a := moduletest.Run(t, h.Args("expect", expect)).Failed(t, "invalid"); !strings.Contains(a.Msg(), "expect") || !strings.Contains(strings.ToLower(a.Msg()), strings.ToLower(want)) {
			t.Errorf("%s: %s", want, a.Msg())
		}
	}
	moduletest.Run(t, h.Args("expect", map[string]any{"x": 1})).Failed(t, "invalid")
	if h.Tree() != before {
		t.Error("something was changed")
	}
}

func TestBadInput(t *testing.T) {
	h := hosttest.New(t)
	for want, args := range map[string]map[string]any{
		"rehearse, expect exclude each other": h.Args("rehearse", "/backup/x", "expect", "{}"),
		"keep_log_tail":                       h.Args("keep_log_tail", "perhaps"),
		"is no copy of a data directory":      h.Args("rehearse", filepath.Join(t.TempDir(), "nothing")),
		"etcd.conf is no copy of a data":      h.Args("rehearse", h.Conf), // a file, as a snapshot is one
	} {
		if a := moduletest.Run(t, args).Failed(t, "invalid"); !strings.Contains(a.Msg(), want) {
			t.Errorf("%s: %s", want, a.Msg())
		}
	}
}
