package host

import (
	"testing"

	"etcd-quorum-restore/modules/internal/procfs"
)

func TestOwns(t *testing.T) {
	const hash = "dfc0d84617e3ae5b9b22c33fc486aaf1"
	u, p := &unit{main: 7}, &pod{host: &Host{DataDir: "/var/lib/etcd"}}
	for cgroup, want := range map[string][2]bool{
		"11:cpu:/\n1:name=systemd:/system.slice/etcd.service\n":                         {true, false},
		"0::/system.slice/etcd.service\n":                                               {true, false},
		"1:name=systemd:/other.slice/other-more.slice/etcd.service/child\n":             {true, false},
		"1:name=systemd:/user.slice/user-1000.slice/user@1000.service/etcd.service\n":   {false, false},
		"1:name=systemd:/system.slice/docker-f3.scope/system.slice/etcd.service\n":      {false, false},
		"1:name=systemd:/system.slice/not-etcd.service\n":                               {false, false},
		"4:memory:/system.slice/etcd.service\n1:name=systemd:/user.slice\n":             {false, false}, // a hierarchy that may be delegated to other users
		"1:name=systemd:/kubepods/besteffort/pod" + hash + "/c0ffee\n":                  {false, true},
		"1:name=systemd:/kubepods.slice/kubepods-pod" + hash + ".slice/docker-f3.scope": {false, true},
		"1:name=systemd:/kubepods/pod5b2f4bd0-1111-2222-3333-444455556666/f368\n":       {false, false}, // a pod of the API: anybody's
		"": {false, false},
	} {
		one := procfs.Process{PID: 5, Parent: 4, CGroup: cgroup, Args: []string{"etcd"}, Env: map[string]string{"ETCD_DATA_DIR": "/var/lib/etcd"}}
		if got := [2]bool{u.Owns(one), p.Owns(one)}; got != want {
			t.Errorf("%q: %v, want %v", cgroup, got, want)
		}
	}
	for _, main := range []procfs.Process{{PID: 7}, {PID: 8, Parent: 7}} {
		if !u.Owns(main) {
			t.Errorf("%+v is what systemd has started", main)
		}
	}
	elsewhere := procfs.Process{CGroup: "1:name=systemd:/kubepods/pod" + hash + "/c\n", Args: []string{"etcd"}, Env: map[string]string{"ETCD_DATA_DIR": "/srv"}}
	if p.Owns(elsewhere) {
		t.Error("another static pod's etcd is taken for this one")
	}
}

// A unit starts its etcd again after a plain signal, and at the next boot.
func TestEndBy(t *testing.T) {
	h := &Host{}
	for cgroup, want := range map[string]string{
		"1:name=systemd:/system.slice/etcd.service\n":       "systemctl disable --now etcd",
		"1:name=systemd:/user.slice/user-0.slice/s.scope\n": "kill -TERM 5",
		"": "kill -TERM 5",
	} {
		if got := h.EndBy(procfs.Process{PID: 5, CGroup: cgroup}); got != want {
			t.Errorf("%q: %q, want %q", cgroup, got, want)
		}
	}
}
