package main

import (
	"os"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/moduletest"
)

// podJoins is a pod's host whose manifest is out and whose data directory is empty, and what makes it a member of a real cluster of one.
func podJoins(t *testing.T) (*etcdtest.Member, *hosttest.Host, map[string]any) {
	t.Helper()
	survivor := etcdtest.Start(t, 1).Members[0]
	text, err := os.ReadFile("../internal/manifest/testdata/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	h := hosttest.New(t)
	h.Pod(string(text))
	h.Write("etc/origin/node/pods-stopped/etcd.yaml", string(text))
	if err := os.Remove(h.Manifests + "/etcd.yaml"); err != nil {
		t.Fatal(err)
	}
	h.PodGone()
	h.Wipe()
	h.Write("etc/etcd/etcd.conf", strings.Replace(h.Read("etc/etcd/etcd.conf"), "STATE=new", "STATE=existing", 1))
	return survivor, h, h.Args("endpoints", survivor.ClientURL, "ca_cert", survivor.CA, "client_cert", survivor.Cert, "client_key", survivor.Key, "start", true)
}

// A database that takes longer to receive than the probe's 75 seconds would never arrive.
func TestProbeIsOutForALargeDatabase(t *testing.T) {
	for size, want := range map[int]string{0: "removed", 256: "present"} {
		_, h, args := podJoins(t)
		args["probe_out_above"] = size
		got := moduletest.Run(t, args).OK(t, true)
		if got.JSON["probe"] != want {
			t.Errorf("above %d MB: probe %v, want %s: %s", size, got.JSON["probe"], want, got.Stdout)
		}
		if has := strings.Contains(h.Read("etc/origin/node/pods/etcd.yaml"), "livenessProbe"); has != (want == "present") {
			t.Errorf("above %d MB: the kubelet's manifest has a probe: %v", size, has)
		}
	}
}

func TestProbeOutAboveIsASize(t *testing.T) {
	_, h, args := joins(t)
	args["probe_out_above"] = -1
	got := moduletest.Run(t, args).Failed(t, "invalid")
	if !strings.Contains(got.Msg(), "probe_out_above") || len(h.Calls()) > 0 {
		t.Errorf("%s", got.Stdout)
	}
}
