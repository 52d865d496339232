package hosttest

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gopkg.in/yaml.v3"
)

const nodeService = "atomic-openshift-node.service"

// container is what the kubelet stand-in knows of a pod.
type container struct {
	PID    int
	Name   string
	Asked  time.Time // when SIGTERM was sent
	Starts int
}

type podSpec struct {
	Spec struct {
		RestartPolicy string `yaml:"restartPolicy"`
		Containers    []struct {
			Name string
			Env  []struct{ Name, Value string }
		}
		Volumes []struct {
			HostPath struct{ Path string } `yaml:"hostPath"`
		}
	}
}

func podsFile(root string) string { return filepath.Join(root, "fake/pods") }

func loadPods(root string) map[string]*container {
	pods := map[string]*container{}
	raw, _ := os.ReadFile(podsFile(root))
	json.Unmarshal(raw, &pods)
	return pods
}

func savePods(root string, pods map[string]*container) {
	raw, _ := json.Marshal(pods)
	os.WriteFile(podsFile(root)+".new", raw, 0o644)
	os.Rename(podsFile(root)+".new", podsFile(root))
}

// kubelet is the stand-in for the kubelet: every file in its directory is a pod, whose UID is a hash of the text. A pod whose file is gone gets
// SIGTERM, and SIGKILL after the grace period; its directory goes a moment after its process. A pod of the same name waits for the last one, and
// a container that ends is started again, unless its policy is Never. At SIGTERM the stand-in itself ends between two rounds, so that every
// process that it started is recorded.
func kubelet(root string, _ []string) int {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	for pods := loadPods(root); len(term) == 0; time.Sleep(2 * time.Millisecond) {
		wanted := map[string]podSpec{}
		entries, err := os.ReadDir(filepath.Join(root, "etc/origin/node/pods"))
		if err != nil {
			return 1 // the test is over
		}
		for _, e := range entries {
			text, err := os.ReadFile(filepath.Join(root, "etc/origin/node/pods", e.Name()))
			var spec podSpec
			if err == nil && !strings.HasPrefix(e.Name(), ".") && yaml.Unmarshal(text, &spec) == nil && len(spec.Spec.Containers) > 0 {
				sum := md5.Sum(text)
				wanted[hex.EncodeToString(sum[:])] = spec
			}
		}
		for uid, c := range pods {
			if _, ok := wanted[uid]; !ok && c.end(root, uid) {
				delete(pods, uid)
			}
		}
		for uid, spec := range wanted {
			if begin(root, uid, spec, pods) {
				savePods(root, pods)
			}
		}
		savePods(root, pods)
	}
	return 0
}

// end tells whether nothing of the pod is left.
func (c *container) end(root, uid string) bool {
	grace := 30 * time.Second
	if raw, err := os.ReadFile(filepath.Join(root, "fake/grace")); err == nil {
		grace, _ = time.ParseDuration(string(raw))
	}
	switch {
	case alive(c.PID) && c.Asked.IsZero():
		c.Asked = time.Now()
		syscall.Kill(c.PID, syscall.SIGTERM)
	case alive(c.PID) && time.Since(c.Asked) > grace:
		syscall.Kill(c.PID, syscall.SIGKILL)
	case !alive(c.PID):
		os.RemoveAll(filepath.Join(root, "proc", strconv.Itoa(c.PID)))
		os.RemoveAll(filepath.Join(root, "var/lib/kubelet/pods", uid))
		return true
	}
	return false
}

func begin(root, uid string, spec podSpec, pods map[string]*container) bool {
	box := spec.Spec.Containers[0]
	c := pods[uid]
	if c != nil && (alive(c.PID) || spec.Spec.RestartPolicy == "Never") {
		return false
	}
	for other, o := range pods {
		if other != uid && o.Name == box.Name {
			return false
		}
	}
	if c == nil {
		c = &container{Name: box.Name}
		pods[uid] = c
	}
	os.MkdirAll(filepath.Join(root, "var/lib/kubelet/pods", uid, "containers", box.Name), 0o755)
	c.Starts++
	count(root, box.Name)
	if box.Name != "etcd" {
		copyOut(spec.Spec.Volumes[0].HostPath.Path)
		return true
	}
	var env []string
	for _, e := range box.Env {
		env = append(env, e.Name+"="+e.Value)
	}
	if pid, err := spawnAs(root, unitEnvironment(root, env), "shim", uid); err == nil {
		c.PID = pid
	}
	return true
}

// shim becomes etcd after it was put into the pod's cgroup, like a container's first process.
func shim(root string, args []string) int {
	dir := filepath.Join(root, "proc", strconv.Itoa(os.Getpid()))
	os.MkdirAll(dir, 0o755)
	os.WriteFile(filepath.Join(dir, "cgroup"), []byte("1:name=systemd:/kubepods/besteffort/pod"+args[0]+"/c0ffee\n"), 0o644)
	etcd := filepath.Join(root, "usr/bin/etcd")
	syscall.Exec(etcd, []string{etcd}, os.Environ())
	return 1
}

// copyOut does what the pod that copies binaries does.
func copyOut(dir string) {
	for _, name := range []string{"etcd", "etcdctl", "done"} {
		os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o755)
	}
}

func count(root, name string) {
	f, err := os.OpenFile(filepath.Join(root, "fake/starts"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		fmt.Fprintln(f, name)
		f.Close()
	}
}

// nodectl is systemctl for the node service, which is the kubelet's process. Containers go on when it is stopped.
func nodectl(root string, args []string) int {
	raw, _ := os.ReadFile(filepath.Join(root, "fake/kubelet"))
	pid, _ := strconv.Atoi(string(raw))
	_, err := os.Stat(filepath.Join(root, "usr/lib/systemd/system", nodeService))
	switch {
	case args[0] == "show" && err != nil:
		fmt.Println("LoadState=not-found\nActiveState=inactive\nSubState=dead")
	case args[0] == "show" && alive(pid):
		fmt.Println("LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nExecMainStartTimestampMonotonic=" + string(raw))
	case args[0] == "show":
		fmt.Println("LoadState=loaded\nActiveState=inactive\nSubState=dead\nUnitFileState=enabled")
	case args[0] == "stop" && pid > 0:
		syscall.Kill(pid, syscall.SIGTERM)
		for alive(pid) {
			time.Sleep(time.Millisecond)
		}
	case args[0] == "start" && !alive(pid):
		cmd := exec.Command(filepath.Join(root, "usr/bin/kubelet"))
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if cmd.Start() != nil {
			return 1
		}
		os.WriteFile(filepath.Join(root, "fake/kubelet"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o644)
		go cmd.Wait()
	}
	return 0
}

// Pod turns the host into a master whose etcd is a static pod, with another pod beside it. It returns when the kubelet runs and etcd listens.
func (h *Host) Pod(manifest string) {
	h.t.Helper()
	h.must(os.Remove(h.path("usr/lib/systemd/system/etcd.service")))
	h.Write("usr/lib/systemd/system/"+nodeService, "")
	h.Write("etc/origin/node/pods/etcd.yaml", manifest)
	h.must(os.Chmod(h.path("etc/origin/node/pods/etcd.yaml"), 0o600))
	h.NodeService("start")
	h.until("etcd to listen", func() bool { return dialable(h.Peer) && dialable(h.Client) })
}

// NodeService starts or stops the kubelet.
func (h *Host) NodeService(verb string) { nodectl(h.Root, []string{verb, nodeService}) }

// Grace sets how long the kubelet waits before it kills.
func (h *Host) Grace(d time.Duration) { h.Write("fake/grace", d.String()) }

// Starts counts how often containers of that name were started.
func (h *Host) Starts(name string) (n int) {
	for _, line := range strings.Fields(h.Read("fake/starts")) {
		if line == name {
			n++
		}
	}
	return n
}

// PodGone waits until nothing of any pod is left.
func (h *Host) PodGone() {
	h.t.Helper()
	h.until("the pods to go", func() bool { return len(loadPods(h.Root)) == 0 })
}

// PID is that of the etcd that the kubelet runs, or 0.
func (h *Host) PID() int {
	for _, p := range loadPods(h.Root) {
		if p.Name == "etcd" && alive(p.PID) {
			return p.PID
		}
	}
	return 0
}

func (h *Host) endPods() {
	h.NodeService("stop")
	for _, p := range loadPods(h.Root) {
		kill(p.PID)
		h.until("the pod to end", func() bool { return !alive(p.PID) })
	}
}
