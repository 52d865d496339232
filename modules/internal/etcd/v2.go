package etcd

import (
	"context"
	"encoding/json"
	"io"
	"net/http"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
)

type v2Member struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	PeerURLs   []string `json:"peerURLs"`
	ClientURLs []string `json:"clientURLs"`
}

func (m v2Member) fact() facts.ClusterMember {
	return facts.ClusterMember{ID: canonicalID(m.ID), Name: m.Name, PeerURLs: m.PeerURLs, ClientURLs: m.ClientURLs}
}

// V2 speaks the v2 API of one client port; it needs no gRPC.
type V2 struct {
	ClusterID string // known after Members
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
	v.ClusterID = canonicalID(header.Get("X-Etcd-Cluster-Id"))
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

// Self is who answers, as GET /v2/stats/self tells.
type Self struct {
	ID     string
	Leader string
}

// Self asks which member this is. Without a leader the server omits it.
func (v *V2) Self(ctx context.Context) (Self, error) {
	var stats struct {
		ID     string `json:"id"`
		Leader struct {
			Leader string `json:"leader"`
		} `json:"leaderInfo"`
	}
	if _, err := v.web.getJSON(ctx, "/v2/stats/self", &stats); err != nil {
		return Self{}, err
	}
	return Self{ID: canonicalID(stats.ID), Leader: canonicalID(stats.Leader.Leader)}, nil
}

// UserKeys counts the keys of the v2 store as this member has it, without keeping any value. present is false where the server has
// no v2 API (its default from 3.4 on).
func (v *V2) UserKeys(ctx context.Context) (keys int64, present bool, err error) {
	r, err := v.web.ask(ctx, v.web.call, http.MethodGet, "/v2/keys/?recursive=true", nil)
	if err != nil {
		return 0, false, err
	}
	defer r.done()
	if r.status == http.StatusNotFound {
		return 0, false, nil
	}
	if r.status != http.StatusOK {
		return 0, false, fault.New(fault.Unsupported, "%s/v2/keys answers with HTTP status %d", v.web.base, r.status)
	}
	keys, err = countLeaves(r.body)
	if err != nil {
		return 0, false, fault.New(fault.Unreachable, "%s: the list of v2 keys broke off", v.web.base)
	}
	return keys, true, nil
}

// CountV2Keys is UserKeys on a connection of both APIs.
func (c *Client) CountV2Keys(ctx context.Context) (keys int64, present bool, err error) {
	return c.V2().UserKeys(ctx)
}

// countLeaves counts the nodes that are no directories. It reads tokens, so that memory stays small whatever the store holds; a node's
// value is the one place where arbitrary text stands, and a string token cannot be taken for a name of a field.
func countLeaves(body io.Reader) (int64, error) {
	d := json.NewDecoder(body)
	var leaves int64
	if err := countNode(d, &leaves, 0); err != nil {
		return 0, err
	}
	return leaves, nil
}

const deepest = 1000 // directories in directories; a store deeper than this is not etcd's answer

// countNode reads one object: the answer itself ("node": {…}), or a node ("key", "value", "dir", "nodes": […]).
func countNode(d *json.Decoder, leaves *int64, depth int) error {
	if depth > deepest {
		return fault.New(fault.Unsupported, "nested too deeply")
	}
	if err := expect(d, '{'); err != nil {
		return err
	}
	hasKey, isDir := false, false
	for d.More() {
		field, err := d.Token()
		if err != nil {
			return err
		}
		switch field {
		case "node":
			err = countNode(d, leaves, depth+1)
		case "nodes":
			err = countNodes(d, leaves, depth+1)
		case "dir":
			err = d.Decode(&isDir)
		default:
			hasKey = hasKey || field == "key"
			err = skip(d)
		}
		if err != nil {
			return err
		}
	}
	if hasKey && !isDir {
		*leaves++
	}
	return expect(d, '}')
}

func countNodes(d *json.Decoder, leaves *int64, depth int) error {
	if err := expect(d, '['); err != nil {
		return err
	}
	for d.More() {
		if err := countNode(d, leaves, depth); err != nil {
			return err
		}
	}
	return expect(d, ']')
}

func expect(d *json.Decoder, want json.Delim) error {
	got, err := d.Token()
	if err != nil {
		return err
	}
	if got != want {
		return fault.New(fault.Unsupported, "unexpected JSON")
	}
	return nil
}

func skip(d *json.Decoder) error {
	var ignored json.RawMessage
	return d.Decode(&ignored)
}
