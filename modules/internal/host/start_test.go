package host_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/hosttest"
)

func TestStartWaits(t *testing.T) {
	for name, c := range map[string]struct {
		mode string
		wait host.Wait
		kind fault.Kind // "" = success
		want host.Started
	}{
		"serving":                 {hosttest.Serves, host.WaitServing, "", host.Started{PeerPort: true, Serving: true}},
		"process":                 {hosttest.NoQuorum, host.WaitProcess, "", host.Started{PeerPort: true}},
		"serving without quorum":  {hosttest.NoQuorum, host.WaitServing, fault.Timeout, host.Started{PeerPort: true}},
		"it ends at once":         {hosttest.Exits, host.WaitServing, fault.Internal, host.Started{}},
		"it ends at once, no one": {hosttest.Exits, host.WaitProcess, fault.Internal, host.Started{}},
	} {
		t.Run(name, func(t *testing.T) {
			f := hosttest.New(t)
			f.Mode(c.mode)
			got, err := load(t, f).Start(soon(t, 4*time.Second), host.StartOptions{Wait: c.wait})
			if c.kind != "" {
				failed(t, err, c.kind)
			} else if err != nil {
				t.Fatal(err)
			}
			if got.PeerPort != c.want.PeerPort || got.Serving != c.want.Serving || got.AlreadyRunning {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

func TestStartIsDoneWhereItRuns(t *testing.T) {
	f := hosttest.New(t)
	f.Start()
	before := f.State()
	got, err := load(t, f).Start(soon(t, 10*time.Second), host.StartOptions{Wait: host.WaitServing})
	if err != nil || !got.AlreadyRunning || !got.Serving || f.State() != before {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestStartSaysWhyEtcdEnded(t *testing.T) {
	f := hosttest.New(t)
	f.Mode(hosttest.Exits)
	f.Journal("starting", "the member has been permanently removed from the cluster")
	_, err := load(t, f).Start(soon(t, 10*time.Second), host.StartOptions{Wait: host.WaitServing})
	failed(t, err, fault.Internal, "permanently removed", "etcd_data_dir state=set_aside")
}

// An etcd that answers its peers and ends a moment later, again and again, is no member that waits for others.
func TestStartSaysWhyEtcdEndsAgainAndAgain(t *testing.T) {
	f := hosttest.New(t)
	f.Mode(hosttest.Loops)
	f.Journal("panic: tocommit(9) is out of range [lastIndex(7)]. Was the raft log corrupted, truncated, or lost?")
	_, err := load(t, f).Start(soon(t, 3*time.Second), host.StartOptions{Wait: host.WaitServing})
	failed(t, err, fault.Internal, "etcd ended", "tocommit(9) is out of range", "add_hosts.yml")
}

func TestStartRefusesToMakeAnEmptyCluster(t *testing.T) {
	f := hosttest.New(t)
	f.Wipe()
	h := load(t, f)
	_, err := h.Start(soon(t, 5*time.Second), host.StartOptions{Wait: host.WaitNone})
	failed(t, err, fault.Refused, "new, empty cluster", "ETCD_INITIAL_CLUSTER_STATE=existing")
	if len(f.Calls()) != 0 {
		t.Errorf("refused, and yet called systemctl: %v", f.Calls())
	}
	text := strings.Replace(f.Read("etc/etcd/etcd.conf"), "STATE=new", "STATE=existing", 1)
	f.Write("etc/etcd/etcd.conf", text)
	if _, err := load(t, f).Start(soon(t, 10*time.Second), host.StartOptions{Wait: host.WaitServing}); err != nil {
		t.Error("a member that is to join:", err)
	}
}

func TestStartIsRefusedBySystemdWithoutARecord(t *testing.T) {
	f := hosttest.New(t)
	f.Write("etc/systemd/system/etcd.service.d/site.conf", "[Unit]\nAssertPathExists=/nowhere\n")
	h := load(t, f)
	if err := h.Runtime.Unblock(soon(t, 5*time.Second)); err != nil { // reloads
		t.Fatal(err)
	}
	_, err := h.Start(soon(t, 5*time.Second), host.StartOptions{Wait: host.WaitServing})
	failed(t, err, fault.Refused, "an assertion of the unit does not hold")
}

func TestWithoutAUnit(t *testing.T) {
	f := hosttest.New(t)
	os.Remove(f.Root + "/usr/lib/systemd/system/etcd.service")
	h := load(t, f)
	_, err := h.Start(soon(t, 5*time.Second), host.StartOptions{Wait: host.WaitNone})
	failed(t, err, fault.Unsupported, "no etcd.service")
	if e, err := h.Stop(soon(t, 5*time.Second)); err != nil || e.WasRunning {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := h.Fence(soon(t, 5*time.Second), host.Stamp(facts.Fence{Why: "why", Survivor: "m1"}, nil)); err != nil {
		t.Fatal(err)
	}
	if s := status(t, h); s.State != "fenced" || s.FenceHole != "" {
		t.Errorf("%+v", s)
	}
}

func TestStartRefusesDataThatEtcdMayNotRead(t *testing.T) {
	f := hosttest.New(t)
	h := load(t, f)
	if err := h.CheckOwner(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	err := h.CheckOwner(t.Context(), "daemon") // etcd's unit runs as a user who owns none of it
	failed(t, err, fault.Refused, "etcd runs as daemon", "chown -R daemon:")
}
