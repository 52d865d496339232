package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/manifest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

func podHost(t *testing.T) (*hosttest.Host, string) {
	t.Helper()
	text, err := os.ReadFile("../internal/manifest/testdata/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	h := hosttest.New(t)
	h.Pod(string(text))
	h.Write("etc/origin/node/pods/apiserver.yaml", "not etcd's")
	return h, string(text)
}

const (
	in        = "etc/origin/node/pods/etcd.yaml"
	out       = "etc/origin/node/pods-stopped/etcd.yaml"
	installed = "etc/origin/node/pods-stopped/etcd.yaml.installed"
)

func TestPod(t *testing.T) {
	h, installer := podHost(t)
	before := h.Tree()
	moduletest.Run(t, h.Args("state", "stopped", "_ansible_check_mode", true)).OK(t, true)
	moduletest.Run(t, h.Args("probe", "installed")).OK(t, false)
	if h.Tree() != before {
		t.Fatal("something was touched")
	}
	a := moduletest.Run(t, h.Args("state", "stopped", "keep_binaries", true)).OK(t, true)
	want(t, a.JSON, "runtime", "static_pod", "state", "stopped", "probe", "present")
	want(t, evidenceOf(t, a), "graceful", true, "process_gone", true, "ports_closed", true, "locks_free", true)
	if h.Read(out) != installer || h.Read("etc/origin/node/pods/apiserver.yaml") != "not etcd's" || !h.Exists("var/lib/etcd-quorum-restore/bin/etcd") {
		t.Error("the manifest is not out, another one went with it, or no binary was kept")
	}
	moduletest.Run(t, h.Args("state", "stopped")).OK(t, false)
	a = moduletest.Run(t, h.Args("state", "started")).OK(t, true)
	want(t, evidenceOf(t, a), "serving", true)
	moduletest.Run(t, h.Args("state", "started")).OK(t, false)
	moduletest.Run(t, h.Args("state", "restarted")).OK(t, true)
	if !manifest.Same([]byte(h.Read(in)), []byte(installer)) || h.Starts("etcd") != 3 || h.Exists("var/lib/etcd-quorum-restore") {
		t.Errorf("%d starts, or a binary is left: %s", h.Starts("etcd"), h.Read(in))
	}
}

// withoutProbe makes the host as a recovery has it between the forced start and its last step.
func withoutProbe(t *testing.T, h *hosttest.Host, installer string) {
	t.Helper()
	moduletest.Run(t, h.Args("state", "stopped")).OK(t, true)
	m, err := manifest.Parse([]byte(installer))
	if err != nil {
		t.Fatal(err)
	}
	text, err := m.Edit(manifest.Change{Started: "2026-01-02T03:04:05.678Z", DropProbe: true})
	if err != nil {
		t.Fatal(err)
	}
	h.Write(installed, installer)
	h.Write(out, string(text))
	moduletest.Run(t, h.Args("state", "started")).OK(t, true)
}

func TestProbeComesBack(t *testing.T) {
	h, installer := podHost(t)
	withoutProbe(t, h, installer)
	before := h.Tree()
	a := moduletest.Run(t, h.Args("probe", "installed", "_ansible_check_mode", true)).OK(t, true)
	want(t, a.JSON, "probe", "removed")
	if h.Tree() != before {
		t.Fatal("check mode touched something")
	}
	a = moduletest.Run(t, h.Args("probe", "installed")).OK(t, true)
	want(t, a.JSON, "probe", "present", "state", "running")
	want(t, evidenceOf(t, a), "serving", true, "was_running", true)
	if !manifest.Same([]byte(h.Read(in)), []byte(installer)) || h.Exists(installed) || h.Exists(out) {
		t.Errorf("not the installer's manifest, or something is left: %s", h.Read(in))
	}
	moduletest.Run(t, h.Args("probe", "installed")).OK(t, false)
}

func TestProbeOfAStoppedPod(t *testing.T) {
	h, installer := podHost(t)
	withoutProbe(t, h, installer)
	moduletest.Run(t, h.Args("state", "stopped")).OK(t, true)
	a := moduletest.Run(t, h.Args("probe", "installed")).OK(t, true)
	want(t, a.JSON, "probe", "present", "state", "stopped")
	if h.Exists(in) || !manifest.Same([]byte(h.Read(out)), []byte(installer)) {
		t.Errorf("started, or not the installer's: %s", h.Read(out))
	}
}

func TestProbeOfAManifestThatWasChangedSince(t *testing.T) {
	h, installer := podHost(t)
	withoutProbe(t, h, installer)
	moduletest.Run(t, h.Args("state", "stopped")).OK(t, true)
	h.Write(out, strings.Replace(h.Read(out), "etcd:3.2.32", "etcd:3.2.99", 1))
	a := moduletest.Run(t, h.Args("probe", "installed")).Failed(t, "refused")
	if !strings.Contains(a.Msg(), "changed by somebody") || !h.Exists(installed) {
		t.Errorf("%s", a.Stdout)
	}
}

// After a kill at any moment there is one complete manifest of etcd, in or out, no half file in the kubelet's directory, and the installer's
// bytes wherever they are needed. The next run does what was asked for.
func TestPodKilledAtAnyMoment(t *testing.T) {
	killed, done := 0, false
	for delay := 5 * time.Millisecond; !done && !t.Failed(); delay += delay/2 + 5*time.Millisecond {
		t.Run(delay.String(), func(t *testing.T) {
			h, installer := podHost(t)
			withoutProbe(t, h, installer)
			state := moduletest.KillAfter(t, delay, h.Args("probe", "installed"))
			if done = state.Success(); done {
				return
			}
			if state.Exited() {
				t.Fatalf("it was not killed, and failed: %v", state)
			}
			killed++
			wholeAfter(t, h, installer)
			if a := moduletest.Run(t, h.Args("state", "started", "probe", "installed")); a.Code != 0 {
				t.Fatalf("the next run: %s\n%s", a.Stdout, h.Tree())
			}
			a := moduletest.Run(t, h.Args("state", "started")).OK(t, false)
			want(t, a.JSON, "probe", "present", "state", "running")
			if !manifest.Same([]byte(h.Read(in)), []byte(installer)) || h.Exists(out) || h.Exists(installed) {
				t.Errorf("not the installer's, or something is left: %s", h.Read(in))
			}
		})
	}
	if killed < 5 {
		t.Errorf("the test's own condition does not hold: killed %d times", killed)
	}
}

func wholeAfter(t *testing.T, h *hosttest.Host, installer string) {
	t.Helper()
	entries, err := os.ReadDir(h.Manifests)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "etcd.yaml" && e.Name() != "apiserver.yaml" {
			t.Errorf("%s is in the kubelet's directory", e.Name())
		}
	}
	if h.Exists(in) == h.Exists(out) {
		t.Fatalf("in: %v, out: %v", h.Exists(in), h.Exists(out))
	}
	text := h.Read(in) + h.Read(out)
	m, err := manifest.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if !m.HasProbe() && h.Read(installed) != installer {
		t.Error("the probe is out, and the installer's bytes are nowhere")
	}
}
