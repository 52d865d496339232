package member

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzSegment: whatever a segment holds, reading ends, does not panic, and believes nothing that the file has no room for; and if
// KeepTail does not refuse, the log is whole afterwards, and has not lost an entry.
func FuzzSegment(f *testing.F) {
	for _, log := range tails {
		f.Add(*log().last())
	}
	for _, size := range []int{0, 7, 8, 100} {
		f.Add((*good().last())[:size])
	}
	b := good()
	f.Add(*b.at(b.frame(-2), zeroFrame).last())
	dir := aMember(good()).write(f)
	path := filepath.Join(dir, "member/wal", good().names[0])
	f.Fuzz(func(t *testing.T, content []byte) {
		put(t, path, content)
		s, err := Read(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		if s.end.offset > int64(len(content)) || s.LastIndex > uint64(len(content)) && len(s.Damage) == 0 {
			t.Fatalf("%d bytes hold %+v", len(content), *s)
		}
		kept, err := KeepTail(dir, "")
		if err != nil {
			if now, _ := os.ReadFile(path); !bytes.Equal(now, content) {
				t.Fatal("KeepTail refused, and wrote")
			}
			return
		}
		after := read(t, dir)
		if len(after.Damage) > 0 || after.Torn || after.LastIndex != s.LastIndex || after.TailEntries() != 0 || kept.To != s.LastIndex {
			t.Fatalf("%+v was kept as %+v", *s, *after)
		}
	})
}

func FuzzSnapshot(f *testing.F) {
	f.Add(snapFile(5, 2, ""), false)
	f.Add(snapFile(5, 2, "{"), false)
	f.Add([]byte(`{"Root":{"Children":{"0":{"Children":{"members":{"Children":{"a1":null}}}}}}}`), true)
	path := filepath.Join(f.TempDir(), "x.snap")
	f.Fuzz(func(t *testing.T, content []byte, store bool) {
		if store {
			content = snapFile(5, 2, string(content)+" ") // the fuzzer finds no checksums
		}
		put(t, path, content)
		s, err := readSnapshot(path)
		var d Damage
		if err != nil && !errors.Is(err, errBroken) && !errors.As(err, &d) {
			t.Fatal(err)
		}
		if err == nil && s == nil {
			t.Fatal("neither a snapshot nor an error")
		}
	})
}

// FuzzDatabase changes a database at two places, with right checksums of the meta pages or wrong ones.
func FuzzDatabase(f *testing.F) {
	f.Add(uint16(16), []byte{1}, uint16(3*testPage), []byte{3}, true, uint16(7))
	f.Add(uint16(4*testPage+40), []byte{4}, uint16(6*testPage+8), []byte{1, 0, 0xff, 0xff}, true, uint16(7))
	f.Add(uint16(testPage+16+16), []byte{0xff, 0xff}, uint16(testPage), []byte{}, true, uint16(3))
	path := filepath.Join(f.TempDir(), "db")
	f.Fuzz(func(t *testing.T, at uint16, with []byte, at2 uint16, with2 []byte, sums bool, pages uint16) {
		file := databaseFile(8, 5)
		if int(at) < len(file) {
			copy(file[at:], with)
		}
		if int(at2) < len(file) {
			copy(file[at2:], with2)
		}
		if sums {
			putMeta(file, 0, uint64(at), uint64(at2)%8, uint64(pages))
		}
		put(t, path, file[:min(len(file), int(pages)*testPage+int(at)%3)])
		if d, err := ReadDatabase(path); err == nil && d.Revision < 1 {
			t.Fatalf("revision %d", d.Revision)
		}
	})
}
