package member

import (
	"encoding/json"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// hardState is raftpb.HardState.
type hardState struct{ Term, Vote, Commit uint64 }

func decodeHardState(raw []byte) (h hardState, err error) {
	err = exactly(raw, 0b1110, 0, &h.Term, &h.Vote, &h.Commit)
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

// entry is raftpb.Entry {1: type, 2: term, 3: index, 4: data}; data is left out where there is none, and, by etcd 3.7, a type of 0.
type entry struct {
	Type, Term, Index uint64
	Data              []byte
}

func decodeEntry(raw []byte) (e entry, err error) {
	err = exactly(raw, 0b1100, 0b10010, &e.Type, &e.Term, &e.Index, &e.Data)
	if err == nil && e.Type > entryConfChangeV2 {
		err = fmt.Errorf("it has the unknown type %d", e.Type)
	}
	return e, err
}

// decodeIdentity: etcdserverpb.Metadata {1: node ID, 2: cluster ID}.
func decodeIdentity(raw []byte) (id, cluster uint64, err error) {
	err = exactly(raw, 0b110, 0, &id, &cluster)
	return id, cluster, err
}

// decodeSnapshotMark: walpb.Snapshot {1: index, 2: term}; later versions add the membership as field 3.
func decodeSnapshotMark(raw []byte) (index, term uint64, err error) {
	_, err = message(raw, &index, &term)
	return index, term, err
}

// Kinds of membership changes.
const (
	ChangeAdd     = "add"
	ChangeRemove  = "remove"
	ChangeUpdate  = "update"
	ChangeLearner = "learner" // etcd 3.4 and later; 3.2 does not start on it
	ChangeUnknown = "unknown"
)

// ConfChange is a membership change in the log.
type ConfChange struct {
	Index    uint64
	Type     string
	MemberID uint64
	Name     string
	PeerURLs []string
}

var confChangeTypes = []string{ChangeAdd, ChangeRemove, ChangeUpdate, ChangeLearner}

// decodeConfChange: raftpb.ConfChange {1: ID, 2: type, 3: node ID, 4: context}, the context being a member as JSON.
func decodeConfChange(e entry) (ConfChange, error) {
	c := ConfChange{Index: e.Index, Type: ChangeUnknown}
	if e.Type != entryConfChange {
		return c, nil
	}
	var kind uint64
	var context []byte
	_, err := message(e.Data, nil, &kind, &c.MemberID, &context)
	if kind < uint64(len(confChangeTypes)) {
		c.Type = confChangeTypes[kind]
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
		return c, fmt.Errorf("its member is not JSON: %w", err)
	}
	c.Name, c.PeerURLs = m.Name, slices.Clip(m.PeerURLs)
	if m.IsLearner {
		c.Type = ChangeLearner
	}
	return c, nil
}
