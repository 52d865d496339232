package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestMain(m *testing.M) { os.Exit(moduletest.Clean(m.Run())) }

func TestDocumentation(t *testing.T) { moduletest.Documentation(t, documentation, ansible.Rules{}) }

const config = `etcdClientInfo:
  ca: ""
  certFile: ""
  keyFile: ""
  urls:
  - http://127.0.0.1:1
servingInfo:
  bindAddress: 127.0.0.1:1
`

// master is a master whose etcd does not answer; its restart leaves a mark. A restart with quorum is tested on real hosts.
func master(t *testing.T, text string) (args func(pairs ...any) map[string]any, mark string) {
	t.Helper()
	dir := t.TempDir()
	mark = filepath.Join(dir, "mark")
	command := filepath.Join(dir, "master-restart")
	if err := os.WriteFile(command, []byte("#!/bin/sh\ntouch "+mark+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "master-config.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(pairs ...any) map[string]any {
		out := map[string]any{"path": filepath.Join(dir, "master-config.yaml"), "command": command, "timeout": 5}
		for i := 0; i+1 < len(pairs); i += 2 {
			out[pairs[i].(string)] = pairs[i+1]
		}
		return out
	}, mark
}

func TestRestartsNothingWithoutQuorum(t *testing.T) {
	args, mark := master(t, config)
	for _, check := range []bool{true, false} {
		a := moduletest.Run(t, args("_ansible_check_mode", check)).Failed(t, "refused")
		if hint, _ := a.JSON["hint"].(string); !strings.Contains(a.Msg(), "nothing was restarted") || !strings.Contains(hint, "check_quorum.yml") || !strings.Contains(hint, "etcdClientInfo.urls of /") {
			t.Errorf("%s", a.Stdout)
		}
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("it was restarted")
	}
}

func TestBadInput(t *testing.T) {
	args, mark := master(t, config)
	broken, _ := master(t, "servingInfo: {}\n")
	for name, bad := range map[string]map[string]any{
		"component": args("components", []string{"api", "etcd"}),
		"timeout":   args("timeout", 0),
		"no master": args("path", "/nowhere/master-config.yaml"),
		"no port":   broken(),
		"unknown":   args("component", "api"),
	} {
		if a := moduletest.Run(t, bad).Failed(t, "invalid"); !strings.HasPrefix(a.Msg(), "openshift_master_restart: ") {
			t.Errorf("%s: %s", name, a.Msg())
		}
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("bad input restarted something")
	}
}

// Before a restore nothing has quorum: the module can only say whether the files would prevent the restart.
func TestFilesAlone(t *testing.T) {
	args, mark := master(t, config)
	moduletest.Run(t, args("quorum", false, "_ansible_check_mode", true)).OK(t, false)
	moduletest.Run(t, args("quorum", false)).Failed(t, "invalid")
	moduletest.Run(t, args("quorum", false, "_ansible_check_mode", true, "command", "/nowhere/master-restart")).Failed(t, "invalid")
	broken, _ := master(t, "etcdClientInfo: [\n")
	moduletest.Run(t, broken("quorum", false, "_ansible_check_mode", true)).Failed(t, "invalid")
	if _, err := os.Stat(mark); err == nil {
		t.Error("it was restarted")
	}
}
