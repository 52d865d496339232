package walcheck

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"testing"
	"time"

	bolt "github.com/coreos/bbolt"
	"github.com/coreos/etcd/raft/raftpb"
	"github.com/coreos/etcd/snap"
	"github.com/coreos/etcd/wal"
	"github.com/coreos/etcd/wal/walpb"

	"etcd-quorum-restore/modules/internal/member"
)

// TestSameRemovalsAsEtcd: ForceNewCluster's log equals byte for byte the one that etcd's own package writes for the entries of its forced start
// (etcdserver/raft.go, createConfigChangeEnts).
func TestSameRemovalsAsEtcd(t *testing.T) {
	for name, dir := range withOthers(t) {
		t.Run(name, func(t *testing.T) {
			byEtcd := copyOf(t, dir)
			n, err := member.ForceNewCluster(t.Context(), dir, "", true)
			if err != nil || len(n.Removed) == 0 {
				t.Fatal(n, err)
			}
			saveByEtcd(t, byEtcd, n.Removed...)
			if ours, theirs := used(t, dir), used(t, byEtcd); !bytes.Equal(ours, theirs) {
				t.Errorf("%d bytes by us, %d by etcd", len(ours), len(theirs))
			}
			check(t, dir)
		})
	}
}

// withOthers are the members of withTail, among others, of higher and of lower IDs.
func withOthers(t testing.TB) map[string]string {
	out := map[string]string{}
	for name, dir := range withTail(t) {
		if name == "after cut" {
			continue // its snapshot lists one member
		}
		o, err := officialInPlace(dir)
		if err != nil {
			t.Fatal(err)
		}
		w, err := wal.Open(filepath.Join(dir, "member", "wal"), walpb.Snapshot{})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := w.ReadAll(); err != nil {
			t.Fatal(err)
		}
		last := o.Entries[len(o.Entries)-1]
		low, high := addition(last.Term, last.Index+1, 0x42), addition(last.Term, last.Index+2, 0xFFFF)
		if err := w.Save(o.State, []raftpb.Entry{low, high}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		out[name] = dir
	}
	return out
}

func addition(term, index, id uint64) raftpb.Entry {
	context, _ := json.Marshal(map[string]any{"id": id, "peerURLs": []string{fmt.Sprintf("http://%x:2380", id)}})
	data, _ := (&raftpb.ConfChange{ID: 7, Type: raftpb.ConfChangeAddNode, NodeID: id, Context: context}).Marshal()
	return raftpb.Entry{Type: raftpb.EntryConfChange, Term: term, Index: index, Data: data}
}

// TestKilledForceIsAccepted: ForceNewCluster ends at each of its steps; etcd's own reader finds the old log or the new one, and the next run
// writes the same bytes.
func TestKilledForceIsAccepted(t *testing.T) {
	for name, dir := range withOthers(t) {
		before, err := official(t, dir)
		if err != nil {
			t.Fatal(name, ": ", err)
		}
		finished := copyOf(t, dir)
		n, err := member.ForceNewCluster(t.Context(), finished, "", true)
		if err != nil {
			t.Fatal(name, ": ", err)
		}
		for how, part := range parts {
			t.Run(name+"/"+how, func(t *testing.T) {
				for step := 0; ; step++ {
					killed := copyOf(t, dir)
					_, err := member.ForceNewClusterThrough(t.Context(), killed, "", true, func(f *os.File) member.Target { return &killer{f, step, part} })
					if err == nil {
						return
					}
					if !errors.Is(err, errKilled) {
						t.Fatal(err)
					}
					oldOrNew(t, step, killed, before, n)
					if _, err := member.ForceNewCluster(t.Context(), killed, "", true); err != nil {
						t.Fatalf("killed at step %d: the next run: %v", step, err)
					}
					if !bytes.Equal(used(t, killed), used(t, finished)) {
						t.Fatalf("killed at step %d: the next run gives another log", step)
					}
				}
			})
		}
	}
}

func oldOrNew(t *testing.T, step int, dir string, before theirs, n member.NewCluster) {
	t.Helper()
	o, err := official(t, dir)
	if err != nil {
		t.Fatalf("killed at step %d: etcd does not read it: %v", step, err)
	}
	isOld := len(o.Entries) == len(before.Entries) && o.State.Commit == before.State.Commit
	isNew := len(o.Entries) == len(before.Entries)+len(n.Removed) && o.State.Commit == n.To
	if !isOld && !isNew {
		t.Fatalf("killed at step %d: etcd reads %d entries of %d, committed to %d", step, len(o.Entries), len(before.Entries), o.State.Commit)
	}
	check(t, dir)
}

// TestByLogAsByFlag: three real members are killed under load. One of them becomes a new cluster from one copy of its files by the
// flag, from another by the log and a plain start; after the same writes and restarts, both hold the same.
func TestByLogAsByFlag(t *testing.T) {
	c := newCluster(t)
	stop := writers(c.members[0], 4)
	c.await("there is something to lose", func() bool { return c.read(0).LastIndex > 250 })
	for _, m := range c.members {
		m.kill()
	}
	stop()
	for i := range c.dirs {
		t.Run(fmt.Sprint("survivor ", i), func(t *testing.T) { sameByBoth(t, c, i) })
	}
}

func sameByBoth(t *testing.T, c *cluster, i int) {
	peer, url := freeURL(t), freeURL(t)
	flagged, logged := copyOf(t, c.dirs[i]), copyOf(t, c.dirs[i])
	if _, err := member.KeepTail(t.Context(), flagged, ""); err != nil {
		t.Fatal(err)
	}
	if n, err := member.ForceNewCluster(t.Context(), logged, "", true); err != nil || len(n.Removed) != 2 {
		t.Fatal(n, err)
	}
	byFlag := lifeOf(t, i, flagged, peer, url, "--force-new-cluster")
	byLog := lifeOf(t, i, logged, peer, url)
	for part, want := range byFlag {
		if byLog[part] != want {
			t.Errorf("%s differs:\nby the flag: %.2000s\nby the log:  %.2000s", part, want, byLog[part])
		}
	}
	if len(byFlag) < 4 || !strings.Contains(byFlag["removed members"], ",") {
		t.Errorf("nothing was compared: %v", byFlag)
	}
}

// lifeOf starts a member, the first time with these flags, restarts it, writes beyond the next snapshot, and stops it; it returns the content of
// its files.
func lifeOf(t *testing.T, i int, dir, peer, url string, first ...string) map[string]string {
	t.Helper()
	for n, flags := range [][]string{first, nil} {
		s := launchAt(t, dir, fmt.Sprint("m", i), peer, url, fmt.Sprintf("m%d=%s", i, peer), flags...)
		s.healthy()
		if n == 1 {
			for k := range 300 {
				if err := s.put(k, "after"); err != nil {
					t.Fatal(err)
				}
			}
		}
		s.stop()
	}
	return contents(t, dir)
}

// healthy waits for a leader without writing, so that two members' indexes stay the same.
func (s *server) healthy() {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		resp, err := client.Get(s.url + "/v2/stats/self")
		if err == nil {
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err == nil && strings.Contains(string(body), "StateLeader") {
				return
			}
		}
		if time.Now().After(end) {
			s.kill()
			s.t.Fatalf("no leader: %s", s.logs.String())
		}
	}
}

// stop ends it by SIGTERM.
func (s *server) stop() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil && !strings.Contains(err.Error(), "terminated") {
		s.t.Fatal(err)
	}
}

// contents are the buckets of the database, the v2 store of the newest snapshot, raft's members in it, and where the log ends.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	db, err := bolt.Open(filepath.Join(dir, "member", "snap", "db"), 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			return b.ForEach(func(k, v []byte) error {
				out["bucket "+string(name)] += fmt.Sprintf("%x=%x\n", k, v)
				return nil
			})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := snap.New(filepath.Join(dir, "member", "snap")).Load()
	if err != nil {
		t.Fatal(err)
	}
	var store map[string]json.RawMessage
	if err := json.Unmarshal(s.Data, &store); err != nil {
		t.Fatal(err)
	}
	out["v2 store"] = sorted(t, store["Root"])
	out["raft's members"] = fmt.Sprint(s.Metadata.ConfState.Nodes)
	out["snapshot"] = fmt.Sprintf("index %d, term %d", s.Metadata.Index, s.Metadata.Term)
	out["removed members"] = removedIn(t, store["Root"])
	if state, err := member.Read(t.Context(), dir, ""); err != nil || len(state.Members) != 1 {
		t.Fatal(state, err)
	}
	return out
}

func sorted(t *testing.T, raw []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v) // keys of maps are sorted
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func removedIn(t *testing.T, root []byte) string {
	t.Helper()
	var n struct {
		Children map[string]struct {
			Children map[string]struct{ Children map[string]any }
		}
	}
	if err := json.Unmarshal(root, &n); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for id := range n.Children["0"].Children["removed_members"].Children {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	return strings.Join(ids, ",")
}

// TestOldMemberIsTurnedAway: a member that the log has removed is told so, also where it comes back with its data, and another one joins.
func TestOldMemberIsTurnedAway(t *testing.T) {
	c := newCluster(t)
	for _, m := range c.members {
		m.kill()
	}
	if _, err := member.ForceNewCluster(t.Context(), c.dirs[0], "", true); err != nil {
		t.Fatal(err)
	}
	c.start(0)
	c.members[0].serves()
	c.start(1)
	exited := make(chan error, 1)
	go func() { exited <- c.members[1].cmd.Wait() }()
	select {
	case <-exited:
	case <-time.After(time.Minute):
		t.Fatal("an old member that came back still runs")
	}
	if !strings.Contains(c.members[1].logs.String(), "the member has been permanently removed from the cluster") {
		t.Errorf("the old member ended otherwise: %s", c.members[1].logs.String())
	}
	if err := os.RemoveAll(c.dirs[1]); err != nil {
		t.Fatal(err)
	}
	c.members[0].etcdctl("--endpoints", c.members[0].url, "member", "add", "m1", "--peer-urls", c.peers[1])
	c.members[1] = launch(t, c.dirs[1], "m1", c.peers[1], fmt.Sprintf("m0=%s,m1=%s", c.peers[0], c.peers[1]), "--initial-cluster-state", "existing")
	c.members[1].serves()
	if a, b := c.read(0), c.read(1); len(a.Members) != 2 || a.ClusterID != b.ClusterID {
		t.Errorf("%+v %+v", a.Members, b.Members)
	}
}
