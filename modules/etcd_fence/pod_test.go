package main

import (
	"os"
	"testing"

	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/manifest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

func TestPod(t *testing.T) {
	text, err := os.ReadFile("../internal/manifest/testdata/sorted.yaml")
	if err != nil {
		t.Fatal(err)
	}
	h := hosttest.New(t)
	h.Pod(string(text))
	before := h.Tree()
	moduletest.Run(t, h.Args("_ansible_check_mode", true)).OK(t, true)
	if h.Tree() != before {
		t.Fatal("check mode touched something")
	}
	a := moduletest.Run(t, h.Args("why", "test", "keep_binaries", true)).OK(t, true)
	if a.JSON["runtime"] != "static_pod" || a.JSON["state"] != "fenced" || h.PID() != 0 {
		t.Errorf("%s", a.Stdout)
	}
	if h.Exists("etc/origin/node/pods/etcd.yaml") || !h.Exists("etc/etcd/fenced.json") || !h.Exists("var/lib/etcd-quorum-restore/bin/etcd") {
		t.Errorf("not fenced, or no binary kept:\n%s", h.Tree())
	}
	moduletest.Run(t, h.Args("why", "test")).OK(t, false)
	moduletest.Run(t, h.Args("state", "absent")).Failed(t, "refused")
	moduletest.Run(t, h.Args("state", "absent", "keep_data", true)).OK(t, true)
	if h.PID() != 0 || h.Exists("etc/origin/node/pods/etcd.yaml") || h.Exists("var/lib/etcd-quorum-restore") {
		t.Errorf("it was started, or copies of binaries are left:\n%s", h.Tree())
	}
	if got := h.Read("etc/origin/node/pods-stopped/etcd.yaml"); !manifest.Same([]byte(got), text) {
		t.Error(got)
	}
	moduletest.Run(t, h.Args("state", "absent")).OK(t, false)
}

// The kubelet does not run here: what counts is that the manifest was in its directory.
func TestPodIsToRun(t *testing.T) {
	text, err := os.ReadFile("../internal/manifest/testdata/sorted.yaml")
	if err != nil {
		t.Fatal(err)
	}
	h := hosttest.New(t)
	h.Pod(string(text))
	moduletest.Run(t, h.Args()).OK(t, true)
	if recordOf(t, h)["ran"] != true {
		t.Error(h.Read(record))
	}
	moduletest.Run(t, h.Args("state", "absent", "keep_data", true)).OK(t, true)
	moduletest.Run(t, h.Args()).OK(t, true)
	if recordOf(t, h)["ran"] != false {
		t.Error(h.Read(record))
	}
}
