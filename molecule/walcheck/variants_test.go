package walcheck

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coreos/etcd/raft/raftpb"
	"github.com/coreos/etcd/wal"
	"github.com/coreos/etcd/wal/walpb"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/membertest"
)

// aMember is the directory of a real member's data, alone and killed, with some keys; it is made once, and removed by TestMain.
var aMember = sync.OnceValues(func() (dir string, err error) { return os.MkdirTemp("", "walcheck-*") })

func realMember(t *testing.T) string {
	t.Helper()
	dir, err := aMember()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "member")); err != nil {
		peer := freeURL(t)
		s := launch(t, dir, "m0", peer, "m0="+peer)
		s.serves()
		for i := range 20 {
			if err := s.put(i, "before"); err != nil {
				t.Fatal(err)
			}
		}
		s.kill()
	}
	return copyOf(t, dir)
}

// history continues a member's log, by etcd's own package.
type history struct {
	t     *testing.T
	wal   *wal.WAL
	self  uint64
	state raftpb.HardState
	last  raftpb.Entry
}

func openHistory(t *testing.T, dir string) *history {
	t.Helper()
	o, err := officialInPlace(dir)
	if err != nil {
		t.Fatal(err)
	}
	h := &history{t: t, self: o.ID, state: o.State, last: o.Entries[len(o.Entries)-1]}
	if h.wal, err = wal.Open(filepath.Join(dir, "member", "wal"), walpb.Snapshot{Index: o.SnapIndex, Term: o.SnapTerm}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.wal.Close() })
	if _, _, _, err := h.wal.ReadAll(); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *history) save(kind raftpb.EntryType, data []byte) *history {
	h.t.Helper()
	h.last = raftpb.Entry{Type: kind, Term: h.last.Term, Index: h.last.Index + 1, Data: data}
	if err := h.wal.Save(h.state, []raftpb.Entry{h.last}); err != nil {
		h.t.Fatal(err)
	}
	return h
}

func (h *history) change(kind raftpb.ConfChangeType, id uint64, url string) *history {
	h.t.Helper()
	c := raftpb.ConfChange{ID: 7, Type: kind, NodeID: id}
	if url != "" {
		c.Context, _ = json.Marshal(map[string]any{"id": id, "peerURLs": []string{url}})
	}
	data, err := c.Marshal()
	if err != nil {
		h.t.Fatal(err)
	}
	return h.save(raftpb.EntryConfChange, data)
}

func (h *history) add(ids ...uint64) *history {
	for _, id := range ids {
		h.change(raftpb.ConfChangeAddNode, id, fmt.Sprint("http://127.0.0.1:", 1+id%1000))
	}
	return h
}

func (h *history) remove(ids ...uint64) *history {
	for _, id := range ids {
		h.change(raftpb.ConfChangeRemoveNode, id, "")
	}
	return h
}

func (h *history) update(id uint64, url string) *history {
	return h.change(raftpb.ConfChangeUpdateNode, id, url)
}

// put is a write of the v3 API, as an entry holds it.
func (h *history) put(key, value string) *history {
	request := membertest.BytesField(membertest.BytesField(nil, 1, []byte(key)), 2, []byte(value))
	return h.save(raftpb.EntryNormal, membertest.BytesField(membertest.Number(nil, 1, 1<<20+h.last.Index), 4, request))
}

// committed commits all entries so far; what follows is the tail.
func (h *history) committed() *history {
	h.t.Helper()
	h.state.Commit = h.last.Index
	if err := h.wal.Save(h.state, nil); err != nil {
		h.t.Fatal(err)
	}
	return h
}

const lowID, highID = 0x42, 0xFFFFFFFFFFFFFF00 // unsigned, and as numbers: as text, 42 would come behind 3919f922ce28054c

// variants are members among others; the tail holds the uncommitted entries.
var variants = map[string]struct {
	history func(h *history)
	removed int // members that the forced start removes
}{
	"one other":                    {func(h *history) { h.add(highID).committed().put("tail", "x") }, 1},
	"five others":                  {func(h *history) { h.add(highID, 9, 11, lowID, 10).committed().put("tail", "x") }, 5},
	"a member added":               {func(h *history) { h.add(highID, 9).committed().put("a", "x").add(lowID).put("b", "x") }, 3},
	"a member added and removed":   {func(h *history) { h.add(highID, 9).committed().add(lowID).remove(lowID).put("b", "x") }, 2},
	"another member removed":       {func(h *history) { h.add(highID, lowID).committed().remove(highID).put("b", "x") }, 1},
	"both others removed":          {func(h *history) { h.add(highID, lowID).committed().remove(highID, lowID).put("b", "x") }, 0},
	"another's URL updated":        {func(h *history) { h.add(highID, lowID).committed().update(lowID, "http://127.0.0.1:5") }, 2},
	"its own URL updated":          {func(h *history) { h.add(highID, lowID).committed().update(h.self, "http://127.0.0.1:6") }, 2},
	"all that, and a KeepTail":     {func(h *history) { h.add(highID, 9).committed().add(lowID).remove(9).put("b", "x") }, 2},
	"removed long before, by raft": {func(h *history) { h.add(highID, lowID).remove(highID).committed().put("b", "x") }, 1},
}

// TestVariantsByLogAsByFlag: etcd's forced start by the flag, with the tail kept, gives the same as a start on ForceNewCluster's log.
func TestVariantsByLogAsByFlag(t *testing.T) {
	for name, v := range variants {
		dir := realMember(t)
		h := openHistory(t, dir)
		v.history(h)
		if err := h.wal.Close(); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "KeepTail") { // left by a run that was killed
			if _, err := member.KeepTail(t.Context(), dir, ""); err != nil {
				t.Fatal(err)
			}
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			same(t, dir, v.removed)
		})
	}
}

func same(t *testing.T, dir string, removed int) {
	peer, url := freeURL(t), freeURL(t)
	flagged, logged := copyOf(t, dir), copyOf(t, dir)
	if _, err := member.KeepTail(t.Context(), flagged, ""); err != nil {
		t.Fatal(err)
	}
	n, err := member.ForceNewCluster(t.Context(), logged, "", true)
	if err != nil || len(n.Removed) != removed || !slices.IsSorted(n.Removed) {
		t.Fatal(n, err)
	}
	byFlag := lifeOf(t, 0, flagged, peer, url, "--force-new-cluster")
	byLog := lifeOf(t, 0, logged, peer, url)
	for _, part := range slices.Sorted(maps.Keys(byFlag)) {
		if byLog[part] != byFlag[part] {
			t.Errorf("%s differs:\nby the flag: %.2000s\nby the log:  %.2000s", part, byFlag[part], byLog[part])
		}
	}
	for _, id := range n.Removed {
		if !strings.Contains(byFlag["removed members"], id.String()) {
			t.Errorf("%s is not among the removed members: %s", id, byFlag["removed members"])
		}
	}
}

// TestAtASegmentsEnd: the log ends so near to its segment's end that the batch goes beyond it. The result still equals what etcd's package
// writes, which begins the next segment with what follows, and a plain etcd starts on it.
func TestAtASegmentsEnd(t *testing.T) {
	for _, left := range []int{136, 128, 88, 56, 48, 40, 8} {
		dir := endingBefore(t, left)
		t.Run(fmt.Sprint(left, " bytes left"), func(t *testing.T) {
			t.Parallel()
			byEtcd := copyOf(t, dir)
			name := filepath.Base(lastSegment(t, dir))
			n, err := member.ForceNewCluster(t.Context(), dir, "", true)
			if err != nil || len(n.Removed) != 2 || filepath.Base(lastSegment(t, dir)) != name {
				t.Fatal(n, err)
			}
			saveByEtcd(t, byEtcd, n.Removed...)
			theirs, err := os.ReadFile(filepath.Join(byEtcd, "member/wal", name))
			if err != nil || !bytes.Equal(used(t, dir), bytes.TrimRight(theirs, "\x00")) {
				t.Errorf("%d bytes by us, %d by etcd: %v", len(used(t, dir)), len(theirs), err)
			}
			check(t, dir)
			serveAlone(t, dir)
		})
	}
}

// endingBefore is a member whose log ends so many bytes before its segment does.
func endingBefore(t *testing.T, left int) string {
	t.Helper()
	pad, from := 1000, realMember(t) // one for all tries: its random IDs are of different length as varints
	for try := range 20 {
		dir := copyOf(t, from)
		h := openHistory(t, dir)
		h.add(highID, lowID).committed().put("long", strings.Repeat("x", int(wal.SegmentSizeBytes))).put("cuts", "x")
		h.put("pad", strings.Repeat(string(rune('a'+try)), pad)) // another sum each time: that is a varint, too
		if err := h.wal.Close(); err != nil {
			t.Fatal(err)
		}
		end := (len(used(t, dir)) + 7) &^ 7
		if end == int(wal.SegmentSizeBytes)-left {
			return dir
		}
		pad += int(wal.SegmentSizeBytes) - left - end
	}
	t.Fatal("no value is of the right length")
	return ""
}

// serveAlone checks that a plain etcd accepts these files and serves as the only member.
func serveAlone(t *testing.T, dir string) {
	t.Helper()
	peer := freeURL(t)
	s := launch(t, dir, "m0", peer, "m0="+peer)
	s.serves()
	s.stop()
	state, err := member.Read(t.Context(), dir, "")
	if err != nil || len(state.Damage) > 0 || len(state.Members) != 1 || state.Members[0].ID != state.ID {
		t.Errorf("%+v %v", state, err)
	}
}

// TestKilledForceIsStarted: killed at each of its steps, ForceNewCluster leaves a log on which a plain etcd either is a member of the old
// cluster, and waits for it, or is the single member, and serves. The next run makes it the single member.
func TestKilledForceIsStarted(t *testing.T) {
	dir := realMember(t)
	h := openHistory(t, dir)
	h.add(highID, lowID).committed().put("tail", "x")
	if err := h.wal.Close(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for how, part := range parts {
		for step := 0; ; step++ {
			killed := copyOf(t, dir)
			_, err := member.ForceNewClusterThrough(t.Context(), killed, "", true, func(f *os.File) member.Target { return &killer{f, step, part} })
			if err == nil {
				break
			}
			log, err := os.ReadFile(lastSegment(t, killed))
			if err != nil {
				t.Fatal(err)
			}
			if seen[string(log)] {
				continue
			}
			seen[string(log)] = true
			t.Run(fmt.Sprint(how, "/", step), func(t *testing.T) {
				t.Parallel()
				startedPlainly(t, killed)
			})
		}
	}
	if len(seen) < 3 {
		t.Errorf("%d different logs only", len(seen))
	}
}

func startedPlainly(t *testing.T, dir string) {
	before, err := member.Read(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(before.Members) == 1 {
		serveAlone(t, dir)
		return
	}
	peer := freeURL(t)
	s := launch(t, dir, "m0", peer, "m0="+peer)
	await(t, "it stands for election", func() bool {
		now, err := member.Read(t.Context(), dir, "")
		return err == nil && now.HardState.Term > before.HardState.Term
	})
	s.kill()
	old, _ := check(t, dir)
	if len(old.Members) != 3 || old.HardState.Commit != before.HardState.Commit || old.LastIndex != before.LastIndex {
		t.Fatalf("an old member that waits for its cluster: %+v", *old)
	}
	if n, err := member.ForceNewCluster(t.Context(), dir, "", true); err != nil || !slices.Equal(n.Removed, []facts.ID{lowID, highID}) {
		t.Fatal(n, err)
	}
	serveAlone(t, dir)
}
