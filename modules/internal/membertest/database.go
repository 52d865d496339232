package membertest

import (
	"encoding/binary"
	"hash/fnv"
)

// PageSize is the page size of the databases made here.
const PageSize = 4096

// Item is an element of a page: of a leaf (Value, Flags), or of a branch (Child).
type Item struct {
	Key, Value []byte
	Child      uint64
	Flags      uint32
}

// DatabaseFile is a bbolt file: two meta pages, a freelist, a root leaf with the buckets "key" (a branch and two leaves) and "meta"
// (inline).
func DatabaseFile(index uint64, revision int64) []byte {
	le, be := binary.LittleEndian, binary.BigEndian
	rev := func(main int64) []byte {
		return append(be.AppendUint64(nil, uint64(main)), '_', 0, 0, 0, 0, 0, 0, 0, 0)
	}
	file := make([]byte, 7*PageSize)
	inline := Leaf(0, Item{Key: []byte("consistent_index"), Value: be.AppendUint64(nil, index)})
	bucket := func(root uint64, rest []byte) []byte {
		return append(le.AppendUint64(nil, root), append(make([]byte, 8), rest...)...)
	}
	copy(file[3*PageSize:], Leaf(3,
		Item{Key: []byte("key"), Value: bucket(4, nil), Flags: 1},
		Item{Key: []byte("meta"), Value: bucket(0, inline), Flags: 1}))
	copy(file[4*PageSize:], Branch(4, Item{Key: rev(2), Child: 5}, Item{Key: rev(revision), Child: 6}))
	copy(file[5*PageSize:], Leaf(5, Item{Key: rev(2), Value: []byte("v")}))
	copy(file[6*PageSize:], Leaf(6, Item{Key: rev(revision), Value: []byte("v")}))
	le.PutUint64(file[2*PageSize:], 2)
	le.PutUint16(file[2*PageSize+8:], 0x10)
	PutMeta(file, 0, 11, 3, 7)
	PutMeta(file, 1, 12, 3, 7)
	return file
}

// PutMeta writes a meta page with a correct checksum.
func PutMeta(file []byte, page int, txid, root, pages uint64) {
	le := binary.LittleEndian
	at := file[page*PageSize:]
	le.PutUint64(at, uint64(page))
	le.PutUint16(at[8:], 0x04)
	m := at[16:]
	le.PutUint32(m, 0xED0CDAED)
	le.PutUint32(m[4:], 2)
	le.PutUint32(m[8:], PageSize)
	le.PutUint64(m[16:], root)
	le.PutUint64(m[32:], 2)
	le.PutUint64(m[40:], pages)
	le.PutUint64(m[48:], txid)
	sum := fnv.New64a()
	sum.Write(m[:56])
	le.PutUint64(m[56:], sum.Sum64())
}

// Leaf is a leaf page.
func Leaf(id uint64, items ...Item) []byte {
	le := binary.LittleEndian
	head, body := pageHead(id, 0x02, len(items)), []byte{}
	for i, it := range items {
		pos := (len(items)-i)*16 + len(body)
		head = le.AppendUint32(head, it.Flags)
		head = le.AppendUint32(head, uint32(pos))
		head = le.AppendUint32(head, uint32(len(it.Key)))
		head = le.AppendUint32(head, uint32(len(it.Value)))
		body = append(append(body, it.Key...), it.Value...)
	}
	return append(head, body...)
}

// Branch is a branch page.
func Branch(id uint64, items ...Item) []byte {
	le := binary.LittleEndian
	head, body := pageHead(id, 0x01, len(items)), []byte{}
	for i, it := range items {
		head = le.AppendUint32(head, uint32((len(items)-i)*16+len(body)))
		head = le.AppendUint32(head, uint32(len(it.Key)))
		head = le.AppendUint64(head, it.Child)
		body = append(body, it.Key...)
	}
	return append(head, body...)
}

func pageHead(id uint64, flags uint16, count int) []byte {
	le := binary.LittleEndian
	return le.AppendUint32(le.AppendUint16(le.AppendUint16(le.AppendUint64(nil, id), flags), uint16(count)), 0)
}
