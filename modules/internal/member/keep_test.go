package member

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

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

var errKilled = errors.New("killed")

// killer does n calls, the next one in part or not at all, and no other.
type killer struct {
	Target
	n    int
	half func(w io.WriterAt, b []byte, at int64)
}

func (k *killer) dies() bool { k.n--; return k.n < 0 }

func (k *killer) WriteAt(b []byte, at int64) (int, error) {
	if k.dies() {
		if k.n == -1 && k.half != nil {
			k.half(k.Target, b, at)
		}
		return 0, errKilled
	}
	return k.Target.WriteAt(b, at)
}

func (k *killer) Sync() error {
	if k.dies() {
		return errKilled
	}
	return k.Target.Sync()
}

func (k *killer) Truncate(size int64) error {
	if k.dies() {
		return errKilled
	}
	return k.Target.Truncate(size)
}

// halves are what a power cut can leave of a write: nothing, or some of its sectors, in any order. An aligned word of 8 bytes lies
// within one sector.
var halves = map[string]func(w io.WriterAt, b []byte, at int64){
	"none":        nil,
	"first words": func(w io.WriterAt, b []byte, at int64) { w.WriteAt(b[:len(b)/2&^7], at) },
	"last words":  func(w io.WriterAt, b []byte, at int64) { n := len(b) / 2 &^ 7; w.WriteAt(b[n:], at+int64(n)) },
	"every other sector": func(w io.WriterAt, b []byte, at int64) {
		for i := 0; i < len(b); i += 2 * sector {
			w.WriteAt(b[i:min(i+sector, len(b))], at+int64(i))
		}
	},
}

// TestKilled: KeepTail ends after each of its steps, and in the middle of one. Each time the log is whole, the next run finishes,
// and the result is that of a run that was not killed.
func TestKilled(t *testing.T) {
	for name, log := range tails {
		for how, half := range halves {
			t.Run(name+"/"+how, func(t *testing.T) { killEverywhere(t, log, half) })
		}
	}
}

func killEverywhere(t *testing.T, log func() *logBuilder, half func(io.WriterAt, []byte, int64)) {
	undisturbed := aMember(log()).write(t)
	if _, err := KeepTail(undisturbed, ""); err != nil {
		t.Fatal(err)
	}
	want := content(t, undisturbed)
	for n := 0; ; n++ {
		dir := aMember(log()).write(t)
		last := read(t, dir).LastIndex
		_, err := KeepTailThrough(dir, "", func(f *os.File) Target { return &killer{Target: f, n: n, half: half} })
		if err == nil {
			if n < 2 {
				t.Fatalf("it took %d steps only", n)
			}
			return
		}
		if !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		if s := read(t, dir); len(s.Damage) > 0 || s.LastIndex != last {
			t.Fatalf("killed at step %d: last index %d of %d, damage %q", n, s.LastIndex, last, codes(s))
		}
		if _, err := KeepTail(dir, ""); err != nil {
			t.Fatalf("killed at step %d: the next run: %v", n, err)
		}
		if !bytes.Equal(content(t, dir), want) {
			t.Fatalf("killed at step %d: the next run gives another log", n)
		}
	}
}

// content is that of the last segment, without the zeros behind it.
func content(t *testing.T, dir string) []byte {
	t.Helper()
	all, err := segments(filepath.Join(dir, "member/wal"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "member/wal", all[len(all)-1].Name))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimRight(b, "\x00")
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

// TestKeepTailRefusesARunningMember: with each kind of lock, on each file that etcd locks.
func TestKeepTailRefusesARunningMember(t *testing.T) {
	description := func(f *os.File) error {
		lock := unix.Flock_t{Type: unix.F_WRLCK}
		return unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock)
	}
	flock := func(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX) }
	for name, c := range map[string]struct {
		file string
		lock func(*os.File) error
	}{
		"description": {"wal/0000000000000000-0000000000000000.wal", description},
		"flock":       {"wal/0000000000000000-0000000000000000.wal", flock},
		"database":    {"snap/db", flock},
	} {
		t.Run(name, func(t *testing.T) {
			dir := aMember(good()).write(t)
			f, err := os.OpenFile(filepath.Join(dir, "member", c.file), os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := c.lock(f); err != nil {
				t.Fatal(err)
			}
			if _, err := KeepTail(dir, ""); err == nil || !strings.Contains(err.Error(), "an etcd runs") {
				t.Errorf("got %v", err)
			}
			if s := read(t, dir); s.HardState.Commit != 8 || len(s.Damage) > 0 {
				t.Errorf("reading beside the lock: %+v", *s)
			}
		})
	}
}

// TestKeepTailHoldsTheLock: no etcd can start while it writes.
func TestKeepTailHoldsTheLock(t *testing.T) {
	dir := aMember(good()).write(t)
	asked := false
	_, err := KeepTailThrough(dir, "", func(f *os.File) Target {
		held, err := Locked(dir, "")
		if !held || err != nil {
			t.Errorf("held %v, %v", held, err)
		}
		if err := flockOf(f.Name()); !errors.Is(err, unix.EWOULDBLOCK) {
			t.Errorf("an etcd on a kernel of RHEL 7 would get its lock: %v", err)
		}
		asked = true
		return f
	})
	if err != nil || !asked {
		t.Fatal(asked, err)
	}
	if held, err := Locked(dir, ""); held || err != nil {
		t.Errorf("afterwards: held %v, %v", held, err)
	}
}

// flockOf asks for the lock that etcd takes where the kernel has no locks of open file descriptions.
func flockOf(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}

func TestKeepTailSeesAFileThatChanged(t *testing.T) {
	wal := func(dir string) string { return filepath.Join(dir, "member", "wal") }
	name := good().names[0]
	for what, change := range map[string]func(dir string) error{
		"written": func(dir string) error {
			later := time.Now().Add(time.Minute)
			return os.Chtimes(filepath.Join(wal(dir), name), later, later)
		},
		"longer":   func(dir string) error { return os.Truncate(filepath.Join(wal(dir), name), 1<<20) },
		"replaced": func(dir string) error { return copyOver(filepath.Join(wal(dir), name)) },
		"no longer the last": func(dir string) error {
			return os.WriteFile(filepath.Join(wal(dir), "0000000000000001-000000000000000b.wal"), nil, 0o600)
		},
	} {
		t.Run(what, func(t *testing.T) {
			dir := aMember(good()).write(t)
			tail, err := lockTail(dir, wal(dir))
			if err != nil {
				t.Fatal(err)
			}
			defer tail.Close()
			s := read(t, dir)
			if err := tail.unchanged(wal(dir), s); err != nil {
				t.Fatal(err)
			}
			if err := change(dir); err != nil {
				t.Fatal(err)
			}
			if err := tail.unchanged(wal(dir), s); fault.KindOf(err) != fault.Refused {
				t.Errorf("got %v", err)
			}
		})
	}
}

func copyOver(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func ExampleState_MayKeep() {
	s := &State{Damage: []Damage{{Code: "entry_hole", Text: "entry 12 follows entry 10"}}}
	fmt.Println(s.MayKeep())
	// Output: the member's files are damaged (entry_hole): entry 12 follows entry 10
}
