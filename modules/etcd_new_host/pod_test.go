package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/manifest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

const (
	nodeUnit = "usr/lib/systemd/system/atomic-openshift-node.service"
	etcdUnit = "usr/lib/systemd/system/etcd.service"
	waits    = "etc/origin/node/pods-stopped/etcd.yaml"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// memberManifest is the installer's, of a master with the address 192.0.2.12.
func memberManifest(t *testing.T, h *hosttest.Host) string {
	t.Helper()
	text, err := os.ReadFile("../internal/manifest/testdata/template.yaml")
	must(t, err)
	return strings.NewReplacer("/etc/etcd/\n", filepath.Dir(h.Conf)+"/\n", "/var/lib/etcd/\n", h.DataDir+"/\n", "/var/lib/etcd\n", h.DataDir+"\n").Replace(string(text))
}

// barePod is a host with a node service and etcd's image, and the arguments that make it ready.
func barePod(t *testing.T) (*hosttest.Host, map[string]any) {
	t.Helper()
	h, args := bare(t)
	must(t, errors.Join(os.RemoveAll(filepath.Dir(h.Conf)), os.RemoveAll(h.DataDir), os.Remove(filepath.Join(h.Root, etcdUnit)), os.MkdirAll(h.Manifests, 0o700)))
	h.Write(nodeUnit, "")
	h.Write("etc/origin/node/node-config.yaml", "kubeletArguments:\n  feature-gates: [a=b]\n  pod-manifest-path: ["+h.Manifests+"]\n")
	h.NodeService("start")
	args["manifest"] = base64.StdEncoding.EncodeToString([]byte(memberManifest(t, h)))
	return h, args
}

// docker is a client that answers with these IDs of images.
func docker(t *testing.T, h *hosttest.Host, ids string) {
	t.Helper()
	path := filepath.Join(h.Root, "usr/bin/docker")
	must(t, os.WriteFile(path, []byte("#!/bin/sh\n[ \"$1 $2\" = 'images -q' ] && echo '"+ids+"'\n"), 0o755))
	t.Cleanup(func() { must(t, os.Remove(path)) })
}

func TestMakesAPodReady(t *testing.T) {
	h, args := barePod(t)
	docker(t, h, "sha256:c0ffee")
	must(t, errors.Join(os.Mkdir(h.DataDir, 0o755), os.Chown(h.DataDir, 12345, 12345))) // a package that was here before
	before := h.Tree()
	args["_ansible_check_mode"] = true
	plan := moduletest.Run(t, args).OK(t, true)
	if h.Tree() != before {
		t.Fatalf("check mode wrote: %s", plan.Stdout)
	}
	delete(args, "_ansible_check_mode")
	a := moduletest.Run(t, args).OK(t, true)
	if a.JSON["runtime"] != "static_pod" || a.JSON["new"] != true {
		t.Error(a.Stdout)
	}
	want := strings.Replace(memberManifest(t, h), "192.0.2.12", hosttest.OwnAddress(t), 1)
	if got := h.Read(waits); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if h.Exists("etc/origin/node/pods/etcd.yaml") || h.Starts("etcd") > 0 || h.Starts(manifest.OneShotName) != 1 {
		t.Errorf("etcd was started %d times, the pod that is tried %d times", h.Starts("etcd"), h.Starts(manifest.OneShotName))
	}
	for path, mode := range map[string]os.FileMode{"etc/etcd": 0o700, "var/lib/etcd": 0o700, "etc/etcd/etcd.conf": 0o644, "etc/etcd/ca.crt": 0o600, waits: 0o600, "etc/origin/node/pods-stopped": 0o700} {
		if info, err := os.Stat(filepath.Join(h.Root, path)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	if info, err := os.Stat(h.DataDir); err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("the data directory: %v, %v", info, err)
	}
	if h.Exists("var/lib/etcd-quorum-restore") {
		t.Error("copies of the image's programs are left")
	}
	again := moduletest.Run(t, args).OK(t, false)
	if again.JSON["new"] != false || again.JSON["runtime"] != "static_pod" {
		t.Error(again.Stdout)
	}
}

// What waits there, by a killed run or by hand, counts more than another host's.
func TestTakesTheManifestThatWaits(t *testing.T) {
	h, args := barePod(t)
	delete(args, "manifest")
	text := strings.Replace(memberManifest(t, h), "etcd:3.2.32", "etcd:3.2.22", 1)
	h.Write(waits, text)
	moduletest.Run(t, args).OK(t, true)
	if want := strings.Replace(text, "192.0.2.12", hosttest.OwnAddress(t), 1); h.Read(waits) != want {
		t.Error(h.Read(waits))
	}
}

// A recovery takes the probe out for a while; a new host gets the installer's manifest all the same.
func TestReadsTheManifest(t *testing.T) {
	h, args := barePod(t)
	moduletest.Run(t, h.Args("state", "manifest")).Failed(t, "refused")
	text := memberManifest(t, h)
	m, err := manifest.Parse([]byte(text))
	must(t, err)
	without, err := m.Edit(manifest.Change{DropProbe: true})
	must(t, err)
	h.Write(waits, string(without))
	h.Write(waits+".installed", text)
	a := moduletest.Run(t, h.Args("state", "manifest")).OK(t, false)
	if a.JSON["manifest"] != args["manifest"] {
		t.Error(a.Stdout)
	}
	h.Write(waits+".installed", strings.Replace(text, "    image:", "    env: [{name: TOKEN, value: S3CRET}]\n    image:", 1))
	if a := moduletest.Run(t, h.Args("state", "manifest")).Failed(t, "refused"); strings.Contains(a.Stdout, "S3CRET") || strings.Contains(a.Stdout, "UzNDUkVU") {
		t.Error(a.Stdout)
	}
}

func TestRefusesAPod(t *testing.T) {
	set := func(args map[string]any, text string) {
		args["manifest"] = base64.StdEncoding.EncodeToString([]byte(text))
	}
	for name, c := range map[string]struct {
		change     func(t *testing.T, h *hosttest.Host, args map[string]any)
		kind, says string
	}{
		"neither": {func(t *testing.T, h *hosttest.Host, _ map[string]any) {
			must(t, errors.Join(os.RemoveAll(filepath.Join(h.Root, "etc/origin")), os.Remove(filepath.Join(h.Root, nodeUnit))))
		}, "refused", "yum install etcd"},
		"a unit as well": {func(_ *testing.T, h *hosttest.Host, _ map[string]any) {
			h.Write(etcdUnit, "")
			h.Write("fake/state", `{"Disabled": true}`)
		}, "refused", "systemctl mask etcd"},
		"the node service is down": {func(_ *testing.T, h *hosttest.Host, _ map[string]any) { h.NodeService("stop") }, "refused", "systemctl start atomic-openshift-node.service"},
		"another directory of pods": {func(_ *testing.T, h *hosttest.Host, _ map[string]any) {
			h.Write("etc/origin/node/node-config.yaml", "staticPodPath: /etc/kubernetes/manifests\n")
		}, "refused", "/etc/kubernetes/manifests as the directory"},
		"no directory of pods": {func(_ *testing.T, h *hosttest.Host, _ map[string]any) {
			h.Write("etc/origin/node/node-config.yaml", "kubeletArguments: {}\n")
		}, "refused", "systemctl restart atomic-openshift-node.service"},
		"a configuration that is none": {func(_ *testing.T, h *hosttest.Host, _ map[string]any) {
			h.Write("etc/origin/node/node-config.yaml", "kubeletArguments: S3CRET\n")
		}, "invalid", "node-config.yaml"},
		"no image":    {func(t *testing.T, h *hosttest.Host, _ map[string]any) { docker(t, h, "") }, "refused", "docker pull registry.redhat.io/rhel7/etcd:3.2.32"},
		"no manifest": {func(_ *testing.T, _ *hosttest.Host, args map[string]any) { delete(args, "manifest") }, "refused", "pods-stopped/etcd.yaml"},
		"no pod":      {func(_ *testing.T, _ *hosttest.Host, args map[string]any) { set(args, "S3CRET: [") }, "invalid", "carried over"},
		"another mount": {func(_ *testing.T, h *hosttest.Host, args map[string]any) {
			set(args, strings.ReplaceAll(memberManifest(t, h), filepath.Dir(h.Conf)+"/", "/etc/other/"))
		}, "unsupported", "does not mount"},
		"a live manifest": {func(_ *testing.T, h *hosttest.Host, _ map[string]any) {
			h.NodeService("stop")
			h.Write("etc/origin/node/pods/etcd.yaml", memberManifest(t, h))
			h.Write("fake/mode", hosttest.Exits)
			h.NodeService("start")
		}, "refused", "has a manifest of etcd already"},
	} {
		t.Run(name, func(t *testing.T) {
			h, args := barePod(t)
			c.change(t, h, args)
			conf := h.Tree()
			a := moduletest.Run(t, args).Failed(t, c.kind)
			if !strings.Contains(a.Stdout, c.says) || a.JSON["hint"] == nil && c.kind != "invalid" || strings.Contains(a.Stdout, "S3CRET") {
				t.Error(a.Stdout)
			}
			if name != "a live manifest" && h.Tree() != conf {
				t.Error("it touched something")
			}
		})
	}
}

// The kubelet does not run what is put before it: the host gets no etcd.conf, so that nothing counts on it.
func TestAPodThatDoesNotStart(t *testing.T) {
	h, args := barePod(t)
	must(t, os.RemoveAll(filepath.Join(h.Root, "etc/origin/node/node-config.yaml")))
	h.NodeService("stop")
	h.Write(nodeUnit, "")
	elsewhere := filepath.Join(h.Root, "etc/origin/node/other")
	must(t, os.MkdirAll(elsewhere, 0o700))
	args["manifest_dir"], args["timeout"] = elsewhere, 3
	h.NodeService("start")
	a := moduletest.Run(t, args)
	if !strings.Contains(a.Stdout, "did not run etcd's image") || h.Exists("etc/etcd/etcd.conf") {
		t.Error(a.Stdout)
	}
	if left, _ := filepath.Glob(filepath.Join(elsewhere, "*")); len(left) > 0 {
		t.Error(fmt.Sprint(left))
	}
}
