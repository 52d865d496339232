package member

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2
	branchPage  = 0x01
	leafPage    = 0x02
	bucketLeaf  = 0x01
	maxDepth    = 64
)

type bolt struct {
	file     io.ReaderAt
	size     int64
	pageSize int64
	pages    uint64
}

type meta struct {
	pageSize uint32
	root     uint64
	pages    uint64 // high water mark
	txid     uint64
}

// newestMeta reads the two meta pages, pages 0 and 1. bbolt's page size is the writer's own, 4096 on x86-64.
func (b *bolt) newestMeta() (meta, error) {
	first, err := b.meta(0)
	sizes := []int64{4096, 8192, 16384, 32768, 65536}
	if err == nil {
		sizes = []int64{int64(first.pageSize)}
	}
	for _, size := range sizes {
		second, serr := b.meta(size)
		if serr == nil && int64(second.pageSize) == size && (err != nil || second.txid > first.txid) {
			first, err = second, nil
		}
	}
	return first, err
}

func (b *bolt) meta(offset int64) (meta, error) {
	var raw [80]byte
	if _, err := b.file.ReadAt(raw[:], offset); err != nil {
		return meta{}, fmt.Errorf("the database has no meta page: %w", err)
	}
	m := raw[16:]
	le := binary.LittleEndian
	sum := fnv.New64a()
	sum.Write(m[:56])
	if le.Uint32(m) != boltMagic || le.Uint32(m[4:]) != boltVersion || le.Uint64(m[56:]) != sum.Sum64() {
		return meta{}, errors.New("the database has no valid meta page")
	}
	out := meta{pageSize: le.Uint32(m[8:]), root: le.Uint64(m[16:]), pages: le.Uint64(m[40:]), txid: le.Uint64(m[48:])}
	if s := out.pageSize; s < 512 || s > 1<<20 || s&(s-1) != 0 {
		return meta{}, fmt.Errorf("the database claims pages of %d bytes", s)
	}
	return out, nil
}

// tree is a bucket: a B+tree that begins at a page, or, for a small bucket, inside its parent's value.
type tree struct {
	bolt   *bolt
	root   uint64
	inline []byte
}

func (t tree) page(id uint64) ([]byte, error) {
	if t.inline != nil {
		return t.inline, nil
	}
	b := t.bolt
	if id < 2 || id >= b.pages || int64(id) > b.size/b.pageSize {
		return nil, fmt.Errorf("the database points to page %d, outside of itself", id)
	}
	head := make([]byte, 16)
	if _, err := b.file.ReadAt(head, int64(id)*b.pageSize); err != nil {
		return nil, fmt.Errorf("page %d of the database: %w", id, err)
	}
	length := (int64(binary.LittleEndian.Uint32(head[12:])) + 1) * b.pageSize
	if length > 64<<20 || int64(id)*b.pageSize+length > b.size {
		return nil, fmt.Errorf("page %d of the database claims %d bytes", id, length)
	}
	raw := make([]byte, length)
	if _, err := b.file.ReadAt(raw, int64(id)*b.pageSize); err != nil {
		return nil, fmt.Errorf("page %d of the database: %w", id, err)
	}
	if got := binary.LittleEndian.Uint64(raw); got != id {
		return nil, fmt.Errorf("page %d of the database says that it is page %d", id, got)
	}
	return raw, nil
}

// item is an element of a branch page (child) or of a leaf page (flags, value).
type item struct {
	key, value []byte
	child      uint64
	flags      uint32
}

func items(raw []byte) (leaf bool, out []item, err error) {
	if len(raw) < 16 {
		return false, nil, errors.New("a page of the database is too short")
	}
	le := binary.LittleEndian
	flags, count := le.Uint16(raw[8:]), int(le.Uint16(raw[10:]))
	if flags != leafPage && flags != branchPage {
		return false, nil, fmt.Errorf("a page of the database has flags %#x", flags)
	}
	for i := 0; i < count; i++ {
		at := 16 + i*16
		if at+16 > len(raw) {
			return false, nil, errors.New("a page of the database has more elements than room")
		}
		e := raw[at:]
		var it item
		var pos, ksize, vsize uint32
		if flags == leafPage {
			it.flags, pos, ksize, vsize = le.Uint32(e), le.Uint32(e[4:]), le.Uint32(e[8:]), le.Uint32(e[12:])
		} else {
			pos, ksize, it.child = le.Uint32(e), le.Uint32(e[4:]), le.Uint64(e[8:])
		}
		from, end := uint64(at)+uint64(pos), uint64(at)+uint64(pos)+uint64(ksize)+uint64(vsize)
		if end > uint64(len(raw)) {
			return false, nil, errors.New("an element of a page of the database lies outside of it")
		}
		it.key, it.value = raw[from:from+uint64(ksize)], raw[from+uint64(ksize):end]
		out = append(out, it)
	}
	return flags == leafPage, out, nil
}

// descend goes from the root to a leaf; choose picks an element of each branch.
func (t tree) descend(choose func([]item) int) ([]item, error) {
	id := t.root
	for depth := 0; depth < maxDepth; depth++ {
		raw, err := t.page(id)
		if err != nil {
			return nil, err
		}
		leaf, elements, err := items(raw)
		if err != nil || leaf {
			return elements, err
		}
		if len(elements) == 0 {
			return nil, errors.New("a branch page of the database is empty")
		}
		id = elements[choose(elements)].child
	}
	return nil, errors.New("the database's tree is a loop")
}

func (t tree) find(key string) (item, bool, error) {
	elements, err := t.descend(func(branch []item) int {
		at := 0
		for i, it := range branch {
			if bytes.Compare(it.key, []byte(key)) <= 0 {
				at = i
			}
		}
		return at
	})
	for _, it := range elements {
		if string(it.key) == key {
			return it, true, err
		}
	}
	return item{}, false, err
}

func (t tree) get(key string) ([]byte, bool, error) {
	it, ok, err := t.find(key)
	return it.value, ok && it.flags&bucketLeaf == 0, err
}

func (t tree) lastKey() ([]byte, error) {
	elements, err := t.descend(func(branch []item) int { return len(branch) - 1 })
	if err != nil || len(elements) == 0 {
		return nil, err
	}
	return elements[len(elements)-1].key, nil
}

// bucket reads a bucket's value: its root page and a sequence, 16 bytes; root 0 means that a page follows inline.
func (t tree) bucket(name string) (tree, error) {
	it, ok, err := t.find(name)
	if err != nil {
		return tree{}, err
	}
	if !ok || it.flags&bucketLeaf == 0 || len(it.value) < 16 {
		return tree{}, fmt.Errorf("the database has no bucket %q; it is not etcd's", name)
	}
	root := binary.LittleEndian.Uint64(it.value)
	if root != 0 {
		return tree{bolt: t.bolt, root: root}, nil
	}
	return tree{bolt: t.bolt, inline: it.value[16:]}, nil
}
