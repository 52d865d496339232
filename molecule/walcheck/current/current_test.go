// Package current compares the project's reader of a member's log with the packages of a current etcd.
package current

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"etcd-quorum-restore/modules/internal/member"
)

const selfID = 0xA1

// stricter are verdicts on logs that a current etcd accepts: see package walcheck. The last one is 3.2's limit; a current etcd has none.
var stricter = map[string]bool{
	"good_bytes_after_torn": true, "good_bytes_after_end": true, "committed_rewritten": true, "term_falls": true,
	"hard_state_falls": true, "no_hard_state": true, "commit_beyond_log": true, "no_identity": true, "snapshot_not_in_log": true,
	"undecodable_record": true, "record_too_large": true,
}

func walDir(dir string) string { return filepath.Join(dir, "member", "wal") }

// newLog is a log of several segments, with overwritten entries and a tail beyond the commit index.
func newLog(t testing.TB) string {
	t.Helper()
	wal.SegmentSizeBytes = 16 << 10
	dir := t.TempDir()
	check(t, os.MkdirAll(filepath.Join(dir, "member", "snap"), 0o700))
	w, err := wal.Create(zap.NewNop(), walDir(dir), []byte{0x08, 0xA1, 0x01, 0x10, 0xEE, 0xFF, 0x83, 0x06})
	check(t, err)
	defer w.Close()
	change, err := proto.Marshal(&raftpb.ConfChange{Type: raftpb.ConfChangeAddNode.Enum(), NodeId: ptr(uint64(selfID)), Context: []byte(`{"id":161,"peerURLs":["http://a:2380"]}`)})
	check(t, err)
	join := entry(1, 1, "")
	join.Type, join.Data = raftpb.EntryConfChange.Enum(), change
	check(t, w.Save(state(1, 1), []*raftpb.Entry{join}))
	for i := uint64(2); i <= 500; i++ {
		check(t, w.Save(state(1, i-1), []*raftpb.Entry{entry(1, i, fmt.Sprint("value", i, strings.Repeat(".", int(i%90))))}))
	}
	check(t, w.Save(state(1, 500), []*raftpb.Entry{entry(1, 501, "a"), entry(1, 502, "b"), entry(1, 503, "c")}))
	check(t, w.Save(state(3, 500), []*raftpb.Entry{entry(3, 502, "B"), entry(3, 503, strings.Repeat("C", 4000))}))
	return dir
}

func ptr[T any](v T) *T { return &v }

func state(term, commit uint64) *raftpb.HardState {
	return &raftpb.HardState{Term: ptr(term), Vote: ptr(uint64(selfID)), Commit: ptr(commit)}
}

func entry(term, index uint64, data string) *raftpb.Entry {
	return &raftpb.Entry{Term: ptr(term), Index: ptr(index), Data: []byte(data)}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type theirs struct {
	state    *raftpb.HardState
	entries  []*raftpb.Entry
	repaired bool
}

// official reads a copy, and repairs it once, as etcd's server does.
func official(t testing.TB, dir string) (out theirs, err error) {
	t.Helper()
	dir = copyOf(t, dir)
	defer os.RemoveAll(dir)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	for {
		err = out.read(dir)
		if !errors.Is(err, io.ErrUnexpectedEOF) || out.repaired || !wal.Repair(zap.NewNop(), walDir(dir)) {
			return out, err
		}
		out.repaired = true
	}
}

func (o *theirs) read(dir string) error {
	w, err := wal.Open(zap.NewNop(), walDir(dir), &walpb.Snapshot{})
	if err != nil {
		return err
	}
	defer w.Close()
	_, o.state, o.entries, err = w.ReadAll()
	return err
}

func copyOf(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir()
	check(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}

// ours is the project's reading, without the database's part: these logs have none.
func ours(t testing.TB, dir string) *member.State {
	t.Helper()
	s, err := member.Read(t.Context(), dir, "")
	if errors.Is(err, member.ErrNoMember) {
		return &member.State{Damage: []member.Damage{{Code: "no_log"}}}
	}
	check(t, err)
	var rest []member.Damage
	for _, d := range s.Damage {
		if d.Code != "no_database" {
			rest = append(rest, d)
		}
	}
	s.Damage = rest
	return s
}

func disagreement(o theirs, err error, s *member.State) error {
	switch {
	case len(s.Damage) > 0 && err == nil && !stricter[s.Damage[0].Code]:
		return fmt.Errorf("etcd takes it, we say %v", s.Damage)
	case len(s.Damage) > 0:
		return nil
	case err != nil:
		return fmt.Errorf("etcd does not take it (%w), we do", err)
	case s.Torn != o.repaired:
		return fmt.Errorf("torn %v, repaired by etcd %v", s.Torn, o.repaired)
	case s.HardState.Term != o.state.GetTerm() || uint64(s.HardState.Vote) != o.state.GetVote() || s.HardState.Commit != o.state.GetCommit():
		return fmt.Errorf("HardState: etcd reads %v, we read %v", o.state, s.HardState)
	case s.LastIndex != uint64(len(o.entries)):
		return fmt.Errorf("etcd reads %d entries, we read %d", len(o.entries), s.LastIndex)
	}
	for _, sum := range s.Sums {
		e := o.entries[sum.Index-1]
		if want := (member.EntrySum{Index: e.GetIndex(), Term: e.GetTerm(), CRC: entrySum(e)}); sum != want {
			return fmt.Errorf("etcd reads %+v, we read %+v", want, sum)
		}
	}
	return nil
}

func entrySum(e *raftpb.Entry) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(binary.LittleEndian.AppendUint64(nil, uint64(e.GetType())), table), table, e.GetData())
}

func TestSameReading(t *testing.T) {
	dir := newLog(t)
	o, err := official(t, dir)
	check(t, err)
	s := ours(t, dir)
	if len(s.Damage) > 0 || len(s.Terms) != 2 || s.TailEntries() != 3 || s.ID != selfID {
		t.Errorf("%+v", *s)
	}
	check(t, disagreement(o, err, s))
}

func TestSameVerdict(t *testing.T) {
	dir := newLog(t)
	random := rand.New(rand.NewSource(3))
	verdicts := map[string]int{}
	for i := range 150 {
		damaged := copyOf(t, dir)
		what := damage(t, damaged, random)
		o, err := official(t, damaged)
		s := ours(t, damaged)
		if d := disagreement(o, err, s); d != nil {
			t.Errorf("%d: %s: %v", i, what, d)
		}
		verdicts[fmt.Sprintf("etcd takes it: %v, we: %v", err == nil, len(s.Damage) == 0)]++
		os.RemoveAll(damaged)
	}
	t.Log(verdicts)
	if len(verdicts) < 2 {
		t.Error("the damage is not varied")
	}
}

// damage changes one place of one segment, mostly the last one.
func damage(t testing.TB, dir string, random *rand.Rand) string {
	t.Helper()
	all, _ := filepath.Glob(filepath.Join(walDir(dir), "*.wal"))
	path := all[max(random.Intn(len(all)), random.Intn(len(all)))]
	content, err := os.ReadFile(path)
	check(t, err)
	used := len(bytes.TrimRight(content, "\x00"))
	at := used - 1 - min(random.Intn(used), random.Intn(used))
	kind := random.Intn(5)
	switch kind {
	case 0:
		content = content[:at]
	case 1:
		content[at] ^= 1 << random.Intn(8)
	case 2:
		clear(content[at&^511 : min(at&^511+1024, len(content))])
	case 3:
		clear(content[at:])
	case 4:
		clear(content[at&^7 : min(at&^7+8, len(content))])
	}
	check(t, os.WriteFile(path, content, 0o600))
	return fmt.Sprint(filepath.Base(path), " damage ", kind, " at ", at)
}
