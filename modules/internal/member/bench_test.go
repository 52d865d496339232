package member

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkRead reads a member of 3 GB: a database of that size, whose pages lie far apart, and two full segments. B/op is all that
// one reading allocates, so the memory it needs is less.
func BenchmarkRead(b *testing.B) {
	dir := bigMember(b)
	b.ReportAllocs()
	for b.Loop() {
		s, err := Read(dir, "")
		if err != nil || len(s.Damage) > 0 || s.LastIndex < 100_000 || s.Database.Bytes < 3<<30 {
			b.Fatal(err, s.Damage, s.LastIndex)
		}
	}
}

func bigMember(b *testing.B) string {
	log, index := start(), uint64(1)
	value := strings.Repeat("v", 1000)
	for range 2 {
		for len(*log.last()) < 64_000_000 {
			index++
			log.entry(1, index, value)
		}
		log.hard(1, selfID, index-1)
		log.segment(index + 1)
	}
	log.hard(1, selfID, index-1)
	m := aMember(log)
	m.db = nil
	dir := m.write(b)
	bigDatabase(b, filepath.Join(dir, "member/snap/db"))
	return dir
}

// bigDatabase moves the leaf with the newest revision to the end of 3 GB.
func bigDatabase(b *testing.B, path string) {
	const far = 3 << 30 / testPage
	file := databaseFile(8, 5)
	copy(file[4*testPage:], branch(4, item{key: []byte("\x00\x00\x00\x00\x00\x00\x00\x02"), child: 5}, item{key: []byte("\x00\x00\x00\x00\x00\x00\x00\x03"), child: far}))
	putMeta(file, 1, 12, 3, far+1)
	put(b, path, file)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	last := make([]byte, testPage)
	copy(last, leaf(far, item{key: []byte("\x00\x00\x00\x00\x00\x0f\x42\x40_\x00\x00\x00\x00\x00\x00\x00\x00"), value: []byte("v")}))
	if _, err := f.WriteAt(last, far*testPage); err != nil {
		b.Fatal(err)
	}
}
