package member

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/membertest"
)

// tails are logs that KeepTail changes.
var tails = map[string]func() *membertest.Log{
	"tail":                      membertest.Good,
	"term beyond the HardState": func() *membertest.Log { return membertest.Good().Entry(3, 11, "x") },
	"no room in the file":       func() *membertest.Log { b := membertest.Good(); b.Room = 0; return b },
	"room for the frame alone":  func() *membertest.Log { b := membertest.Good(); b.Room = 8; return b },
	"room that is not aligned":  func() *membertest.Log { b := membertest.Good(); b.Room = 13; return b },
	"torn, cut in the frame": func() *membertest.Log {
		b := membertest.Good().Entry(2, 11, "x")
		*b.Last(), b.Room = (*b.Last())[:b.Frame(-1)+3], 0
		return b
	},
	"torn, cut in the record": func() *membertest.Log {
		b := membertest.Good().Entry(2, 11, "some value that is torn")
		*b.Last(), b.Room = (*b.Last())[:b.Frame(-1)+29], 0
		return b
	},
	"torn, long rest": func() *membertest.Log {
		b := membertest.Good().Entry(2, 11, strings.Repeat("torn", 2000))
		from := (b.Frame(-1)/sector + 3) * sector
		return b.At(from, func(rest []byte) { clear(rest[:sector]) })
	},
	"torn, nothing to append": func() *membertest.Log {
		b := membertest.Good().Hard(2, membertest.SelfID, 10).Entry(2, 11, strings.Repeat("torn", 2000))
		from := (b.Frame(-1)/sector + 3) * sector
		return b.At(from, func(rest []byte) { clear(rest[:sector]) })
	},
	"rest of a torn record behind the end": func() *membertest.Log {
		b := membertest.Good()
		end := len(*b.Last())
		b.Entry(2, 11, strings.Repeat("torn", 2000))
		b.At(end, membertest.ZeroFrame)
		return b
	},
}

func TestKeepTail(t *testing.T) {
	for name, log := range tails {
		t.Run(name, func(t *testing.T) {
			dir := membertest.AMember(log()).Write(t)
			before := read(t, dir)
			kept, err := KeepTail(t.Context(), dir, "")
			want := Kept{Changed: true, From: before.HardState.Commit, To: before.LastIndex, Term: before.LastTerm, TornTail: before.Torn}
			if diff := cmp.Diff(want, kept); diff != "" || err != nil {
				t.Fatal(diff, err)
			}
			after := read(t, dir)
			if len(after.Damage) > 0 || after.Torn || after.TailEntries() != 0 || after.LastIndex != before.LastIndex {
				t.Errorf("afterwards: %+v", *after)
			}
			if diff := cmp.Diff(before.Sums, after.Sums); diff != "" {
				t.Error("entries changed: ", diff)
			}
			if wantVote := map[bool]facts.ID{true: 0, false: membertest.SelfID}[before.LastTerm > before.HardState.Term]; after.HardState.Vote != wantVote {
				t.Errorf("vote %s, want %s", after.HardState.Vote, wantVote)
			}
			sum := treeSum(t, dir)
			kept, err = KeepTail(t.Context(), dir, "")
			if kept.Changed || err != nil || treeSum(t, dir) != sum {
				t.Errorf("the second run: %+v %v", kept, err)
			}
		})
	}
}

// TestKeptRecord compares byte for byte with an independent encoder; molecule/walcheck compares with etcd's.
func TestKeptRecord(t *testing.T) {
	b := membertest.Good()
	dir := membertest.AMember(b).Write(t)
	if _, err := KeepTail(t.Context(), dir, ""); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "member/wal", b.Names[0]))
	if err != nil {
		t.Fatal(err)
	}
	size := len(got)
	b.Hard(2, membertest.SelfID, 10)
	want := append(*b.Last(), make([]byte, size-len(*b.Last()))...)
	if !bytes.Equal(got, want) {
		t.Error(cmp.Diff(want[:1200], got[:1200]))
	}
}

func TestKeepTailRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		log  *membertest.Log
		want string
	}{
		"removed itself in the tail": {membertest.Good().Change(2, 11, 1, membertest.SelfID, ""), "entry 11 removes this member itself"},
		"removed itself before":      {membertest.Good().Change(2, 11, 1, membertest.SelfID, "").Hard(2, membertest.SelfID, 11), "is not a member"},
		"never was a member":         {membertest.NewLog().Change(1, 1, 0, membertest.OtherID, "http://other:2380").Hard(1, 0, 1), "is not a member"},
		"an end that is not aligned": {func() *membertest.Log {
			b := membertest.Good()
			*b.Last() = append(*b.Last(), unaligned(b)...)
			return b
		}(), "no multiple of 8"},
		"any damage (see TestDamage)": {membertest.Good().Entry(2, 12, "x"), "entry_hole"},
	} {
		t.Run(name, func(t *testing.T) {
			m := membertest.AMember(c.log)
			m.DB = membertest.DatabaseFile(1, 2)
			dir := m.Write(t)
			before := treeSum(t, dir)
			_, err := KeepTail(t.Context(), dir, "")
			if err == nil || !strings.Contains(err.Error(), c.want) || fault.HintOf(err) == "" {
				t.Errorf("got %v, hint %q", err, fault.HintOf(err))
			}
			if treeSum(t, dir) != before {
				t.Error("it refused, and wrote")
			}
		})
	}
}

// unaligned is an entry whose frame has no padding, as etcd 2 wrote them.
func unaligned(b *membertest.Log) []byte {
	c := &membertest.Log{Files: [][]byte{nil}, CRC: b.CRC}
	c.Entry(2, 11, "xx")
	f := c.Files[0]
	length, padding := splitFrame(binary.LittleEndian.Uint64(f))
	if padding == 0 {
		panic("an aligned record")
	}
	membertest.Claim(uint64(length))(f)
	return f[:8+length]
}

func ExampleState_MayKeep() {
	s := &State{Damage: []Damage{{Code: "entry_hole", Text: "entry 12 follows entry 10"}}}
	fmt.Println(s.MayKeep())
	// Output: the member's files are damaged (entry_hole): entry 12 follows entry 10
}
