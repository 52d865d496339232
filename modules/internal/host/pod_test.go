package host_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/killtest"
	"etcd-quorum-restore/modules/internal/manifest"
)

const (
	in        = "etc/origin/node/pods/etcd.yaml"
	out       = "etc/origin/node/pods-stopped/etcd.yaml"
	installed = "etc/origin/node/pods-stopped/etcd.yaml.installed"
)

// layouts are the two layouts that the installer writes.
func layouts(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range []string{"template.yaml", "sorted.yaml"} {
		text, err := os.ReadFile(filepath.Join("../manifest/testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(text)
	}
	return all
}

func pod(t *testing.T) (*hosttest.Host, *host.Host) {
	t.Helper()
	f := hosttest.New(t)
	f.Pod(layouts(t)["sorted.yaml"])
	return f, load(t, f)
}

// annotated fails unless text is the installer's with one line more.
func annotated(t *testing.T, text, installer string) {
	t.Helper()
	var rest []string
	notes := 0
	for _, line := range strings.SplitAfter(text, "\n") {
		if strings.HasPrefix(line, "    "+manifest.Annotation+`: "`) {
			notes++
			continue
		}
		rest = append(rest, line)
	}
	if diff := cmp.Diff(installer, strings.Join(rest, "")); diff != "" || notes != 1 {
		t.Errorf("%d annotations; -installer +now: %s", notes, diff)
	}
}

func stop(t *testing.T, h *host.Host) host.Evidence {
	t.Helper()
	e, err := h.Stop(soon(t, 20*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func start(t *testing.T, h *host.Host, o host.StartOptions) host.Started {
	t.Helper()
	s, err := h.Start(soon(t, 20*time.Second), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPodStopsAndStarts(t *testing.T) {
	for name, installer := range layouts(t) {
		t.Run(name, func(t *testing.T) {
			f := hosttest.New(t)
			f.Pod(installer)
			other := f.Write("etc/origin/node/pods/.hidden", "")
			h := load(t, f)
			if s := status(t, h); s.State != facts.Running || s.Process == nil || len(s.Strangers) > 0 || !s.View.Ready {
				t.Fatalf("%+v", s)
			}
			if h.Probe() != host.ProbePresent || h.NodeService(soon(t, 5*time.Second)) != "atomic-openshift-node.service active" {
				t.Errorf("probe %s, node service %s", h.Probe(), h.NodeService(t.Context()))
			}
			e := stop(t, h)
			if !e.WasRunning || !e.Graceful || !e.ProcessGone || f.PID() != 0 {
				t.Errorf("%+v", e)
			}
			if f.Read(out) != installer || f.Exists(in) || !f.Exists("etc/origin/node/pods/.hidden") {
				t.Error("the manifest is not out with the same bytes, or another file went with it")
			}
			if s := status(t, h); s.State != facts.Stopped || s.View.Enabled {
				t.Errorf("%+v", s)
			}
			if s := start(t, h, host.StartOptions{Wait: host.WaitServing}); s.AlreadyRunning || !s.Serving {
				t.Errorf("%+v", s)
			}
			annotated(t, f.Read(in), installer)
			first := f.Read(in)
			stop(t, load(t, f))
			start(t, load(t, f), host.StartOptions{Wait: host.WaitServing})
			annotated(t, f.Read(in), installer)
			if f.Read(in) == first {
				t.Error("two starts with the same bytes: the kubelet would take them for one pod")
			}
			if n := f.Starts("etcd"); n != 3 || f.Exists(out) {
				t.Errorf("%d starts of etcd, want 3", n)
			}
			os.Remove(other)
		})
	}
}

// A kubelet that is down starts and stops nothing: the module sends SIGTERM, and starts the service with the next etcd.
func TestPodWhoseKubeletIsDown(t *testing.T) {
	f, _ := pod(t)
	f.NodeService("stop")
	h := load(t, f)
	e := stop(t, h)
	if !e.ProcessGone || !e.Graceful || f.Exists(in) {
		t.Errorf("%+v", e)
	}
	h = load(t, f)
	if s := h.NodeService(soon(t, 5*time.Second)); !strings.HasSuffix(s, " inactive") {
		t.Errorf("node service %s", s)
	}
	start(t, h, host.StartOptions{Wait: host.WaitServing})
	if s := load(t, f).NodeService(soon(t, 5*time.Second)); !strings.HasSuffix(s, " active") {
		t.Errorf("node service %s", s)
	}
}

// The kubelet may be started while etcd's manifest is out, or while etcd runs; otherwise it would start an etcd that nobody decided on.
func TestNodeDown(t *testing.T) {
	f, h := pod(t)
	down := func(want bool) error {
		t.Helper()
		got, err := load(t, f).NodeDown(soon(t, 5*time.Second))
		if got != want {
			t.Errorf("down: %v, %v", got, err)
		}
		return err
	}
	if err := down(false); err != nil {
		t.Error(err)
	}
	f.NodeService("stop")
	if err := down(true); err != nil {
		t.Error("etcd runs:", err)
	}
	stop(t, load(t, f))
	if err := down(true); err != nil {
		t.Error("the manifest is out:", err)
	}
	f.Write(in, f.Read(out))
	failed(t, down(true), fault.Refused, "etcd would start", "fence.yml")
	if err := os.Remove(f.Root + "/" + in); err != nil {
		t.Fatal(err)
	}
	if err := h.StartNode(soon(t, 10*time.Second)); err != nil {
		t.Error(err)
	}
	if err := down(false); err != nil {
		t.Error(err)
	}
}

func TestPodWithManifestInAndKubeletDownIsNotStopped(t *testing.T) {
	f, _ := pod(t)
	f.NodeService("stop")
	stop(t, load(t, f))
	f.Write(in, f.Read(out))
	h := load(t, f)
	if s := status(t, h); s.State != facts.Starting || !strings.Contains(s.View.Detail, "node service is down") {
		t.Errorf("%+v", s)
	}
	stop(t, h)
	if f.Exists(in) {
		t.Error("etcd would start with the kubelet")
	}
}

// An etcd whose manifest was moved away while the kubelet is down goes on, until the kubelet is back.
func TestPodOnItsWayOutIsNoStartedOne(t *testing.T) {
	f, _ := pod(t)
	f.NodeService("stop")
	text := f.Read(in)
	f.Write(out, text)
	os.Remove(f.Root + "/" + in)
	h := load(t, f)
	_, err := h.Start(soon(t, 5*time.Second), host.StartOptions{Wait: host.WaitServing})
	failed(t, err, fault.Refused, "on its way out", "state=stopped")
	if e := stop(t, h); !e.Graceful || f.Exists(in) {
		t.Errorf("%+v", e)
	}
	start(t, load(t, f), host.StartOptions{Wait: host.WaitServing})
	annotated(t, f.Read(in), text)
}

func TestPodThatDoesNotStopGetsItsManifestBack(t *testing.T) {
	f := hosttest.New(t)
	f.Mode(hosttest.Stubborn)
	f.Pod(layouts(t)["sorted.yaml"])
	before := f.Read(in)
	_, err := load(t, f).Stop(soon(t, 2*time.Second))
	failed(t, err, fault.Timeout, "the same manifest is back", "etcd process", "listened on")
	if f.Read(in) != before || f.Exists(out) {
		t.Error("not the same bytes")
	}

	_, err = load(t, f).Fence(soon(t, 2*time.Second), host.Stamp(facts.Fence{Why: "why", Survivor: "m1"}, nil))
	failed(t, err, fault.Timeout)
	if f.Exists(in) || !f.Exists(record) {
		t.Error("a fence that fails has put the manifest back")
	}
}

func TestPodThatIsKilledWasNotGraceful(t *testing.T) {
	f := hosttest.New(t)
	f.Mode(hosttest.Stubborn)
	f.Pod(strings.Replace(layouts(t)["sorted.yaml"], "  hostNetwork", "  terminationGracePeriodSeconds: 1\n  hostNetwork", 1))
	f.Grace(time.Second)
	if e := stop(t, load(t, f)); e.Graceful || !e.ProcessGone {
		t.Errorf("%+v", e)
	}
}

func TestStrangerBesideThePod(t *testing.T) {
	f, h := pod(t)
	stop(t, h)
	f.PodGone()
	pid := f.StartByHand()
	h = load(t, f)
	if s := status(t, h); len(s.Strangers) != 1 || s.Strangers[0].PID != pid {
		t.Fatalf("%+v", s)
	}
	_, err := h.Start(soon(t, 5*time.Second), host.StartOptions{Wait: host.WaitServing})
	failed(t, err, fault.Refused, "the kubelet did not start", "kill -TERM")
	_, err = h.Stop(soon(t, time.Second))
	failed(t, err, fault.Timeout, "was not started by the kubelet")
	if f.Exists(in) {
		t.Error("a manifest that was out came in")
	}
}

func TestTwoManifests(t *testing.T) {
	f, h := pod(t)
	f.Write("etc/origin/node/pods/etcd.yaml.bak", f.Read(in)+"# second\n")
	_, err := h.Stop(soon(t, 5*time.Second))
	failed(t, err, fault.Refused, "more than one manifest of etcd", "etcd.yaml.bak")
	if !f.Exists(in) {
		t.Error("moved all the same")
	}
	fence(t, f)
	if f.Exists(in) || f.Exists("etc/origin/node/pods/etcd.yaml.bak") || !f.Exists(out) {
		t.Error("the fence has left one of them in")
	}
}

func TestFencedPodStaysOut(t *testing.T) {
	f, _ := pod(t)
	h := fence(t, f)
	if s := status(t, h); s.State != facts.Fenced || s.FenceHole != "" {
		t.Fatalf("%+v", s)
	}
	_, err := h.Start(soon(t, 5*time.Second), host.StartOptions{Wait: host.WaitNone})
	failed(t, err, fault.Refused, "is fenced on this host")
	f.Write(in, f.Read(out))
	if s := status(t, h); !strings.Contains(s.FenceHole, in) {
		t.Errorf("hole %q", s.FenceHole)
	}
	fence(t, f)
	if err := h.Unfence(soon(t, 5*time.Second)); err != nil {
		t.Fatal(err)
	}
	if f.Exists(in) || f.Exists(record) {
		t.Error("the fence is not off, or the manifest came in by itself")
	}
	start(t, h, host.StartOptions{Wait: host.WaitServing})
}

// The steps of a survivor: forced, then without the flag and without the probe, then as the installer left it.
func TestPodIsForcedOnce(t *testing.T) {
	for name, installer := range layouts(t) {
		t.Run(name, func(t *testing.T) {
			f := hosttest.New(t)
			f.Pod(installer)
			h := fence(t, f)
			f.Write("etc/etcd/forcing.json", "{}")
			set(t, h, true)
			if f.Read(installed) != installer {
				t.Error("the installer's bytes are not kept")
			}
			start(t, h, host.StartOptions{Wait: host.WaitServing, Forced: true})
			if running, env := f.Running(); !running || !strings.Contains(env, "ETCD_FORCE_NEW_CLUSTER=true") {
				t.Errorf("running %v: %s", running, env)
			}
			if text := f.Read(in); strings.Contains(text, "livenessProbe") || !strings.Contains(text, "restartPolicy: Never") {
				t.Error(text)
			}
			stop(t, h)
			set(t, h, false)
			os.Remove(f.Root + "/etc/etcd/forcing.json")
			if err := h.Unfence(soon(t, 5*time.Second)); err != nil {
				t.Fatal(err)
			}
			start(t, h, host.StartOptions{Wait: host.WaitServing})
			if running, env := f.Running(); !running || strings.Contains(env, "FORCE") || h.Probe() != host.ProbeRemoved {
				t.Errorf("running %v, probe %s: %s", running, h.Probe(), env)
			}
			failed(t, h.InstallProbe(t.Context()), fault.Refused, "is not out")
			stop(t, h)
			if err := h.InstallProbe(t.Context()); err != nil {
				t.Fatal(err)
			}
			start(t, h, host.StartOptions{Wait: host.WaitServing})
			annotated(t, f.Read(in), installer)
			if f.Exists(installed) || f.Exists(out) || h.Probe() != host.ProbePresent || f.Starts("etcd") != 4 {
				t.Errorf("something is left, probe %s, %d starts", h.Probe(), f.Starts("etcd"))
			}
		})
	}
}

// An operator may remove the probe before any tool does, to stop the kills: then the manifest without the flag counts as the installer's.
func TestPodWithoutAProbeIsForced(t *testing.T) {
	f := hosttest.New(t)
	m, err := manifest.Parse([]byte(layouts(t)["template.yaml"]))
	if err != nil {
		t.Fatal(err)
	}
	bare, err := m.Edit(manifest.Change{DropProbe: true})
	if err != nil {
		t.Fatal(err)
	}
	f.Pod(string(bare))
	h := fence(t, f)
	f.Write("etc/etcd/forcing.json", "{}")
	set(t, h, true)
	start(t, h, host.StartOptions{Wait: host.WaitServing, Forced: true})
	flags, err := h.ForceFlags(t.Context())
	if err != nil || len(flags) == 0 {
		t.Fatalf("flags %v, error %v", flags, err)
	}
	stop(t, h)
	set(t, h, false)
	if kept, err := h.RemoveForceFlags(t.Context(), flags); err != nil {
		t.Errorf("flags that are out already: %v, %v", kept, err)
	}
	os.Remove(f.Root + "/etc/etcd/forcing.json")
	if err := h.Unfence(soon(t, 5*time.Second)); err != nil {
		t.Fatal(err)
	}
	start(t, h, host.StartOptions{Wait: host.WaitServing})
	annotated(t, f.Read(in), string(bare))
	if f.Exists(installed) || f.Exists(out) || h.Probe() != host.ProbeNone {
		t.Errorf("something is left, probe %s", h.Probe())
	}
}

func set(t *testing.T, h *host.Host, on bool) {
	t.Helper()
	if err := h.Runtime.SetForce(soon(t, 5*time.Second), on); err != nil {
		t.Fatal(err)
	}
	flags, err := h.Runtime.ForceFlags(t.Context())
	if err != nil || (len(flags) == 1) != on {
		t.Errorf("flags %v, error %v", flags, err)
	}
}

// A flag whose forced start was cancelled is dropped at the next start, and by a fence.
func TestAFlagWithoutItsRecordForcesNothing(t *testing.T) {
	f, h := pod(t)
	stop(t, h)
	set(t, h, true)
	start(t, h, host.StartOptions{Wait: host.WaitServing})
	if _, env := f.Running(); strings.Contains(env, "FORCE") || !f.Exists(installed) {
		t.Errorf("forced without forcing.json: %s", env)
	}
	stop(t, h)
	set(t, h, true)
	fence(t, f)
	if strings.Contains(f.Read(out), "FORCE") || !f.Exists(installed) {
		t.Error("the fence left the flag in")
	}
}

// What the chapter's commands leave behind when they are not finished.
func TestManifestThatAnOperatorMoved(t *testing.T) {
	for _, place := range []string{out, "root/etcd.yaml", "home/admin/etcd.yaml", "home/admin/etcdbackup/etcd.yaml", "root/a/b/c/d/etcd.yaml", "backup/etcd.yaml",
		"etc/origin/node/old/etcd.yaml", "tmp/x/etcd.yaml"} {
		t.Run(place, func(t *testing.T) {
			f, h := pod(t)
			installer := f.Read(in)
			stop(t, h)
			os.Remove(f.Root + "/" + out)
			f.Write(place, installer)
			t.Cleanup(func() {
				for _, dir := range []string{"home", "backup", "tmp"} {
					os.RemoveAll(f.Root + "/" + dir)
				}
			})
			f.Write("backup/chart/etcd.yaml", "replicas: 3\n") // it has only the manifest's name
			h = load(t, f)
			if s := status(t, h); h.Runtime.Name() != facts.StaticPod || s.State != facts.Stopped || h.Probe() != host.ProbePresent {
				t.Fatalf("%s: %+v", h.Runtime.Name(), s)
			}
			start(t, h, host.StartOptions{Wait: host.WaitServing})
			annotated(t, f.Read(in), installer)
			if place != out && f.Read(place) != installer {
				t.Error("the operator's copy is gone, or changed: it may be a part of a backup")
			}
			if f.Exists(out) {
				t.Error("a second manifest stays behind")
			}
		})
	}
}

// Deeper, or on another file system, the search does not look: it has to end.
func TestManifestThatIsNotFound(t *testing.T) {
	f, h := pod(t)
	installer := f.Read(in)
	stop(t, h)
	os.Remove(f.Root + "/" + out)
	f.Write("root/a/b/c/d/e/etcd.yaml", installer)
	if err := os.Symlink(f.Root+"/root/a/b/c/d/e", f.Root+"/root/link"); err != nil {
		t.Fatal(err)
	}
	_, err := h.Start(soon(t, 5*time.Second), host.StartOptions{Wait: host.WaitNone})
	failed(t, err, fault.Refused, "nowhere to be found", "/backup", "pods-stopped")
}

// A copy under another name may be an old one: it is named, and not taken. Beside the manifest itself it does not count.
func TestRenamedManifest(t *testing.T) {
	f, h := pod(t)
	installer := f.Read(in)
	stop(t, h)
	os.Remove(f.Root + "/" + out)
	f.Write("root/notes/etcd.yaml.bak", "no manifest")
	_, err := load(t, f).Start(soon(t, 5*time.Second), host.StartOptions{Wait: host.WaitNone})
	failed(t, err, fault.Refused, "nowhere to be found")
	f.Write("root/etcd.yaml.bak", installer)
	_, err = load(t, f).Start(soon(t, 5*time.Second), host.StartOptions{Wait: host.WaitNone})
	failed(t, err, fault.Refused, "root/etcd.yaml.bak", "another name", "pods-stopped/etcd.yaml")
	f.Write("root/etcd.yaml", installer)
	if _, err = load(t, f).Start(soon(t, 5*time.Second), host.StartOptions{Wait: host.WaitNone}); err != nil {
		t.Error(err)
	}
}

func TestManifestsThatDiffer(t *testing.T) {
	f, h := pod(t)
	stop(t, h)
	os.Remove(f.Root + "/" + out)
	f.Write("root/etcd.yaml", layouts(t)["sorted.yaml"])
	f.Write("etc/origin/etcd.yaml", layouts(t)["template.yaml"])
	_, err := load(t, f).Start(soon(t, 5*time.Second), host.StartOptions{Wait: host.WaitNone})
	failed(t, err, fault.Refused, "these differ", "root/etcd.yaml")
	os.Remove(f.Root + "/root/etcd.yaml")
	f.Write("etc/origin/etcd.yaml", "kind: Pod\nspec:\n\tx\n")
	_, err = load(t, f).Start(soon(t, 5*time.Second), host.StartOptions{Wait: host.WaitNone})
	failed(t, err, fault.Refused, "line 3: there is a tab", "etc/origin/etcd.yaml")
}

func TestPodThatEndsAfterItsStart(t *testing.T) {
	f, h := pod(t)
	stop(t, h)
	f.Mode(hosttest.Exits)
	f.Write("var/log/pods/kube-system_master-etcd-m0_0123456789abcdef0123456789abcdef/etcd/0.log",
		time.Now().Add(time.Minute).UTC().Format(time.RFC3339Nano)+" stderr F 2026-01-02 03:04:05.678901 C | etcdmain: permission denied\n")
	_, err := h.Start(soon(t, 20*time.Second), host.StartOptions{Wait: host.WaitServing})
	if err == nil || !strings.Contains(err.Error(), "etcdmain: permission denied") && !strings.Contains(err.Error(), "expected it to be serving") {
		t.Error(err)
	}
}

func TestBinariesOfAPodThatDoesNotRun(t *testing.T) {
	f, h := pod(t)
	stop(t, h)
	path, err := h.Binary(soon(t, 20*time.Second), "etcd")
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode()&0o100 == 0 {
		t.Errorf("%v, %v", info, err)
	}
	if entries, _ := os.ReadDir(f.Manifests); len(entries) > 0 || f.Starts(manifest.OneShotName) != 1 {
		t.Errorf("left in the kubelet's directory: %v; %d pods", entries, f.Starts(manifest.OneShotName))
	}
	f.PodGone()
	if err := h.DropBinaries(); err != nil || f.Exists("var/lib/etcd-quorum-restore") {
		t.Error("copies are left", err)
	}
	f.NodeService("stop")
	_, err = load(t, f).Binary(soon(t, 5*time.Second), "etcd")
	failed(t, err, fault.Unsupported, "node service is down")
}

func TestBinariesOfARunningPod(t *testing.T) {
	f, h := pod(t)
	if err := h.KeepBinaries(soon(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	path, err := h.Binary(soon(t, 5*time.Second), "etcd")
	if err != nil || f.Starts(manifest.OneShotName) != 0 {
		t.Fatal(err)
	}
	self, _ := os.Stat(f.Root + "/usr/bin/etcd")
	if kept, err := os.Stat(path); err != nil || kept.Size() != self.Size() {
		t.Errorf("%v, %v", kept, err)
	}
}

// Anybody can leave a file in /tmp, and the kubelet gives a static pod all rights.
func TestManifestOfSomebodyElseIsNoManifest(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"another owner": func(path string) error { return os.Chown(path, 1000, 1000) },
		"others write":  func(path string) error { return os.Chmod(path, 0o666) },
	} {
		t.Run(name, func(t *testing.T) {
			f, h := pod(t)
			stop(t, h)
			os.Remove(f.Root + "/" + out)
			t.Cleanup(func() { os.RemoveAll(f.Root + "/tmp") })
			if err := spoil(f.Write("tmp/etcd.yaml", layouts(t)["sorted.yaml"])); err != nil {
				t.Fatal(err)
			}
			_, err := h.Start(soon(t, 5*time.Second), host.StartOptions{Wait: host.WaitNone})
			failed(t, err, fault.Refused, "nowhere to be found")
		})
	}
}

// In another user's directory the manifest can be replaced between the look and the read: it is named, and not used.
func TestHostileManifestDirectory(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"another owner": func(dir string) error { return os.Chown(dir, 1000, 1000) },
		"others write":  func(dir string) error { return os.Chmod(dir, 0o777) },
		"like /tmp":     func(dir string) error { return os.Chmod(dir, 0o777|os.ModeSticky) },
	} {
		t.Run(name, func(t *testing.T) {
			f, h := pod(t)
			stop(t, h)
			os.Remove(f.Root + "/" + out)
			t.Cleanup(func() { os.RemoveAll(f.Root + "/home") })
			path := f.Write("home/admin/etcd.yaml", layouts(t)["sorted.yaml"])
			if err := spoil(filepath.Dir(path)); err != nil {
				t.Fatal(err)
			}
			_, err := load(t, f).Start(soon(t, 5*time.Second), host.StartOptions{Wait: host.WaitNone})
			failed(t, err, fault.Refused, path+", and is not taken")
			if !strings.Contains(fault.HintOf(err), "install -o root") || f.Exists(in) {
				t.Errorf("hint %q", fault.HintOf(err))
			}
		})
	}
}

// The bytes that are judged are the bytes that are used, however fast the directory's user replaces the file.
func TestHostileManifestRace(t *testing.T) {
	f, h := pod(t)
	stop(t, h)
	os.Remove(f.Root + "/" + out)
	t.Cleanup(func() { os.RemoveAll(f.Root + "/home") })
	good := f.Write("home/admin/etcd.yaml", layouts(t)["sorted.yaml"])
	bad := f.Write("home/admin/evil", strings.ReplaceAll(layouts(t)["sorted.yaml"], "image: ", "image: evil.example.com/"))
	for _, path := range []string{bad, filepath.Dir(good)} {
		if err := os.Chown(path, 1000, 1000); err != nil {
			t.Fatal(err)
		}
	}
	stop := killtest.Exchange(good, bad)
	defer stop()
	for range 20 {
		loaded, err := host.Load(t.Context(), host.Options{EtcdConf: f.Conf, ManifestDir: f.Manifests})
		if err == nil {
			_, _ = loaded.Start(soon(t, time.Second), host.StartOptions{Wait: host.WaitNone})
		}
		if f.Exists(in) && strings.Contains(f.Read(in), "evil") {
			t.Fatal("the kubelet runs the user's image")
		}
	}
}
