package force

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/membertest"
	"etcd-quorum-restore/modules/internal/procfs"
)

func TestNext(t *testing.T) {
	state := func(members int) *member.State {
		return &member.State{ID: membertest.SelfID, Members: make([]member.Peer, members)}
	}
	begun := func(phase string) *facts.Forcing { return &facts.Forcing{Phase: phase, MemberID: selfID} }
	runs, stopped := host.Status{Process: &procfs.Process{}}, host.Status{}
	flag := []facts.ForceFlag{{Where: host.InProcess}}
	for name, c := range map[string]struct {
		s    situation
		want step
	}{
		"stopped":                       {situation{state: state(3), status: stopped}, forceIt},
		"stopped, alone":                {situation{state: state(1), status: stopped}, forceIt},
		"runs alone":                    {situation{state: state(1), status: runs}, proveOnly},
		"runs alone, with the flag":     {situation{state: state(1), status: runs, flags: flag}, forceIt},
		"runs as one of three":          {situation{state: state(3), status: runs}, ""},
		"runs as one of three, flagged": {situation{state: state(3), status: runs, flags: flag}, ""},
		"begun":                         {situation{state: state(3), status: stopped, record: begun(facts.ForcingBegun)}, forceIt},
		"start asked for, runs":         {situation{state: state(1), status: runs, record: begun(facts.ForcingStart), flags: flag}, forceIt},
		"start asked for, stopped":      {situation{state: state(3), status: stopped, record: begun(facts.ForcingStart)}, forceIt},
		"proven, runs with the flag":    {situation{state: state(1), status: runs, record: begun(facts.ForcingProven), flags: flag}, releaseIt},
		"proven, stopped":               {situation{state: state(1), status: stopped, record: begun(facts.ForcingProven)}, releaseIt},
		"record that cannot be read":    {situation{state: state(3), status: stopped, record: &facts.Forcing{Phase: facts.ForcingStart}}, forceIt},
		"record of an unknown phase":    {situation{state: state(3), status: stopped, record: begun("?")}, forceIt},
		"record of another member":      {situation{state: state(3), status: stopped, record: &facts.Forcing{Phase: facts.ForcingBegun, MemberID: otherID}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := c.s.next(); got != c.want || (err != nil) != (c.want == "") {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestRecord(t *testing.T) {
	h, f := forcer(t, membertest.AMember(twoOf()))
	path := f.Host.ForcingFile()
	if r, err := readRecord(path); r != nil || err != nil {
		t.Fatalf("there is none: %+v %v", r, err)
	}
	s, err := member.Read(t.Context(), h.DataDir, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, phase := range []string{phaseBegun, phaseStart, phaseProven} {
		if err := f.record(situation{state: s, method: ByLog}, phase); err != nil {
			t.Fatal(err)
		}
		want := &facts.Forcing{Phase: phase, Method: ByLog, MemberID: selfID, ClusterID: 0xc0ffee, Commit: s.KnownCommitted()}
		got, err := readRecord(path)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(facts.Forcing{}, "When")); diff != "" || err != nil {
			t.Error(diff, err)
		}
	}
	before := s.KnownCommitted()
	if _, err := member.KeepTail(t.Context(), h.DataDir, ""); err != nil {
		t.Fatal(err)
	}
	moved, err := member.Read(t.Context(), h.DataDir, "")
	if err != nil || moved.KnownCommitted() == before {
		t.Fatal("the commit index was to be moved: ", err)
	}
	again, err := readRecord(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.record(situation{state: moved, record: again}, facts.ForcingStart); err != nil {
		t.Fatal(err)
	}
	if r, err := readRecord(path); err != nil || r.Commit != before {
		t.Errorf("a further run: %+v %v; want the commit index %d, of before the first change", r, err, before)
	}
	h.Write("etc/etcd/forcing.json", `{"phase": "pro`)
	if r, err := readRecord(path); err != nil || r.Phase != facts.ForcingStart {
		t.Errorf("torn: %+v %v; to begin anew is what is safe", r, err)
	}
}

func TestPreviewTouchesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		log    *membertest.Log
		record *facts.Forcing
		runs   bool
		text   string
		tail   uint64
	}{
		"a tail":       {log: twoOf(), text: "its log holds 2 entries beyond the commit index on disk, to be kept", tail: 2},
		"begun before": {log: twoOf(), record: &facts.Forcing{Phase: facts.ForcingBegun, MemberID: selfID}, text: "Would force", tail: 2},
		"proven":       {log: single(), record: &facts.Forcing{Phase: facts.ForcingProven, MemberID: selfID}, text: "its forced start is proven already"},
		"runs alone":   {log: single(), runs: true, text: "nothing to do"},
	} {
		t.Run(name, func(t *testing.T) {
			h, f := forcer(t, membertest.AMember(c.log))
			if c.record != nil {
				writeRecord(t, h, *c.record)
			}
			if c.runs {
				h.Start()
			}
			before := sum(t, h)
			w, err := f.Preview(soon(t))
			if err != nil || w.Changed == c.runs || w.TailEntries != c.tail || !strings.Contains(strings.Join(w.Lines, ""), c.text) {
				t.Errorf("%+v %v", w, err)
			}
			if sum(t, h) != before {
				t.Error("it touched something")
			}
		})
	}
}
