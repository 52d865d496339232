package walcheck

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/coreos/etcd/raft/raftpb"
	"github.com/coreos/etcd/snap"
	"github.com/coreos/etcd/wal"
	"github.com/coreos/etcd/wal/walpb"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/member"
)

// withTail are members that KeepTail changes: with a plain tail, with torn ones, and with several segments.
func withTail(t testing.TB) map[string]string {
	tail := func() *maker {
		return newMember(t).save(1, 1, join(1, 1, selfID)).fill(1, 2, 20).save(20, 2, entry(2, 21, "tail"), entry(2, 22, "tail"))
	}
	out := map[string]string{
		"tail":       tail().done(),
		"after cut":  newMember(t).save(1, 1, join(1, 1, selfID)).fill(1, 2, 300).snapshot(250, 1).fill(1, 301, 330).save(330, 2, entry(2, 331, "x")).done(),
		"large tail": newMember(t).save(1, 1, join(1, 1, selfID)).fill(1, 2, 20).save(19, 2, entry(2, 21, string(make([]byte, 9000)))).done(),
	}
	torn := tail()
	torn.save(20, 2, entry(2, 23, string(bytes.Repeat([]byte("torn"), 1500))))
	out["torn"] = torn.done()
	path := lastSegment(t, out["torn"])
	content, _ := os.ReadFile(path)
	content = bytes.TrimRight(content, "\x00")
	from := (len(content) - 3000) &^ 511
	content = append(content[:from], make([]byte, 8192)...)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	cut := tail().done()
	path = lastSegment(t, cut)
	content, _ = os.ReadFile(path)
	if err := os.Truncate(path, int64(len(bytes.TrimRight(content, "\x00"))-17)); err != nil {
		t.Fatal(err)
	}
	out["cut"] = cut
	for _, dir := range out {
		withDatabase(t, dir)
	}
	return out
}

// TestSameRecordAsEtcd: KeepTail's log equals byte for byte the one that etcd's own package writes.
func TestSameRecordAsEtcd(t *testing.T) {
	for name, dir := range withTail(t) {
		t.Run(name, func(t *testing.T) {
			byEtcd := copyOf(t, dir)
			if _, err := member.KeepTail(t.Context(), dir, ""); err != nil {
				t.Fatal(err)
			}
			saveByEtcd(t, byEtcd)
			ours, theirs := used(t, dir), used(t, byEtcd)
			if !bytes.Equal(ours, theirs) {
				t.Errorf("%d bytes by us, %d by etcd", len(ours), len(theirs))
			}
			check(t, dir)
		})
	}
}

// saveByEtcd commits everything in the log, and then the removal of these members.
func saveByEtcd(t testing.TB, dir string, removed ...facts.ID) {
	t.Helper()
	o, err := officialInPlace(dir) // repairs a torn tail
	if err != nil {
		t.Fatal(err)
	}
	w, err := wal.Open(filepath.Join(dir, "member", "wal"), walpb.Snapshot{Index: o.SnapIndex, Term: o.SnapTerm})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, _, _, err := w.ReadAll(); err != nil {
		t.Fatal(err)
	}
	last := o.Entries[len(o.Entries)-1]
	h := raftpb.HardState{Term: o.State.Term, Vote: o.State.Vote, Commit: last.Index + uint64(len(removed))}
	if last.Term > h.Term {
		h.Term, h.Vote = last.Term, 0
	}
	var entries []raftpb.Entry
	for i, id := range removed {
		data, err := (&raftpb.ConfChange{Type: raftpb.ConfChangeRemoveNode, NodeID: uint64(id)}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, raftpb.Entry{Type: raftpb.EntryConfChange, Term: h.Term, Index: last.Index + 1 + uint64(i), Data: data})
	}
	if err := w.Save(h, entries); err != nil {
		t.Fatal(err)
	}
}

// used is the last segment without the zeros behind its records.
func used(t testing.TB, dir string) []byte {
	t.Helper()
	content, err := os.ReadFile(lastSegment(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimRight(content, "\x00")
}

var errKilled = errors.New("killed")

// killer makes n calls, and part of the next one.
type killer struct {
	member.Target
	n    int
	part func(t member.Target, b []byte, at int64)
}

func (k *killer) WriteAt(b []byte, at int64) (int, error) {
	if k.n--; k.n >= 0 {
		return k.Target.WriteAt(b, at)
	}
	if k.n == -1 {
		k.part(k.Target, b, at)
	}
	return 0, errKilled
}

func (k *killer) Sync() error {
	if k.n--; k.n >= 0 {
		return k.Target.Sync()
	}
	return errKilled
}

func (k *killer) Truncate(size int64) error {
	if k.n--; k.n >= 0 {
		return k.Target.Truncate(size)
	}
	return errKilled
}

// parts of a write that can be on the disk; a word of 8 bytes is there or not.
var parts = map[string]func(w member.Target, b []byte, at int64){
	"none":        func(member.Target, []byte, int64) {},
	"first words": func(w member.Target, b []byte, at int64) { w.WriteAt(b[:len(b)/2&^7], at) },
	"last words":  func(w member.Target, b []byte, at int64) { n := len(b) / 2 &^ 7; w.WriteAt(b[n:], at+int64(n)) },
}

// TestKilledIsAccepted: KeepTail ends at each of its steps; etcd's own reader accepts the result, with every entry, and the next run finishes.
func TestKilledIsAccepted(t *testing.T) {
	for name, dir := range withTail(t) {
		before, err := official(t, dir)
		if err != nil {
			t.Fatal(name, ": ", err)
		}
		finished := copyOf(t, dir)
		if _, err := member.KeepTail(t.Context(), finished, ""); err != nil {
			t.Fatal(name, ": ", err)
		}
		for how, part := range parts {
			t.Run(name+"/"+how, func(t *testing.T) {
				for n := 0; ; n++ {
					killed := copyOf(t, dir)
					_, err := member.KeepTailThrough(t.Context(), killed, "", func(f *os.File) member.Target { return &killer{f, n, part} })
					if err == nil {
						return
					}
					if !errors.Is(err, errKilled) {
						t.Fatal(err)
					}
					o, err := official(t, killed)
					if err != nil || len(o.Entries) != len(before.Entries) {
						t.Fatalf("killed at step %d: etcd reads %d entries of %d: %v", n, len(o.Entries), len(before.Entries), err)
					}
					if _, err := member.KeepTail(t.Context(), killed, ""); err != nil {
						t.Fatalf("killed at step %d: the next run: %v", n, err)
					}
					if !bytes.Equal(used(t, killed), used(t, finished)) {
						t.Fatalf("killed at step %d: the next run gives another log", n)
					}
					check(t, killed)
				}
			})
		}
	}
}

// TestEtcdsLock: a log that etcd's package holds open is not written to.
func TestEtcdsLock(t *testing.T) {
	dir := newMember(t).save(1, 1, join(1, 1, selfID)).fill(1, 2, 20).save(20, 2, entry(2, 21, "tail")).done()
	withDatabase(t, dir)
	w, err := wal.Open(filepath.Join(dir, "member", "wal"), walpb.Snapshot{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := member.KeepTail(t.Context(), dir, ""); err == nil {
		t.Error("KeepTail wrote to a log that is in use")
	}
	w.Close()
	if _, err := member.KeepTail(t.Context(), dir, ""); err != nil {
		t.Error(err)
	}
}

// TestBrokenSnapshot: like etcd, the project's reader takes the next older one; the log still holds the rest.
func TestBrokenSnapshot(t *testing.T) {
	m := newMember(t).save(1, 1, join(1, 1, selfID)).fill(1, 2, 100).snapshot(50, 1).fill(1, 101, 200).snapshot(150, 1).fill(1, 201, 210)
	dir := m.done()
	withDatabase(t, dir)
	all, err := filepath.Glob(filepath.Join(dir, "member", "snap", "*.snap"))
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	if err := os.Truncate(all[1], 20); err != nil {
		t.Fatal(err)
	}
	if _, err := snap.Read(all[1]); err == nil {
		t.Fatal("etcd takes the broken one")
	}
	s, _ := check(t, dir)
	if len(s.Damage) > 0 && s.Damage[0].Code != "missing_segment" || len(s.BrokenSnapshots) != 1 {
		t.Errorf("%+v %+v", s.Damage, s.BrokenSnapshots)
	}
}
