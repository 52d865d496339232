package member

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/fault"
)

// tails are logs that KeepTail has work on.
var tails = map[string]func() *logBuilder{
	"tail":                      good,
	"term beyond the HardState": func() *logBuilder { return good().entry(3, 11, "x") },
	"no room in the file":       func() *logBuilder { b := good(); b.room = 0; return b },
	"room for the frame alone":  func() *logBuilder { b := good(); b.room = 8; return b },
	"room that is not aligned":  func() *logBuilder { b := good(); b.room = 13; return b },
	"torn, cut in the frame": func() *logBuilder {
		b := good().entry(2, 11, "x")
		*b.last(), b.room = (*b.last())[:b.frame(-1)+3], 0
		return b
	},
	"torn, cut in the record": func() *logBuilder {
		b := good().entry(2, 11, "some value that is torn")
		*b.last(), b.room = (*b.last())[:b.frame(-1)+29], 0
		return b
	},
	"torn, long rest": func() *logBuilder {
		b := good().entry(2, 11, strings.Repeat("torn", 2000))
		from := (b.frame(-1)/sector + 3) * sector
		return b.at(from, func(rest []byte) { clear(rest[:sector]) })
	},
	"torn, nothing to append": func() *logBuilder {
		b := good().hard(2, selfID, 10).entry(2, 11, strings.Repeat("torn", 2000))
		from := (b.frame(-1)/sector + 3) * sector
		return b.at(from, func(rest []byte) { clear(rest[:sector]) })
	},
	"rest of a torn record behind the end": func() *logBuilder {
		b := good()
		end := len(*b.last())
		b.entry(2, 11, strings.Repeat("torn", 2000))
		b.at(end, zeroFrame)
		return b
	},
}

func TestKeepTail(t *testing.T) {
	for name, log := range tails {
		t.Run(name, func(t *testing.T) {
			dir := aMember(log()).write(t)
			before := read(t, dir)
			kept, err := KeepTail(dir, "")
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
			if wantVote := map[bool]uint64{true: 0, false: selfID}[before.LastTerm > before.HardState.Term]; after.HardState.Vote != wantVote {
				t.Errorf("vote %x, want %x", after.HardState.Vote, wantVote)
			}
			sum := treeSum(t, dir)
			kept, err = KeepTail(dir, "")
			if kept.Changed || err != nil || treeSum(t, dir) != sum {
				t.Errorf("the second run: %+v %v", kept, err)
			}
		})
	}
}

// TestKeptRecord: byte for byte what an encoder of its own writes; molecule/walcheck compares with etcd's.
func TestKeptRecord(t *testing.T) {
	b := good()
	dir := aMember(b).write(t)
	if _, err := KeepTail(dir, ""); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "member/wal", b.names[0]))
	if err != nil {
		t.Fatal(err)
	}
	size := len(got)
	b.hard(2, selfID, 10)
	want := append(*b.last(), make([]byte, size-len(*b.last()))...)
	if !bytes.Equal(got, want) {
		t.Error(cmp.Diff(want[:1200], got[:1200]))
	}
}

func TestKeepTailRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		log  *logBuilder
		want string
	}{
		"removed itself in the tail":  {good().change(2, 11, 1, selfID, ""), "entry 11 removes this member itself"},
		"removed itself before":       {good().change(2, 11, 1, selfID, "").hard(2, selfID, 11), "is not a member"},
		"never was a member":          {newLog().change(1, 1, 0, otherID, "http://other:2380").hard(1, 0, 1), "is not a member"},
		"an end that is not aligned":  {func() *logBuilder { b := good(); *b.last() = append(*b.last(), unaligned(b)...); return b }(), "no multiple of 8"},
		"any damage (see TestDamage)": {good().entry(2, 12, "x"), "entry_hole"},
	} {
		t.Run(name, func(t *testing.T) {
			m := aMember(c.log)
			m.db = databaseFile(1, 2)
			dir := m.write(t)
			before := treeSum(t, dir)
			_, err := KeepTail(dir, "")
			if err == nil || !strings.Contains(err.Error(), c.want) || fault.HintOf(err) == "" {
				t.Errorf("got %v, hint %q", err, fault.HintOf(err))
			}
			if treeSum(t, dir) != before {
				t.Error("it refused, and wrote")
			}
		})
	}
}

// unaligned is an entry whose frame claims no padding, as etcd 2 wrote them.
func unaligned(b *logBuilder) []byte {
	c := &logBuilder{files: [][]byte{nil}, crc: b.crc}
	c.entry(2, 11, "xx")
	f := c.files[0]
	length, padding := splitFrame(leWord(f))
	if padding == 0 {
		panic("an aligned record")
	}
	claim(uint64(length))(f)
	return f[:8+length]
}

func ExampleState_MayKeep() {
	s := &State{Damage: []Damage{{Code: "entry_hole", Text: "entry 12 follows entry 10"}}}
	fmt.Println(s.MayKeep())
	// Output: the member's files are damaged (entry_hole): entry 12 follows entry 10
}
