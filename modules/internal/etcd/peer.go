package etcd

import (
	"cmp"
	"context"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/guard"
)

// Peer is the answer of a peer port. It needs no quorum, even on a member that was restarted without one.
type Peer struct {
	ClusterID facts.ID
	Version   string
	Members   []facts.ClusterMember
}

// peerMember is an entry of GET /members on a peer port: decimal IDs, and no name for a member that was never started.
type peerMember struct {
	ID         uint64   `json:"id"`
	Name       string   `json:"name"`
	PeerURLs   []string `json:"peerURLs"`
	ClientURLs []string `json:"clientURLs"`
}

// AskPeer asks one peer port for its cluster ID, version and member list.
func AskPeer(ctx context.Context, peerURL string, cfg Config) (Peer, error) {
	w, err := newWeb(peerURL, cfg)
	if err != nil {
		return Peer{}, err
	}
	defer w.close()
	version, err := w.serverVersion(ctx)
	if err != nil {
		return Peer{}, err
	}
	out, err := settled(ctx, w)
	out.Version = version
	return out, err
}

// settled asks until two answers in a row are the same: a member that has just started replays its log, and its list grows from empty meanwhile.
func settled(ctx context.Context, w *web) (Peer, error) {
	var last Peer
	for begin := time.Now(); time.Since(begin) < settleLimit; time.Sleep(settlePause) {
		now, err := askMembers(ctx, w)
		if err != nil {
			return Peer{}, err
		}
		if len(now.Members) > 0 && reflect.DeepEqual(now, last) {
			return now, nil
		}
		last = now
	}
	if len(last.Members) == 0 {
		return Peer{}, fault.New(fault.Timeout, "%s: lists no member: it is still starting", w.base)
	}
	return last, nil
}

const (
	settleLimit = 2 * time.Second
	settlePause = 50 * time.Millisecond
)

func askMembers(ctx context.Context, w *web) (Peer, error) {
	var list []peerMember
	header, err := w.getJSON(ctx, "/members", &list)
	if err != nil {
		return Peer{}, err
	}
	if len(list) > mostMembers {
		return Peer{}, tooMany(w.base)
	}
	out := Peer{ClusterID: clusterOf(header)}
	for _, m := range list {
		out.Members = append(out.Members, facts.ClusterMember{ID: facts.ID(m.ID), Name: m.Name, PeerURLs: m.PeerURLs, ClientURLs: m.ClientURLs})
	}
	SortMembers(out.Members)
	return out, nil
}

// clusterOf is the cluster's ID in an answer's header; 0 where there is none, so that the server is not etcd.
func clusterOf(header http.Header) facts.ID {
	id, err := facts.ParseID(header.Get("X-Etcd-Cluster-Id"))
	if err != nil {
		return 0
	}
	return id
}

// SeesPeers asks all peer ports at the same time. The ID is that of the member which the answering server lists under this URL.
func SeesPeers(ctx context.Context, urls []string, cfg Config) map[string]facts.Seen {
	out := map[string]facts.Seen{}
	var lock sync.Mutex
	var all guard.Group
	for _, url := range urls {
		all.Go(func() {
			seen := seePeer(ctx, url, cfg)
			lock.Lock()
			defer lock.Unlock()
			out[url] = seen
		})
	}
	all.Wait()
	return out
}

func seePeer(ctx context.Context, url string, cfg Config) facts.Seen {
	p, err := AskPeer(ctx, url, cfg)
	if err != nil {
		return facts.Seen{Error: err.Error()}
	}
	seen := facts.Seen{ClusterID: p.ClusterID, Members: len(p.Members)}
	if i := slices.IndexFunc(p.Members, func(m facts.ClusterMember) bool { return facts.HasURL(m.PeerURLs, url) }); i >= 0 {
		seen.ID = p.Members[i].ID
	}
	return seen
}

// InitialCluster is ETCD_INITIAL_CLUSTER for the given members. A member that was never started has no name yet; its ID stands in, since
// etcd compares the URLs and wants any name before the "=".
func InitialCluster(members []facts.ClusterMember) string {
	var list []facts.Listed
	for _, m := range members {
		list = append(list, facts.ListedAs(cmp.Or(m.Name, m.ID.String()), m.PeerURLs)...)
	}
	return facts.JoinInitialCluster(list)
}
