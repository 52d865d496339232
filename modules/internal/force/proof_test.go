package force

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
)

// answers is a cluster that gives a test's answers.
type answers struct {
	members []facts.ClusterMember
	live    facts.Live
	reads   []error // one for each linearizable read; the last one is repeated
	keys    map[int64]int64
	v2      int64
	noV2    bool // a server without the v2 store
	probe   error
	probed  bool
}

func (a *answers) Status(context.Context) (facts.Live, error) { return a.live, nil }
func (a *answers) MemberList(context.Context) ([]facts.ClusterMember, error) {
	return a.members, nil
}
func (a *answers) LinearizableRead(ctx context.Context) (int64, error) {
	err := a.reads[0]
	if len(a.reads) > 1 {
		a.reads = a.reads[1:]
	}
	return 9, err
}
func (a *answers) CountKeys(_ context.Context, revision int64) (int64, error) {
	if n, ok := a.keys[revision]; ok {
		return n, nil
	}
	return 0, errors.New("compacted")
}
func (a *answers) CountV2Keys(context.Context) (int64, bool, error) { return a.v2, !a.noV2, nil }
func (a *answers) ProbeWrite(context.Context) error                 { a.probed = true; return a.probe }

func TestProve(t *testing.T) {
	good := func() *answers {
		return &answers{
			members: []facts.ClusterMember{{ID: 0xa1, Name: "m0", PeerURLs: []string{"http://new"}}},
			live:    facts.Live{MemberID: 0xa1, ClusterID: 0xc0ffee, Term: 7},
			keys:    map[int64]int64{9: 4, 7: 3},
		}
	}
	for name, c := range map[string]struct {
		change func(*answers)
		want   Expected
		text   string
	}{
		"all right":         {want: Expected{MemberID: 0xa1, ClusterID: 0xc0ffee, Revision: 7, Keys: 3}},
		"nothing expected":  {},
		"v2 keys":           {change: func(a *answers) { a.v2 = 1 }, want: Expected{V2Keys: 2}},
		"no v2 key left":    {want: Expected{V2Keys: 2}, text: "there are no v2 keys, expected 2"},
		"no v2 store":       {change: func(a *answers) { a.noV2 = true }, want: Expected{V2Keys: 2}},
		"two members":       {change: func(a *answers) { a.members = append(a.members, a.members[0]) }, text: "has 2 entries, expected 1"},
		"another member":    {want: Expected{MemberID: 0xb2}, text: "the member ID is a1, expected b2"},
		"another cluster":   {want: Expected{ClusterID: 0xbeef}, text: "the cluster ID is c0ffee, expected beef"},
		"older revision":    {want: Expected{Revision: 10}, text: "the revision is 9, expected at least 10"},
		"keys missing":      {want: Expected{Revision: 7, Keys: 5}, text: "there are 3 keys at revision 7, expected 5"},
		"revision is gone":  {want: Expected{Revision: 8, Keys: 5}, text: "count the keys at revision 8"},
		"a write that hung": {change: func(a *answers) { a.probe = context.DeadlineExceeded }, text: "the cluster reads, and a write does not return"},
	} {
		t.Run(name, func(t *testing.T) {
			a := good()
			if c.change != nil {
				c.change(a)
			}
			p, err := Prove(t.Context(), a, 9, c.want)
			if c.text == "" {
				want := Proof{MemberID: 0xa1, ClusterID: 0xc0ffee, Name: "m0", PeerURLs: []string{"http://new"}, Revision: 9, Keys: 4, V2Keys: a.v2, Term: 7}
				if diff := cmp.Diff(want, p); diff != "" || err != nil || !a.probed {
					t.Errorf("%s%v, probed: %v", diff, err, a.probed)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.text) || a.probed != (c.change != nil && a.probe != nil) {
				t.Errorf("got %v, want %q; probed: %v", err, c.text, a.probed)
			}
		})
	}
}

// Between the two starts clients write, so that the second one has a higher revision and other keys; a lower one lacks what was acknowledged.
func TestGoesOnFrom(t *testing.T) {
	earlier := Proof{Revision: 175, Keys: 174}
	for revision, fails := range map[int64]bool{174: true, 175: false, 180: false} {
		if err := (Proof{Revision: revision}).goesOnFrom(earlier); (err != nil) != fails {
			t.Error(revision, err)
		}
	}
	if err := (Proof{}).goesOnFrom(Proof{}); err != nil {
		t.Error(err)
	}
}

func TestWaitForRead(t *testing.T) {
	none, dead := errors.New("no leader"), errors.New("etcd ended")
	lives := func() error { return nil }
	if r, err := WaitForRead(t.Context(), &answers{reads: []error{none, none, nil}}, lives); r != 9 || err != nil {
		t.Errorf("%d %v", r, err)
	}
	if _, err := WaitForRead(t.Context(), &answers{reads: []error{none}}, func() error { return dead }); !errors.Is(err, dead) {
		t.Errorf("etcd ended: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := WaitForRead(ctx, &answers{reads: []error{none}}, lives); fault.KindOf(err) != fault.Timeout || !errors.Is(err, none) {
		t.Errorf("in vain: %v", err)
	}
}

func TestDiscarded(t *testing.T) {
	const line = "2026-03-01 03:14:00.000000 I | etcdserver: discarding %s uncommitted WAL entries "
	for count, found := range map[string]bool{"3": true, "10": true, "0": false} {
		text := strings.Replace(line, "%s", count, 1)
		if got := Discarded([]string{"etcd Version: 3.2.32", text}); (got == text) != found || (got != "") != found {
			t.Errorf("%s entries: %q", count, got)
		}
	}
}
