package member

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/membertest"
)

// FuzzSegment: for any segment, reading ends, does not panic, and accepts no length that the file has no room for. If KeepTail does not refuse,
// the log is whole afterwards, and has not lost an entry.
func FuzzSegment(f *testing.F) {
	for _, log := range tails {
		f.Add(*log().Last())
	}
	for _, size := range []int{0, 7, 8, 100} {
		f.Add((*membertest.Good().Last())[:size])
	}
	b := membertest.Good()
	f.Add(*b.At(b.Frame(-2), membertest.ZeroFrame).Last())
	dir := membertest.AMember(membertest.Good()).Write(f)
	path := filepath.Join(dir, "member/wal", membertest.Good().Names[0])
	f.Fuzz(func(t *testing.T, content []byte) {
		membertest.Put(t, path, content)
		s, err := Read(t.Context(), dir, "")
		if err != nil {
			t.Fatal(err)
		}
		if s.end.offset > int64(len(content)) || s.LastIndex > uint64(len(content)) && len(s.Damage) == 0 {
			t.Fatalf("%d bytes hold %+v", len(content), *s)
		}
		kept, err := KeepTail(t.Context(), dir, "")
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

// FuzzReissue: an undamaged log is the same log afterwards, of the other cluster; a damaged one is refused.
func FuzzReissue(f *testing.F) {
	for _, log := range tails {
		f.Add(*log().Last(), uint64(7))
	}
	f.Add((*membertest.Good().Last())[:100], uint64(1<<63))
	dir := membertest.AMember(membertest.Good()).Write(f)
	path := filepath.Join(dir, "member/wal", membertest.Good().Names[0])
	f.Fuzz(func(t *testing.T, content []byte, cluster uint64) {
		membertest.Put(t, path, content)
		before, err := Read(t.Context(), dir, "")
		if err != nil {
			t.Fatal(err)
		}
		other, err := os.MkdirTemp("/dev/shm", "reissue-*") // an fsync is free there
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(other)
		if err := os.CopyFS(filepath.Join(other, "member/snap"), os.DirFS(filepath.Join(dir, "member/snap"))); err != nil {
			t.Fatal(err)
		}
		err = before.Reissue(filepath.Join(dir, "member/wal"), filepath.Join(other, "member/wal"), 9, facts.ID(cluster))
		if (err != nil) != (len(before.Damage) > 0) {
			t.Fatalf("%v, with damage %v", err, before.Damage)
		}
		if err != nil {
			return
		}
		after := read(t, other)
		if len(after.Damage) > 0 || after.ID != 9 || after.ClusterID != facts.ID(cluster) || after.LastIndex != before.LastIndex || after.LastTerm != before.LastTerm || after.HardState != before.HardState {
			t.Fatalf("%+v was reissued as %+v", *before, *after)
		}
	})
}

func FuzzSnapshot(f *testing.F) {
	f.Add(membertest.SnapFile(5, 2, ""), false)
	f.Add(membertest.SnapFile(5, 2, "{"), false)
	f.Add([]byte(`{"Root":{"Children":{"0":{"Children":{"members":{"Children":{"a1":null}}}}}}}`), true)
	path := filepath.Join(f.TempDir(), "x.snap")
	f.Fuzz(func(t *testing.T, content []byte, store bool) {
		if store {
			content = membertest.SnapFile(5, 2, string(content)+" ") // the fuzzer cannot guess checksums
		}
		membertest.Put(t, path, content)
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
	f.Add(uint16(16), []byte{1}, uint16(3*membertest.PageSize), []byte{3}, true, uint16(7))
	f.Add(uint16(4*membertest.PageSize+40), []byte{4}, uint16(6*membertest.PageSize+8), []byte{1, 0, 0xff, 0xff}, true, uint16(7))
	f.Add(uint16(membertest.PageSize+16+16), []byte{0xff, 0xff}, uint16(membertest.PageSize), []byte{}, true, uint16(3))
	path := filepath.Join(f.TempDir(), "db")
	f.Fuzz(func(t *testing.T, at uint16, with []byte, at2 uint16, with2 []byte, sums bool, pages uint16) {
		file := membertest.DatabaseFile(8, 5)
		if int(at) < len(file) {
			copy(file[at:], with)
		}
		if int(at2) < len(file) {
			copy(file[at2:], with2)
		}
		if sums {
			membertest.PutMeta(file, 0, uint64(at), uint64(at2)%8, uint64(pages))
		}
		membertest.Put(t, path, file[:min(len(file), int(pages)*membertest.PageSize+int(at)%3)])
		if d, err := ReadDatabase(path); err == nil && d.Revision < 1 {
			t.Fatalf("revision %d", d.Revision)
		}
	})
}
