package host

import (
	"testing"

	"etcd-quorum-restore/modules/internal/procfs"
)

// The runtime and the processes are read one after the other: a pod's etcd that starts between the two is no stranger.
func TestAPodThatStartsBetweenTwoLooks(t *testing.T) {
	const cgroup = "1:name=systemd:/kubepods/besteffort/poddfc0d84617e3ae5b9b22c33fc486aaf1/c0ffee\n"
	etcd := []string{"etcd"}
	for _, pid := range []int{0, 6} {
		s := Status{View: View{PID: pid}}
		s.assign([]procfs.Process{
			{PID: 5}, {PID: 7, CGroup: cgroup, Args: etcd}, {PID: 8, CGroup: "0::/user.slice\n", Args: etcd}, {PID: 9, CGroup: cgroup, Args: etcd},
		}, (&pod{host: &Host{}}).Owns)
		if s.Process == nil || s.Process.PID != 7 || len(s.Strangers) != 2 {
			t.Errorf("the runtime saw %d: %+v, strangers %+v", pid, s.Process, s.Strangers)
		}
	}
}
