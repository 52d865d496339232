package member

import (
	"encoding/json"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"etcd-quorum-restore/modules/internal/facts"
)

// hardState is raftpb.HardState.
type hardState struct {
	Term   uint64
	Vote   facts.ID
	Commit uint64
}

func decodeHardState(raw []byte) (h hardState, err error) {
	err = exactly(raw, 0b1110, 0, &h.Term, (*uint64)(&h.Vote), &h.Commit)
	return h, err
}

func (h hardState) encode() []byte { return encodeFields(h.Term, uint64(h.Vote), h.Commit) }

// decodeVoters decodes raftpb.ConfState {1: nodes}, one number each. Learners, which etcd 3.4 adds as field 2, are in its store as well.
func decodeVoters(raw []byte) (ids []facts.ID, err error) {
	for len(raw) > 0 {
		num, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		raw = raw[n:]
		if num == 1 && kind == protowire.VarintType {
			var id uint64
			id, n = protowire.ConsumeVarint(raw)
			ids = append(ids, facts.ID(id))
		} else {
			n = protowire.ConsumeFieldValue(num, kind, raw)
		}
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		raw = raw[n:]
	}
	return ids, nil
}

// Types of raft entries.
const (
	entryNormal       = 0
	entryConfChange   = 1
	entryConfChangeV2 = 2
)

// entry is raftpb.Entry {1: type, 2: term, 3: index, 4: data}. Empty data is left out, and, by etcd 3.7, a type of 0.
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

// decodeIdentity decodes etcdserverpb.Metadata {1: node ID, 2: cluster ID}.
func decodeIdentity(raw []byte) (id, cluster facts.ID, err error) {
	err = exactly(raw, 0b110, 0, (*uint64)(&id), (*uint64)(&cluster))
	return id, cluster, err
}

// decodeSnapshotMark decodes walpb.Snapshot {1: index, 2: term}; later versions add the membership as field 3.
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
	MemberID facts.ID
	Name     string
	PeerURLs []string
	// Forced: a forced start made it, by flag or by ForceNewCluster. A `member remove` has a request's ID there, never 0.
	Forced bool
}

var confChangeTypes = []string{ChangeAdd, ChangeRemove, ChangeUpdate, ChangeLearner}

// decodeConfChange decodes raftpb.ConfChange {1: ID, 2: type, 3: node ID, 4: context}; the context is a member as JSON.
func decodeConfChange(e entry) (ConfChange, error) {
	c := ConfChange{Index: e.Index, Type: ChangeUnknown}
	if e.Type != entryConfChange {
		return c, nil
	}
	var request, kind uint64
	var context []byte
	_, err := message(e.Data, &request, &kind, (*uint64)(&c.MemberID), &context)
	if kind < uint64(len(confChangeTypes)) {
		c.Type = confChangeTypes[kind]
	}
	c.Forced = c.Type == ChangeRemove && request == 0
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
