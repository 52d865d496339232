package member

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/membertest"
)

// BenchmarkRead reads a member of 3 GB: a database of that size, whose pages lie far apart, and two full segments. B/op is everything that one
// read allocates, so the memory in use is less.
func BenchmarkRead(b *testing.B) {
	dir := bigMember(b)
	b.ReportAllocs()
	for b.Loop() {
		s, err := Read(b.Context(), dir, "")
		if err != nil || len(s.Damage) > 0 || s.LastIndex < 100_000 || s.Database.Bytes < 3<<30 {
			b.Fatal(err, s.Damage, s.LastIndex)
		}
	}
}

func bigMember(b *testing.B) string {
	log, index := membertest.Start(), uint64(1)
	value := strings.Repeat("v", 1000)
	for range 2 {
		for len(*log.Last()) < 64_000_000 {
			index++
			log.Entry(1, index, value)
		}
		log.Hard(1, membertest.SelfID, index-1)
		log.Segment(index + 1)
	}
	log.Hard(1, membertest.SelfID, index-1)
	m := membertest.AMember(log)
	m.DB = nil
	dir := m.Write(b)
	bigDatabase(b, filepath.Join(dir, "member/snap/db"))
	return dir
}

// bigDatabase moves the leaf with the newest revision to the end of 3 GB.
func bigDatabase(b *testing.B, path string) {
	const far = 3 << 30 / membertest.PageSize
	file := membertest.DatabaseFile(8, 5)
	copy(file[4*membertest.PageSize:], membertest.Branch(4, membertest.Item{Key: []byte("\x00\x00\x00\x00\x00\x00\x00\x02"), Child: 5}, membertest.Item{Key: []byte("\x00\x00\x00\x00\x00\x00\x00\x03"), Child: far}))
	membertest.PutMeta(file, 1, 12, 3, far+1)
	membertest.Put(b, path, file)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	last := make([]byte, membertest.PageSize)
	copy(last, membertest.Leaf(far, membertest.Item{Key: []byte("\x00\x00\x00\x00\x00\x0f\x42\x40_\x00\x00\x00\x00\x00\x00\x00\x00"), Value: []byte("v")}))
	if _, err := f.WriteAt(last, far*membertest.PageSize); err != nil {
		b.Fatal(err)
	}
}
