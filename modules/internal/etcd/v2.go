package etcd

import (
	"context"
	"encoding/json"
	"net/http"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
)

type v2Member struct {
	ID         facts.ID `json:"id"`
	Name       string   `json:"name"`
	PeerURLs   []string `json:"peerURLs"`
	ClientURLs []string `json:"clientURLs"`
}

func (m v2Member) fact() facts.ClusterMember {
	return facts.ClusterMember{ID: m.ID, Name: m.Name, PeerURLs: m.PeerURLs, ClientURLs: m.ClientURLs}
}

// V2 speaks the v2 API of one client port; it needs no gRPC.
type V2 struct {
	ClusterID facts.ID // known after Members
	web       *web
}

// DialV2 checks that the port answers.
func DialV2(ctx context.Context, endpoint string, cfg Config) (*V2, error) {
	w, err := newWeb(endpoint, cfg)
	if err != nil {
		return nil, err
	}
	if _, err := w.serverVersion(ctx); err != nil {
		w.close()
		return nil, err
	}
	return &V2{web: w}, nil
}

// Close ends the connection.
func (v *V2) Close() { v.web.close() }

// V2 is the v2 side of the same endpoint; it is closed with c.
func (c *Client) V2() *V2 { return &V2{web: c.web} }

// Members works without quorum on a member that ran since before the loss.
func (v *V2) Members(ctx context.Context) ([]facts.ClusterMember, error) {
	var list struct {
		Members []v2Member `json:"members"`
	}
	header, err := v.web.getJSON(ctx, "/v2/members", &list)
	if err != nil {
		return nil, err
	}
	if len(list.Members) > mostMembers {
		return nil, tooMany(v.web.base)
	}
	v.ClusterID = clusterOf(header)
	out := []facts.ClusterMember{}
	for _, m := range list.Members {
		out = append(out, m.fact())
	}
	SortMembers(out)
	return out, nil
}

// Healthy is GET /health: true only where the member sees a leader that commits. 3.2 writes the word as a string, 3.3 too; later
// releases answer 503 with a reason.
func (v *V2) Healthy(ctx context.Context) (bool, error) {
	status, _, body, err := v.web.get(ctx, "/health", http.StatusServiceUnavailable)
	if err != nil {
		return false, err
	}
	var word struct {
		Health any `json:"health"`
	}
	if err := json.Unmarshal(body, &word); err != nil {
		return false, fault.New(fault.Unsupported, "%s/health answers with something that is not etcd's JSON", v.web.base)
	}
	return status == http.StatusOK && (word.Health == "true" || word.Health == true), nil
}

// Self is the member that answers, from GET /v2/stats/self.
type Self struct {
	ID     facts.ID
	Leader facts.ID
}

// Self asks which member this is. Without a leader the server omits it.
func (v *V2) Self(ctx context.Context) (Self, error) {
	var stats struct {
		ID     facts.ID `json:"id"`
		Leader struct {
			Leader facts.ID `json:"leader"`
		} `json:"leaderInfo"`
	}
	if _, err := v.web.getJSON(ctx, "/v2/stats/self", &stats); err != nil {
		return Self{}, err
	}
	return Self{ID: stats.ID, Leader: stats.Leader.Leader}, nil
}
