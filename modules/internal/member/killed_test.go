package member

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"etcd-quorum-restore/modules/internal/membertest"
)

var errKilled = errors.New("killed")

// killer makes n calls, the next one in part or not at all, and then none.
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

// TestKilled: KeepTail ends after each of its steps, and in the middle of one. Each time the log is whole, the next run finishes, and the result
// equals that of a run that was not killed.
func TestKilled(t *testing.T) {
	for name, log := range tails {
		for how, half := range halves {
			t.Run(name+"/"+how, func(t *testing.T) { killEverywhere(t, log, half) })
		}
	}
}

func killEverywhere(t *testing.T, log func() *membertest.Log, half func(io.WriterAt, []byte, int64)) {
	undisturbed := membertest.AMember(log()).Write(t)
	if _, err := KeepTail(t.Context(), undisturbed, ""); err != nil {
		t.Fatal(err)
	}
	want := content(t, undisturbed)
	for n := 0; ; n++ {
		dir := membertest.AMember(log()).Write(t)
		last := read(t, dir).LastIndex
		_, err := KeepTailThrough(t.Context(), dir, "", func(f *os.File) Target { return &killer{Target: f, n: n, half: half} })
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
		if _, err := KeepTail(t.Context(), dir, ""); err != nil {
			t.Fatalf("killed at step %d: the next run: %v", n, err)
		}
		if !bytes.Equal(content(t, dir), want) {
			t.Fatalf("killed at step %d: the next run gives another log", n)
		}
	}
}

// content is the last segment's, without the zeros behind it.
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
