package health

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/facts"
)

// three is a healthy cluster of three; change makes a test's case of it.
func three(api string, change func(*Picture)) Picture {
	p := Picture{API: api, ClusterID: 0xc1, MembersFrom: "https://192.0.2.11:2379"}
	for i := range 3 {
		id, url := facts.ID(0x111*(i+1)), fmt.Sprintf("https://192.0.2.1%d:2379", i+1)
		p.Members = append(p.Members, facts.ClusterMember{ID: id, Name: fmt.Sprintf("etcd-%d", i), PeerURLs: []string{strings.Replace(url, "79", "80", 1)}, ClientURLs: []string{url}})
		p.Endpoints = append(p.Endpoints, Endpoint{Endpoint: url, Health: true, Serves: true, Took: 0.001423459, MemberID: id, ClusterID: 0xc1,
			Version: "3.2.32", DBSize: 28123456, Leader: 0x111, IsLeader: i == 0, Term: 9, Index: 2878, Revision: 2411})
	}
	for i := range p.Endpoints {
		p.Endpoints[i].members = p.Members
	}
	if change != nil {
		change(&p)
	}
	p.Verdict = judge(p)
	return p
}

func dead(p *Picture, numbers ...int) {
	for _, i := range numbers {
		url := p.Endpoints[i].Endpoint
		p.Endpoints[i] = Endpoint{Endpoint: url, Error: url + ": connection refused: no etcd listens there"}
	}
}

func alone(p *Picture) {
	dead(p, 1, 2)
	e := &p.Endpoints[0]
	e.Health, e.Leader, e.IsLeader, e.Error = false, 0, false, e.Endpoint+": no answer to a linearizable read within 5s"
}

var cases = map[string]Picture{
	"healthy-v3":   three(V3, nil),
	"healthy-v2":   three(V2, nil),
	"one-down-v3":  three(V3, func(p *Picture) { dead(p, 2) }),
	"one-down-v2":  three(V2, func(p *Picture) { dead(p, 2) }),
	"lost-v3":      three(V3, alone),
	"lost-v2":      three(V2, alone),
	"nobody":       {API: V3},
	"unstarted-v2": three(V2, func(p *Picture) { p.Members[2].Name, p.Members[2].ClientURLs, p.Endpoints = "", nil, p.Endpoints[:2] }),
	"behind-v3":    three(V3, func(p *Picture) { p.Endpoints[2].Index = 1000 }),
	"two-leaders": three(V3, func(p *Picture) {
		p.Endpoints[2].Leader, p.Endpoints[2].Term, p.Endpoints[2].IsLeader = 0x333, 8, true
	}),
	"other-cluster":  three(V3, func(p *Picture) { p.Endpoints[2].ClusterID = 0xc2 }),
	"alarm":          three(V3, func(p *Picture) { p.Alarms = []etcd.Alarm{{MemberID: 0x222, Alarm: "NOSPACE"}} }),
	"alarms-unknown": three(V3, func(p *Picture) { p.alarmsError = errors.New("https://a:2379: no answer to alarm list within 5s") }),
	"unreachable-majority": three(V3, func(p *Picture) {
		dead(p, 1, 2) // yet the one that answers has read linearizably
	}),
}

func TestLastWhole(t *testing.T) {
	whole, cut := cases["healthy-v3"], cases["nobody"]
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx     context.Context
		before  *Picture
		members int
	}{
		"in time":             {t.Context(), &whole, 0},
		"cut off":             {over, &whole, 3},
		"cut off, first look": {over, nil, 0},
	} {
		if got := lastWhole(c.ctx, cut, c.before); len(got.Members) != c.members {
			t.Errorf("%s: %d members", name, len(got.Members))
		}
	}
}

func TestGoldenLines(t *testing.T) {
	for name, p := range cases {
		v := judge(p)
		got := strings.Join(v.Lines, "\n") + "\n-- problems --\n" + strings.Join(v.Problems, "\n") + "\n"
		path := filepath.Join("testdata", name+".txt")
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestVerdict(t *testing.T) {
	for name, want := range map[string]struct {
		quorum, joined bool
		healthy        int
	}{
		"healthy-v3": {true, true, 3}, "healthy-v2": {true, true, 3}, "one-down-v3": {true, false, 2}, "lost-v3": {false, false, 0},
		"lost-v2": {false, false, 0}, "nobody": {false, false, 0}, "unstarted-v2": {true, false, 2}, "behind-v3": {true, false, 3},
		"two-leaders": {true, false, 3}, "other-cluster": {true, false, 2}, "alarm": {true, false, 3}, "unreachable-majority": {true, false, 1},
	} {
		v := judge(cases[name])
		if v.Quorum != want.quorum || v.Joined != want.joined || v.Healthy != want.healthy {
			t.Errorf("%s: quorum %v, joined %v, healthy %d; want %+v", name, v.Quorum, v.Joined, v.Healthy, want)
		}
	}
}

// In every case the last line agrees with the field.
func TestLastLineAgreesWithQuorum(t *testing.T) {
	for name, p := range cases {
		v := judge(p)
		last := v.Lines[len(v.Lines)-1]
		if v.Quorum != strings.HasPrefix(last, "quorum present") || v.Quorum == strings.HasPrefix(last, "no quorum") {
			t.Errorf("%s: quorum is %v, and the last line is %q", name, v.Quorum, last)
		}
		if !v.Quorum && slices.Contains(v.Lines, "cluster is healthy") {
			t.Errorf("%s calls a cluster without quorum healthy", name)
		}
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 25000: "25 kB", 1500000: "1.5 MB", 28123456: "28 MB", 9940: "9.9 kB", 9960: "10 kB", 3200000000: "3.2 GB"} {
		if got := Size(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestSplit(t *testing.T) {
	for name, p := range cases {
		if split := p.Split() != ""; split != (name == "other-cluster") {
			t.Errorf("%s: %q", name, p.Split())
		}
	}
	twin := three(V3, func(p *Picture) { p.Endpoints[2].members = p.Members[2:] })
	if !strings.Contains(twin.Split(), "https://192.0.2.11:2379 and https://192.0.2.13:2379") {
		t.Errorf("%q", twin.Split())
	}
}
