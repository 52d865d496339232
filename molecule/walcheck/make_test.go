package walcheck

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coreos/etcd/raft/raftpb"
	"github.com/coreos/etcd/snap"
	"github.com/coreos/etcd/wal"
	"github.com/coreos/etcd/wal/walpb"
)

const selfID = 0xA1

// maker writes a member's log with etcd's packages.
type maker struct {
	t   testing.TB
	dir string
	wal *wal.WAL
}

// newMember is a member with small segments: see TestMain.
func newMember(t testing.TB) *maker {
	t.Helper()
	m := &maker{t: t, dir: t.TempDir()}
	m.check(os.MkdirAll(filepath.Join(m.dir, "member", "snap"), 0o700))
	meta := append([]byte{0x08, 0xA1, 0x01, 0x10}, 0xEE, 0xFF, 0x83, 0x06) // etcdserverpb.Metadata {selfID, 0xC0FFEE}
	var err error
	m.wal, err = wal.Create(filepath.Join(m.dir, "member", "wal"), meta)
	m.check(err)
	return m
}

func (m *maker) check(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *maker) save(commit, term uint64, entries ...raftpb.Entry) *maker {
	m.t.Helper()
	m.check(m.wal.Save(raftpb.HardState{Term: term, Vote: selfID, Commit: commit}, entries))
	return m
}

// fill saves entries one by one, each committed at once.
func (m *maker) fill(term, from, to uint64) *maker {
	m.t.Helper()
	for i := from; i <= to; i++ {
		m.save(i-1, term, entry(term, i, fmt.Sprint("value ", i, strings.Repeat(".", int(i%90)))))
	}
	return m
}

func (m *maker) snapshot(index, term uint64) *maker {
	m.t.Helper()
	data := []byte(`{"Root":{"Path":"/","Children":{"0":{"Path":"/0","Children":{"members":{"Path":"/0/members","Children":{"a1":` +
		`{"Path":"/0/members/a1","Children":{"raftAttributes":{"Value":"{\"peerURLs\":[\"http://a:2380\"]}"}}}}}}}}}}`)
	m.check(m.wal.SaveSnapshot(walpb.Snapshot{Index: index, Term: term}))
	m.check(snap.New(filepath.Join(m.dir, "member", "snap")).SaveSnap(raftpb.Snapshot{
		Data: data, Metadata: raftpb.SnapshotMetadata{Index: index, Term: term, ConfState: raftpb.ConfState{Nodes: []uint64{selfID}}},
	}))
	return m
}

// done closes the log; the pipeline's next segment is a leftover that etcd ignores, as after a power cut.
func (m *maker) done() string {
	m.t.Helper()
	m.check(m.wal.Close())
	return m.dir
}

func entry(term, index uint64, data string) raftpb.Entry {
	return raftpb.Entry{Term: term, Index: index, Data: []byte(data)}
}

func join(term, index, id uint64) raftpb.Entry {
	context, _ := json.Marshal(map[string]any{"id": id, "peerURLs": []string{"http://a:2380"}})
	data, _ := (&raftpb.ConfChange{Type: raftpb.ConfChangeAddNode, NodeID: id, Context: context}).Marshal()
	return raftpb.Entry{Type: raftpb.EntryConfChange, Term: term, Index: index, Data: data}
}

// kinds are logs in every form that etcd writes.
var kinds = map[string]func(t testing.TB) string{
	"short": func(t testing.TB) string {
		return newMember(t).save(1, 1, join(1, 1, selfID)).fill(1, 2, 20).save(20, 1, entry(1, 21, "tail"), entry(1, 22, "tail")).done()
	},
	"several segments": func(t testing.TB) string { return newMember(t).save(1, 1, join(1, 1, selfID)).fill(1, 2, 600).done() },
	"snapshot and several segments": func(t testing.TB) string {
		return newMember(t).save(1, 1, join(1, 1, selfID)).fill(1, 2, 400).snapshot(380, 1).fill(2, 401, 600).snapshot(520, 2).fill(2, 601, 640).done()
	},
	"overwritten": func(t testing.TB) string {
		m := newMember(t).save(1, 1, join(1, 1, selfID)).fill(1, 2, 50)
		m.save(50, 1, entry(1, 51, "a"), entry(1, 52, "b"), entry(1, 53, "c"))
		m.save(50, 3, entry(3, 52, "B"))
		return m.fill(3, 53, 60).done()
	},
	"large records": func(t testing.TB) string {
		m := newMember(t).save(1, 1, join(1, 1, selfID))
		for i := uint64(2); i < 12; i++ {
			m.save(i-1, 1, entry(1, i, strings.Repeat("large", 700)))
		}
		return m.done()
	},
	"empty": func(t testing.TB) string { return newMember(t).done() },
}
