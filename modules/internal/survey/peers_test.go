package survey

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/host"
)

// Where a majority is up, an election and the reads that it delays must not look like a loss; where it is not, the survey does not wait.
func TestPatience(t *testing.T) {
	silent, up := facts.Seen{Error: "connection refused"}, facts.Seen{ID: 0xa1}
	for name, c := range map[string]struct {
		pid    int
		settle time.Duration
		sees   []facts.Seen
		want   time.Duration
	}{
		"one of three":              {1, 3 * time.Second, []facts.Seen{silent, silent}, 3 * time.Second},
		"two of three":              {1, 3 * time.Second, []facts.Seen{silent, up}, readStall},
		"two of four":               {1, 3 * time.Second, []facts.Seen{silent, up, silent}, 3 * time.Second},
		"two of three, this is off": {0, 3 * time.Second, []facts.Seen{up, up}, 3 * time.Second},
		"alone":                     {1, 3 * time.Second, nil, readStall},
		"one look":                  {1, 0, []facts.Seen{up, up}, 0},
		"a long look":               {1, time.Minute, []facts.Seen{up, up}, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			out := facts.Host{PID: c.pid, Sees: map[string]facts.Seen{}}
			for i, s := range c.sees {
				out.Sees[string(rune('a'+i))] = s
			}
			if got := patience(out, c.settle); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// A peer that was silent once is asked again; one that stays silent keeps its error, and one that answered is not asked again.
func TestSilentPeersAreAskedTwice(t *testing.T) {
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Etcd-Cluster-ID", "c0ffee")
		w.Write([]byte(`[{"id":161,"name":"a","peerURLs":["http://192.0.2.9:2380"],"clientURLs":[]}]`))
	}))
	defer slow.Close()
	dead := httptest.NewServer(nil)
	dead.Close()
	seen := map[string]facts.Seen{
		slow.URL:           {Error: "deadline exceeded"},
		dead.URL:           {Error: "deadline exceeded"},
		"http://192.0.2.1": {ID: 0xa1},
	}
	lookTwice(t.Context(), seen, etcd.Config{Connect: 5 * time.Second, Call: 5 * time.Second})
	if seen[slow.URL].Error != "" || seen[dead.URL].Error == "" || seen["http://192.0.2.1"].ID != 0xa1 {
		t.Fatalf("%+v", seen)
	}
}

// Removed members are those that etcd.conf still names and the membership does not; where no membership is known, etcd.conf's are asked as members.
func TestDroppedPeers(t *testing.T) {
	own, gone, other := "https://192.0.2.1:2380", "https://192.0.2.2:2380", "https://192.0.2.3:2380"
	out := facts.Host{}
	out.Config.PeerURLs = []string{own}
	out.Config.InitialCluster = "a=" + own + ",b=" + gone + ",c=" + other
	if got := droppedPeers(out); got != nil {
		t.Errorf("without a membership: %v", got)
	}
	out.Members = []facts.ClusterMember{{PeerURLs: []string{own}}, {PeerURLs: []string{other}}}
	if got := droppedPeers(out); len(got) != 1 || got[0] != gone {
		t.Errorf("got %v, want %s", got, gone)
	}
}

// Without quorum the answer of a removed member is a fact; with quorum nobody waits for one that does not answer.
func TestDroppedMemberIsSeenWithoutQuorum(t *testing.T) {
	runs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Etcd-Cluster-ID", "c0ffee")
		w.Write([]byte(`[{"id":161,"name":"a","peerURLs":["http://192.0.2.9:2380"],"clientURLs":[]}]`))
	}))
	defer runs.Close()
	out := facts.Host{Members: []facts.ClusterMember{{PeerURLs: []string{"http://127.0.0.1:1"}}}}
	out.Config.PeerURLs, out.Config.InitialCluster = []string{"http://127.0.0.1:1"}, "a=http://127.0.0.1:1,b="+runs.URL
	live(t.Context(), &out, &host.Host{}, 0)
	if seen, ok := out.Sees[runs.URL]; !ok || seen.Error != "" || seen.Members != 1 {
		t.Fatalf("%+v", out.Sees)
	}
}
