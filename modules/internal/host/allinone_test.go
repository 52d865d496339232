package host_test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/clienttls"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/hosttest"
)

func TestAllInOne(t *testing.T) {
	h := hosttest.New(t)
	allInOne(h)
	os.Remove(h.Conf)
	h.Write("etc/origin/master/master-config.yaml", `apiVersion: v1
etcdClientInfo:
  ca: ca.crt
  certFile: master.etcd-client.crt
  keyFile: /srv/key
  urls:
  - https://openshift.example.com:4001
etcdConfig:
  address: openshift.example.com:4001
  peerAddress: openshift.example.com:7001
  storageDirectory: `+h.Root+`/var/lib/origin/openshift.local.etcd
`)
	got := load(t, h)
	master := h.Root + "/etc/origin/master/"
	want := clienttls.Files{CA: master + "ca.crt", Cert: master + "master.etcd-client.crt", Key: "/srv/key"}
	if diff := cmp.Diff(want, got.TLS); diff != "" {
		t.Error(diff)
	}
	if got.DataDir != h.Root+"/var/lib/origin/openshift.local.etcd" || strings.Join(got.Config.ClientURLs, "") != "https://openshift.example.com:4001" ||
		strings.Join(got.Config.PeerURLs, "") != "https://openshift.example.com:7001" {
		t.Errorf("%s %+v", got.DataDir, got.Config)
	}
	err := got.Runtime.SetForce(t.Context(), true)
	if fault.KindOf(err) != fault.Unsupported || !strings.Contains(err.Error(), "inside the master's process") || !strings.Contains(fault.HintOf(err), "method=copy") {
		t.Error(err, fault.HintOf(err))
	}
}

// The locks on the files show what runs.
func TestAllInOneRuns(t *testing.T) {
	h := hosttest.New(t)
	allInOne(h)
	os.Remove(h.Conf)
	db := h.Write("var/lib/origin/openshift.local.etcd/member/snap/db", "database")
	for _, state := range []string{facts.Stopped, facts.Running} {
		if state == facts.Running {
			f, err := os.Open(db)
			if err == nil {
				err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
		}
		if v, err := load(t, h).Runtime.Look(t.Context()); err != nil || v.State != state {
			t.Errorf("%+v %v, want %s", v, err, state)
		}
	}
}
