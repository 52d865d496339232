package member

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// hardState is raftpb.HardState.
type hardState struct{ Term, Vote, Commit uint64 }

func decodeHardState(raw []byte) (h hardState, err error) {
	err = fieldsOf(raw, func(num protowire.Number, v uint64, _ []byte) error {
		switch num {
		case 1:
			h.Term = v
		case 2:
			h.Vote = v
		case 3:
			h.Commit = v
		}
		return nil
	})
	return h, err
}

// encode writes all three scalars, also zeros, as etcd does (proto2 required fields).
func (h hardState) encode() []byte {
	var b []byte
	for i, v := range []uint64{h.Term, h.Vote, h.Commit} {
		b = protowire.AppendTag(b, protowire.Number(i+1), protowire.VarintType)
		b = protowire.AppendVarint(b, v)
	}
	return b
}

// Types of raft entries.
const (
	entryNormal       = 0
	entryConfChange   = 1
	entryConfChangeV2 = 2
)

type entry struct {
	Type        int64
	Term, Index uint64
	Data        []byte
}

func decodeEntry(raw []byte) (e entry, err error) {
	err = fieldsOf(raw, func(num protowire.Number, v uint64, b []byte) error {
		switch num {
		case 1:
			e.Type = int64(v)
		case 2:
			e.Term = v
		case 3:
			e.Index = v
		case 4:
			e.Data = b
		}
		return nil
	})
	return e, err
}

// two reads a message whose fields 1 and 2 are numbers: metadata (node ID, cluster ID) and log snapshots (index, term).
func two(raw []byte) (first, second uint64, err error) {
	err = fieldsOf(raw, func(num protowire.Number, v uint64, _ []byte) error {
		switch num {
		case 1:
			first = v
		case 2:
			second = v
		}
		return nil
	})
	return first, second, err
}

// ConfChange is a membership change in the log. Type is add, remove, update, learner or unknown.
type ConfChange struct {
	Index    uint64
	Type     string
	MemberID uint64
	Name     string
	PeerURLs []string
}

var confChangeTypes = map[uint64]string{0: "add", 1: "remove", 2: "update", 3: "learner"}

func decodeConfChange(e entry) (ConfChange, error) {
	c := ConfChange{Index: e.Index, Type: "unknown"}
	if e.Type != entryConfChange {
		return c, nil
	}
	var kind uint64
	var context []byte
	err := fieldsOf(e.Data, func(num protowire.Number, v uint64, b []byte) error {
		switch num {
		case 2:
			kind = v
		case 3:
			c.MemberID = v
		case 4:
			context = b
		}
		return nil
	})
	if name, ok := confChangeTypes[kind]; ok {
		c.Type = name
	}
	if err != nil || len(context) == 0 {
		return c, err
	}
	var m struct {
		Name      string   `json:"name"`
		PeerURLs  []string `json:"peerURLs"`
		IsLearner bool     `json:"isLearner"`
	}
	if err := json.Unmarshal(context, &m); err != nil {
		return c, fmt.Errorf("membership change at index %d: %w", e.Index, err)
	}
	c.Name, c.PeerURLs = m.Name, m.PeerURLs
	if m.IsLearner {
		c.Type = "learner"
	}
	return c, nil
}

// v2Request is the part of etcdserverpb.Request that tells v2 user keys and published names. Its bytes are the entry's own.
type v2Request struct{ Method, Path, Val []byte }

var v2Methods = map[string]bool{"PUT": true, "POST": true, "DELETE": true, "GET": true, "QGET": true, "SYNC": true}

// decodeV2Request is false for a v3 request. Both are bare messages in entry.Data: a v2 request has its method in field 2 and its
// path in field 3; in a v3 request (InternalRaftRequest) these fields hold messages.
func decodeV2Request(raw []byte) (v2Request, bool) {
	var r v2Request
	err := fieldsOf(raw, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case 2:
			r.Method = b
		case 3:
			r.Path = b
		case 4:
			r.Val = b
		}
		return nil
	})
	return r, err == nil && v2Methods[string(r.Method)] && len(r.Path) > 0 && r.Path[0] == '/'
}

// published reads a member's own announcement: PUT /0/members/<id>/attributes {"name": …, "clientURLs": …}.
func (r v2Request) published() (id uint64, a attributes, ok bool) {
	parts := strings.Split(string(r.Path), "/")
	if string(r.Method) != "PUT" || len(parts) != 5 || parts[1] != "0" || parts[2] != "members" || parts[4] != "attributes" {
		return 0, a, false
	}
	id, err := strconv.ParseUint(parts[3], 16, 64)
	if err != nil || json.Unmarshal(r.Val, &a) != nil {
		return 0, a, false
	}
	return id, a, true
}

// attributes is what a member publishes of itself.
type attributes struct {
	Name       string   `json:"name"`
	ClientURLs []string `json:"clientURLs"`
}
