package etcd

import (
	"context"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
)

// Peer is what a peer port says; it answers without quorum, also on a member that was restarted without.
type Peer struct {
	ClusterID string
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

// settled asks until two answers in a row are the same: a member that has just started reads its log again, and its list grows from
// nothing meanwhile.
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
	out := Peer{ClusterID: canonicalID(header.Get("X-Etcd-Cluster-Id"))}
	for _, m := range list {
		out.Members = append(out.Members, facts.ClusterMember{ID: FormatID(m.ID), Name: m.Name, PeerURLs: m.PeerURLs, ClientURLs: m.ClientURLs})
	}
	SortMembers(out.Members)
	return out, nil
}

// canonicalID drops leading zeros and capitals; something that is no ID becomes "".
func canonicalID(text string) string {
	id, err := strconv.ParseUint(text, 16, 64)
	if err != nil {
		return ""
	}
	return FormatID(id)
}

// SeesPeers asks all peer ports at the same time. The ID is that of the member which the answering one lists under this URL.
func SeesPeers(ctx context.Context, urls []string, cfg Config) map[string]facts.Seen {
	out := map[string]facts.Seen{}
	var lock sync.Mutex
	var all sync.WaitGroup
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
	if i := slices.IndexFunc(p.Members, func(m facts.ClusterMember) bool { return hasURL(m.PeerURLs, url) }); i >= 0 {
		seen.ID = p.Members[i].ID
	}
	return seen
}

func hasURL(urls []string, url string) bool {
	return slices.ContainsFunc(urls, func(each string) bool { return SameURL(each, url) })
}

// SameURL compares as etcd does, apart from letters' case and a final slash.
func SameURL(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "/"), strings.TrimSuffix(b, "/"))
}

// InitialCluster is ETCD_INITIAL_CLUSTER for the given members. A member that was never started has no name yet; its ID stands in, since
// etcd compares the URLs and wants any name before the "=".
func InitialCluster(members []facts.ClusterMember) string {
	var parts []string
	for _, m := range members {
		name := m.Name
		if name == "" {
			name = m.ID
		}
		for _, url := range m.PeerURLs {
			parts = append(parts, name+"="+url)
		}
	}
	return strings.Join(parts, ",")
}
