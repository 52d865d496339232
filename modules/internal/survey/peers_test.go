package survey

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/facts"
)

// A peer that was silent once is asked again; one that stays silent keeps its error, and one that answered is left alone.
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
		"http://192.0.2.1": {ID: "a1"},
	}
	lookTwice(t.Context(), seen, etcd.Config{Connect: 5 * time.Second, Call: 5 * time.Second})
	if seen[slow.URL].Error != "" || seen[dead.URL].Error == "" || seen["http://192.0.2.1"].ID != "a1" {
		t.Fatalf("%+v", seen)
	}
}
