package member

import (
	"encoding/json"
	"fmt"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
)

// v2Request is the part of etcdserverpb.Request that shows v2 user keys and published names. Its bytes are those of the entry.
type v2Request struct {
	Method, Path, Val []byte
	Dir, Recursive    uint64
}

var v2Methods = map[string]bool{"PUT": true, "POST": true, "DELETE": true, "GET": true, "QGET": true, "SYNC": true}

// decodeV2Request is false for a v3 request. Both are bare messages in entry.Data: a v2 request has its method in field 2 and its
// path in field 3; in a v3 request (InternalRaftRequest) these fields hold messages.
func decodeV2Request(raw []byte) (v2Request, bool) {
	var r v2Request
	_, err := message(raw, nil, &r.Method, &r.Path, &r.Val, &r.Dir, nil, nil, nil, nil, nil, nil, &r.Recursive)
	return r, err == nil && v2Methods[string(r.Method)] && len(r.Path) > 0 && r.Path[0] == '/'
}

// attributes is what a member publishes about itself.
type attributes struct {
	Name       string   `json:"name"`
	ClientURLs []string `json:"clientURLs"`
}

type published struct {
	index uint64
	id    facts.ID
	attributes
}

// published reads a member's own announcement: PUT /0/members/<id>/attributes {"name": …, "clientURLs": …}.
func (r v2Request) published() (p published, ok bool) {
	parts := strings.Split(string(r.Path), "/")
	if string(r.Method) != "PUT" || len(parts) != 5 || parts[1] != "0" || parts[2] != "members" || parts[4] != "attributes" {
		return p, false
	}
	id, err := facts.ParseID(parts[3])
	if err != nil || json.Unmarshal(r.Val, &p.attributes) != nil {
		return p, false
	}
	p.id = id
	return p, true
}

func (w *walker) request(e entry) {
	r, ok := decodeV2Request(e.Data)
	if !ok {
		return
	}
	if p, ok := r.published(); ok {
		p.index = e.Index
		w.names = append(w.names, p)
		return
	}
	w.v2.apply(r, e.Index)
}

// v2Keys are the paths of the v2 store's user keys. The number is an estimate: expired keys, and conditional writes that failed, are not known.
// Memory is bounded; beyond that the number is a lower bound.
type v2Keys struct {
	paths map[string]struct{}
	bytes int
}

const maxV2Bytes = 16 << 20

func (k *v2Keys) apply(r v2Request, index uint64) {
	path := string(r.Path)
	if !strings.HasPrefix(path, "/1/") {
		return
	}
	switch string(r.Method) {
	case "PUT":
		if r.Dir == 0 {
			k.add(path)
		}
	case "POST":
		k.add(fmt.Sprintf("%s/%020d", path, index)) // the store names it by its own index; only the count matters
	case "DELETE":
		k.remove(path)
		if r.Dir != 0 || r.Recursive != 0 {
			k.removeBelow(path + "/")
		}
	}
}

func (k *v2Keys) add(path string) {
	if _, ok := k.paths[path]; ok || k.bytes+len(path) > maxV2Bytes {
		return
	}
	if k.paths == nil {
		k.paths = map[string]struct{}{}
	}
	k.paths[path] = struct{}{}
	k.bytes += len(path)
}

func (k *v2Keys) remove(path string) {
	if _, ok := k.paths[path]; ok {
		delete(k.paths, path)
		k.bytes -= len(path)
	}
}

func (k *v2Keys) removeBelow(prefix string) {
	for p := range k.paths {
		if strings.HasPrefix(p, prefix) {
			k.remove(p)
		}
	}
}
