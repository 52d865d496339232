package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/moduletest"
	"etcd-quorum-restore/modules/internal/record"
)

func TestMain(m *testing.M) { os.Exit(hosttest.Main(m)) }

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, ansible.Rules{}) }

func TestRecord(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "clients.json")
	given := func(pairs ...any) map[string]any {
		out := map[string]any{"etcd_conf": filepath.Join(dir, "etcd.conf")}
		for i := 0; i+1 < len(pairs); i += 2 {
			out[pairs[i].(string)] = pairs[i+1]
		}
		return out
	}
	if err := os.WriteFile(filepath.Join(dir, "etcd.conf"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	left := []any{"restart", []string{"master-1"}, "remove", []any{map[string]any{"name": "master-2", "aliases": []string{"192.0.2.13"}}}, "lost", true}
	want := &facts.ClientsLeft{Restart: []string{"master-1"}, Remove: []facts.Client{{Name: "master-2", Aliases: []string{"192.0.2.13"}}}, Lost: true}
	for i, step := range []struct {
		args    map[string]any
		changed bool
		want    *facts.ClientsLeft
	}{
		{given(), false, nil},
		{given(append(left, "_ansible_check_mode", true)...), true, nil},
		{given(left...), true, want},
		{given(left...), false, want},
		{given("_ansible_check_mode", true), true, want},
		{given("restart", []string{"master-1"}), true, &facts.ClientsLeft{Restart: []string{"master-1"}, Remove: []facts.Client{}}},
		{given(), true, nil},
		{given(), false, nil},
	} {
		a := moduletest.Run(t, step.args).OK(t, step.changed)
		if a.JSON["path"] != path {
			t.Errorf("step %d: %s", i, a.Stdout)
		}
		got, err := record.Read[facts.ClientsLeft](path)
		if diff := cmp.Diff(step.want, got); err != nil || diff != "" {
			t.Errorf("step %d: %v %s", i, err, diff)
		}
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	moduletest.Run(t, given(left...)).OK(t, true) // a record that was cut short is written anew
	moduletest.Run(t, given()).OK(t, true)
}

func TestBadInput(t *testing.T) {
	for name, bad := range map[string]map[string]any{
		"no host of etcd":  {"etcd_conf": "/nowhere/etcd/etcd.conf", "restart": []string{"m"}},
		"a master without": {"restart": []string{" "}},
		"a host without":   {"remove": []any{map[string]any{"aliases": []string{"m"}}}},
	} {
		if a := moduletest.Run(t, bad).Failed(t, "invalid"); !strings.HasPrefix(a.Msg(), "etcd_clients_left: ") {
			t.Errorf("%s: %s", name, a.Msg())
		}
	}
}
