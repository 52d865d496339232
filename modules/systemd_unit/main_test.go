package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, rules) }

func given(pairs ...any) map[string]any {
	out := map[string]any{"name": "etcd"}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[pairs[i].(string)] = pairs[i+1]
	}
	return out
}

func TestStates(t *testing.T) {
	h := hosttest.New(t)
	for i, step := range []struct {
		args    map[string]any
		changed bool
		active  string
		calls   string
	}{
		{given("state", "started", "_ansible_check_mode", true), true, "inactive", ""},
		{given("state", "started"), true, "active", "start"},
		{given("state", "started"), false, "active", ""},
		{given("state", "started", "enabled", true), false, "active", ""},
		{given("state", "restarted"), true, "active", "restart"},
		{given("state", "stopped", "enabled", false, "_ansible_check_mode", true), true, "active", ""},
		{given("state", "stopped", "enabled", "no"), true, "inactive", "disable stop"},
		{given("state", "stopped", "enabled", false), false, "inactive", ""},
		{given("masked", true), true, "inactive", "mask"},
		{given("masked", true), false, "inactive", ""},
		{given("state", "started", "masked", false, "enabled", true), true, "active", "unmask enable start"},
		{given("daemon_reload", true), false, "active", "daemon-reload"},
		{given("daemon_reload", true, "_ansible_check_mode", true), false, "active", ""},
	} {
		before := len(h.Calls())
		a := moduletest.Run(t, step.args).OK(t, step.changed)
		if a.JSON["active_state"] != step.active || a.JSON["name"] != "etcd.service" {
			t.Errorf("step %d: %s", i, a.Stdout)
		}
		if diff := cmp.Diff(strings.Fields(step.calls), append([]string{}, h.Calls()[before:]...)); diff != "" {
			t.Errorf("step %d: %s", i, diff)
		}
	}
}

func TestAUnitThatEndsAtOnce(t *testing.T) {
	h := hosttest.New(t)
	h.Mode(hosttest.Exits)
	a := moduletest.Run(t, given("state", "started"))
	if a.Code != 1 || a.JSON["kind"] != "internal" || a.JSON["changed"] != true || !strings.Contains(a.Msg(), "failed") {
		t.Errorf("%s", a.Stdout)
	}
}

func TestRefusals(t *testing.T) {
	h := hosttest.New(t)
	moduletest.Run(t, given("masked", true)).OK(t, true)
	calls := len(h.Calls())
	moduletest.Run(t, given("state", "started")).Failed(t, "refused")
	moduletest.Run(t, given("state", "restarted", "masked", true)).Failed(t, "refused")
	a := moduletest.Run(t, map[string]any{"name": "nothing", "state": "started"}).Failed(t, "invalid")
	if !strings.Contains(a.Msg(), "nothing.service") {
		t.Error(a.Msg())
	}
	for _, bad := range []map[string]any{
		given(), given("state", "up"), given("state", "started", "timeout", 0), given("enabled", "perhaps"),
		{"name": "--force", "state": "started"}, {"name": "a b", "state": "started"}, {"state": "started"},
	} {
		moduletest.Run(t, bad).Failed(t, "invalid")
	}
	if len(h.Calls()) != calls {
		t.Errorf("called %v", h.Calls()[calls:])
	}
}
