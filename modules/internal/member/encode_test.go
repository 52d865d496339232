package member

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An encoder of etcd's files that shares no code with the package: what it writes is compared with etcd's own in molecule/walcheck.

const (
	selfID    = 0xA1
	otherID   = 0xB2
	clusterID = 0xC0FFEE
)

func number(b []byte, field byte, v uint64) []byte {
	return binary.AppendUvarint(append(b, field<<3), v)
}

func bytesField(b []byte, field byte, v []byte) []byte {
	return append(binary.AppendUvarint(append(b, field<<3|2), uint64(len(v))), v...)
}

func numbers(v ...uint64) []byte {
	var b []byte
	for i, n := range v {
		b = number(b, byte(i+1), n)
	}
	return b
}

// logBuilder writes the segments of a log.
type logBuilder struct {
	names []string
	files [][]byte
	room  int // zeros behind the last record of the last segment
	crc   uint32
	next  uint64
	seq   int
}

// newLog begins as etcd does: checksum, metadata, the empty snapshot.
func newLog() *logBuilder {
	b := &logBuilder{room: 64 << 10}
	b.segment(0)
	b.raw(5, numbers(0, 0))
	return b
}

// segment begins a file; its name says which entry is the first.
func (b *logBuilder) segment(index uint64) *logBuilder {
	b.names = append(b.names, fmt.Sprintf("%016x-%016x.wal", b.seq, index))
	b.files = append(b.files, nil)
	b.seq++
	b.append(number(number(nil, 1, 4), 2, uint64(b.crc)))
	b.raw(1, numbers(selfID, clusterID))
	return b
}

func (b *logBuilder) last() *[]byte { return &b.files[len(b.files)-1] }

// raw appends a record with data, and carries the checksum on.
func (b *logBuilder) raw(kind uint64, data []byte) *logBuilder {
	b.crc = crc32.Update(b.crc, crc32.MakeTable(crc32.Castagnoli), data)
	return b.append(bytesField(number(number(nil, 1, kind), 2, uint64(b.crc)), 3, data))
}

func (b *logBuilder) append(body []byte) *logBuilder {
	f := b.last()
	word := uint64(len(body))
	pad := (8 - len(body)%8) % 8
	if pad > 0 {
		word |= uint64(0x80|pad) << 56
	}
	*f = append(binary.LittleEndian.AppendUint64(*f, word), append(body, make([]byte, pad)...)...)
	return b
}

func (b *logBuilder) entry(term, index uint64, data string) *logBuilder {
	return b.entryOf(0, term, index, []byte(data))
}

func (b *logBuilder) entryOf(kind, term, index uint64, data []byte) *logBuilder {
	e := numbers(kind, term, index)
	if data != nil {
		e = bytesField(e, 4, data)
	}
	return b.raw(2, e)
}

func (b *logBuilder) hard(term, vote, commit uint64) *logBuilder {
	return b.raw(3, numbers(term, vote, commit))
}

func (b *logBuilder) snap(index, term uint64) *logBuilder { return b.raw(5, numbers(index, term)) }

// change appends a membership change; the context is a member as etcd writes it.
func (b *logBuilder) change(term, index, kind, id uint64, url string) *logBuilder {
	cc := number(number(number(nil, 1, 7), 2, kind), 3, id)
	if url != "" {
		cc = bytesField(cc, 4, fmt.Appendf(nil, `{"id":%d,"peerURLs":["%s"]}`, id, url))
	}
	return b.entryOf(1, term, index, cc)
}

func v2(method, path, value string) []byte {
	r := number(nil, 1, 99)
	return bytesField(bytesField(bytesField(r, 2, []byte(method)), 3, []byte(path)), 4, []byte(value))
}

// good is a healthy log: this member and another one, ten entries, two of them beyond the commit index.
func good() *logBuilder {
	b := newLog().
		change(1, 1, 0, selfID, "http://self:2380").
		change(1, 2, 0, otherID, "http://other:2380").
		hard(2, selfID, 2).
		entryOf(0, 2, 3, nil).
		entryOf(0, 2, 4, v2("PUT", "/0/members/a1/attributes", `{"name":"self","clientURLs":["http://self:2379"]}`))
	for i := uint64(5); i <= 8; i++ {
		b.entry(2, i, fmt.Sprint("value ", i))
	}
	return b.hard(2, selfID, 8).entry(2, 9, "tail").entry(2, 10, strings.Repeat("tail ", 30))
}

// member is a data directory in the making.
type memberBuilder struct {
	log   *logBuilder
	db    []byte
	snaps map[string][]byte
}

func aMember(log *logBuilder) *memberBuilder {
	return &memberBuilder{log: log, db: databaseFile(8, 5), snaps: map[string][]byte{}}
}

func (m *memberBuilder) write(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{"member/wal", "member/snap"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range m.log.names {
		content := m.log.files[i]
		if i == len(m.log.names)-1 {
			content = append(content[:len(content):len(content)], make([]byte, m.log.room)...)
		}
		put(t, filepath.Join(dir, "member/wal", name), content)
	}
	for name, content := range m.snaps {
		put(t, filepath.Join(dir, "member/snap", name), content)
	}
	if m.db != nil {
		put(t, filepath.Join(dir, "member/snap/db"), m.db)
	}
	return dir
}

func put(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// snapFile is a .snap file of a store with this member and another one, and a v2 user key.
func snapFile(index, term uint64, store string) []byte {
	if store == "" {
		store = `{"Root":{"Path":"/","Children":{` +
			`"0":{"Path":"/0","Children":{"members":{"Path":"/0/members","Children":{` +
			`"a1":{"Path":"/0/members/a1","Children":{"raftAttributes":{"Path":"","Value":"{\"peerURLs\":[\"http://self:2380\"]}"},"attributes":{"Path":"","Value":"{\"name\":\"self\"}"}}},` +
			`"b2":{"Path":"/0/members/b2","Children":{"raftAttributes":{"Path":"","Value":"{\"peerURLs\":[\"http://other:2380\"]}"}}}}}}},` +
			`"1":{"Path":"/1","Children":{"foo":{"Path":"/1/foo","Value":"secret"},"dir":{"Path":"/1/dir","Children":{}}}}}}}`
	}
	meta := number(number(bytesField(nil, 1, numbers(selfID)), 2, index), 3, term)
	data := bytesField(bytesField(nil, 1, []byte(store)), 2, meta)
	sum := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	return bytesField(number(nil, 1, uint64(sum)), 2, data)
}

const testPage = 4096

// databaseFile is a bbolt file: two meta pages, a freelist, a root leaf with the buckets "key" (a branch and two leaves) and "meta"
// (inline).
func databaseFile(index uint64, revision int64) []byte {
	le, be := binary.LittleEndian, binary.BigEndian
	rev := func(main int64) []byte {
		return append(be.AppendUint64(nil, uint64(main)), '_', 0, 0, 0, 0, 0, 0, 0, 0)
	}
	file := make([]byte, 7*testPage)
	inline := leaf(0, item{key: []byte("consistent_index"), value: be.AppendUint64(nil, index)})
	bucket := func(root uint64, rest []byte) []byte {
		return append(le.AppendUint64(nil, root), append(make([]byte, 8), rest...)...)
	}
	copy(file[3*testPage:], leaf(3,
		item{key: []byte("key"), value: bucket(4, nil), flags: 1},
		item{key: []byte("meta"), value: bucket(0, inline), flags: 1}))
	copy(file[4*testPage:], branch(4, item{key: rev(2), child: 5}, item{key: rev(revision), child: 6}))
	copy(file[5*testPage:], leaf(5, item{key: rev(2), value: []byte("v")}))
	copy(file[6*testPage:], leaf(6, item{key: rev(revision), value: []byte("v")}))
	le.PutUint64(file[2*testPage:], 2)
	le.PutUint16(file[2*testPage+8:], 0x10)
	putMeta(file, 0, 11, 3, 7)
	putMeta(file, 1, 12, 3, 7)
	return file
}

func putMeta(file []byte, page int, txid, root, pages uint64) {
	le := binary.LittleEndian
	at := file[page*testPage:]
	le.PutUint64(at, uint64(page))
	le.PutUint16(at[8:], 0x04)
	m := at[16:]
	le.PutUint32(m, 0xED0CDAED)
	le.PutUint32(m[4:], 2)
	le.PutUint32(m[8:], testPage)
	le.PutUint64(m[16:], root)
	le.PutUint64(m[32:], 2)
	le.PutUint64(m[40:], pages)
	le.PutUint64(m[48:], txid)
	sum := fnv.New64a()
	sum.Write(m[:56])
	le.PutUint64(m[56:], sum.Sum64())
}

func leaf(id uint64, items ...item) []byte {
	le := binary.LittleEndian
	head, body := pageHead(id, 0x02, len(items)), []byte{}
	for i, it := range items {
		pos := (len(items)-i)*16 + len(body)
		head = le.AppendUint32(head, it.flags)
		head = le.AppendUint32(head, uint32(pos))
		head = le.AppendUint32(head, uint32(len(it.key)))
		head = le.AppendUint32(head, uint32(len(it.value)))
		body = append(append(body, it.key...), it.value...)
	}
	return append(head, body...)
}

func branch(id uint64, items ...item) []byte {
	le := binary.LittleEndian
	head, body := pageHead(id, 0x01, len(items)), []byte{}
	for i, it := range items {
		head = le.AppendUint32(head, uint32((len(items)-i)*16+len(body)))
		head = le.AppendUint32(head, uint32(len(it.key)))
		head = le.AppendUint64(head, it.child)
		body = append(body, it.key...)
	}
	return append(head, body...)
}

func pageHead(id uint64, flags uint16, count int) []byte {
	le := binary.LittleEndian
	return le.AppendUint32(le.AppendUint16(le.AppendUint16(le.AppendUint64(nil, id), flags), uint16(count)), 0)
}

func leWord(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
