package host_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/hosttest"
	"etcd-quorum-restore/modules/internal/systemd"
)

const (
	fenceConf = "etc/systemd/system/etcd.service.d/etcd-quorum-restore-fence.conf"
	forceConf = "run/systemd/system/etcd.service.d/etcd-quorum-restore-force.conf"
	record    = "etc/etcd/fenced.json"
)

func fence(t *testing.T, f *hosttest.Host) *host.Host {
	t.Helper()
	h := load(t, f)
	if _, err := h.Fence(soon(t, 20*time.Second), host.Stamp(facts.Fence{Why: "why", Survivor: "m1"}, nil)); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestFenceHoldsAgainstASystemctlStart(t *testing.T) {
	f := hosttest.New(t)
	f.Start()
	h := fence(t, f)
	if s := status(t, h); s.State != facts.Fenced || s.FenceHole != "" || s.Fence.Why != "why" || s.Fence.MemberID != nil {
		t.Fatalf("%+v", s)
	}
	if err := h.Runtime.Start(soon(t, 5*time.Second)); err != nil {
		t.Fatal(err)
	}
	if running, _ := f.Running(); running {
		t.Fatal("the unit was started on a fenced host")
	}
	_, err := h.Start(soon(t, 5*time.Second), host.StartOptions{Wait: host.WaitNone})
	failed(t, err, fault.Refused, "is fenced on this host", "why")
	if err := h.Unfence(soon(t, 5*time.Second)); err != nil {
		t.Fatal(err)
	}
	if f.Exists(record) || f.Exists(fenceConf) {
		t.Error("something of the fence is left")
	}
	if _, err := h.Start(soon(t, 10*time.Second), host.StartOptions{Wait: host.WaitServing}); err != nil {
		t.Error(err)
	}
}

// After a crash at any step: the host never claims more than what holds, and a second run finishes.
func TestFenceInterrupted(t *testing.T) {
	for name, interrupt := range map[string]func(f *hosttest.Host){
		"the drop-in is there and not loaded": func(f *hosttest.Host) { f.Write(fenceConf, "[Unit]\n") },
		"the record is there, etcd runs": func(f *hosttest.Host) {
			f.Write(record, `{"when":"2026-01-01T00:00:00Z","why":"first"}`)
		},
		"the record is half written": func(f *hosttest.Host) { f.Write(record, `{"when":"20`) },
	} {
		t.Run(name, func(t *testing.T) {
			f := hosttest.New(t)
			f.Start()
			interrupt(f)
			h := load(t, f)
			if s := status(t, h); s.State == facts.Fenced {
				t.Fatal("it claims to be fenced")
			}
			fence(t, f)
			if s := status(t, h); s.State != facts.Fenced || s.FenceHole != "" {
				t.Fatalf("%+v", s)
			}
		})
	}
}

func TestFenceNamesItsHole(t *testing.T) {
	for name, c := range map[string]struct{ path, text, want string }{
		"changed drop-in":   {fenceConf, "[Unit]\n", "was changed"},
		"a reset behind it": {"etc/systemd/system/etcd.service.d/zz.conf", "[Unit]\nAssertPathExists=\n", "zz.conf resets"},
	} {
		t.Run(name, func(t *testing.T) {
			f := hosttest.New(t)
			h := fence(t, f)
			f.Write(c.path, c.text)
			if err := h.Runtime.SetForce(soon(t, 5*time.Second), false); err != nil { // reloads
				t.Fatal(err)
			}
			if s := status(t, h); !strings.Contains(s.FenceHole, c.want) || s.State == facts.Fenced {
				t.Errorf("state %s, hole %q, want %q", s.State, s.FenceHole, c.want)
			}
		})
	}
	f := hosttest.New(t)
	f.Write("etc/systemd/system/etcd.service.d/zz.conf", "[Unit]\nAssertPathExists=\n")
	f.Start()
	_, err := load(t, f).Fence(soon(t, 5*time.Second), host.Stamp(facts.Fence{Why: "why", Survivor: "m1"}, nil))
	failed(t, err, fault.Refused, "zz.conf resets the unit's assertions")
	if !f.Exists(record) || !f.Exists(fenceConf) {
		t.Error("a fence that failed has put something back")
	}
}

func TestForceWinsOverTheFenceAndNeedsItsRecord(t *testing.T) {
	f := hosttest.New(t)
	h := fence(t, f)
	ctx := soon(t, 20*time.Second)
	if err := h.Runtime.SetForce(ctx, true); err != nil {
		t.Fatal(err)
	}
	_, err := h.Start(ctx, host.StartOptions{Wait: host.WaitServing, Forced: true})
	failed(t, err, fault.Refused, "assertion")
	f.Write("etc/etcd/forcing.json", "{}")
	if _, err := h.Start(ctx, host.StartOptions{Wait: host.WaitServing, Forced: true}); err != nil {
		t.Fatal(err)
	}
	if _, env := f.Running(); !strings.Contains(env, "ETCD_FORCE_NEW_CLUSTER=true") {
		t.Errorf("etcd was not forced: %s", env)
	}
	flags, err := h.ForceFlags(ctx)
	if err != nil || len(flags) != 2 || flags[0].Where != host.InDropIn || flags[1].Where != host.InProcess {
		t.Errorf("%+v, %v", flags, err)
	}
	if err := h.Runtime.SetForce(ctx, false); err != nil {
		t.Fatal(err)
	}
	if f.Exists(forceConf) || f.Exists("run/systemd/system/etcd.service.d") {
		t.Error("the drop-in, or its empty directory, is left")
	}
	if _, err := h.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if s := status(t, h); s.State != facts.Fenced {
		t.Errorf("after the forced start the fence does not hold any more: %+v", s)
	}
}

func TestFenceRemovesALeftOverForce(t *testing.T) {
	f := hosttest.New(t)
	h := load(t, f)
	if err := h.Runtime.SetForce(soon(t, 5*time.Second), true); err != nil {
		t.Fatal(err)
	}
	fence(t, f)
	if f.Exists(forceConf) {
		t.Error("the drop-in that resets the fence is still there")
	}
}

func TestMember(t *testing.T) {
	f := hosttest.New(t)
	h := load(t, f)
	got, err := h.Member()
	want := &facts.Member{ID: 0x8e9e05c52164694d, ClusterID: 0xcdf818194e3a8c32, Name: "m0"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	f.Wipe()
	if got, err := h.Member(); err != nil || got != nil {
		t.Errorf("wiped: %+v, %v", got, err)
	}
	if err := os.Mkdir(f.DataDir+"/member", 0o700); err != nil {
		t.Fatal(err)
	}
	if has, err := h.HasMember(); err != nil || has {
		t.Errorf("an empty directory is a member: %v, %v", has, err)
	}
}

func TestFenceOfAMaskedUnit(t *testing.T) {
	f := hosttest.New(t)
	ctx := soon(t, 20*time.Second)
	if _, err := systemd.Run(ctx, "mask", "etcd.service"); err != nil {
		t.Fatal(err)
	}
	h := fence(t, f)
	if s := status(t, h); s.State != facts.Fenced || !s.View.Masked {
		t.Errorf("%+v", s)
	}
	for _, verb := range []string{"unmask", "daemon-reload"} {
		if _, err := systemd.Run(ctx, verb, "etcd.service"); err != nil {
			t.Fatal(err)
		}
	}
	if s := status(t, h); s.State != facts.Fenced {
		t.Errorf("unmasked, and the fence is open: %+v", s)
	}
}
