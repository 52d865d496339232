package member

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// Database is what the v3 store's file says. Revision is the one from which etcd continues, 1 for a store without keys.
type Database struct {
	ConsistentIndex uint64
	Revision        int64
	Bytes           int64
}

const databaseTries = 20

// ReadDatabase reads the facts of a bbolt file through its newest valid meta page and a handful of pages, without a lock: the database of a
// running member, of a stopped one, or a snapshot by itself. A running member can reuse a page meanwhile: the facts count only if the same meta
// page is still the newest one afterwards.
func ReadDatabase(path string) (Database, error) {
	f, _, err := openRegular(path)
	if err != nil {
		return Database{}, err
	}
	defer f.Close()
	for try := 0; ; try++ {
		d, err := readDatabaseOnce(f)
		if !errors.Is(err, errMoved) || try == databaseTries {
			return d, err
		}
	}
}

func readDatabaseOnce(f *os.File) (Database, error) {
	b := &bolt{file: f}
	m, err := b.newestMeta()
	if err != nil {
		return Database{}, err
	}
	st, err := f.Stat() // after the meta page: etcd extends the file before it writes a page that needs the length
	if err != nil {
		return Database{}, err
	}
	b.size, b.pageSize, b.pages = st.Size(), int64(m.pageSize), m.pages
	d, err := b.facts(m.root)
	d.Bytes = b.size
	if err == nil && b.size/b.pageSize < int64(min(m.pages, 1<<62)) {
		err = fmt.Errorf("the database has %d bytes, and pages up to %d of %d bytes each: its end is missing", b.size, m.pages, b.pageSize)
	}
	after, merr := b.newestMeta()
	if merr != nil {
		return Database{}, merr
	}
	if after.txid != m.txid {
		return Database{}, errMoved
	}
	return d, err
}

func (b *bolt) facts(root uint64) (Database, error) {
	d := Database{Revision: 1}
	top := tree{bolt: b, root: root}
	meta, err := top.bucket("meta")
	if err != nil {
		return d, err
	}
	index, err := meta.number("consistent_index")
	if err != nil {
		return d, err
	}
	d.ConsistentIndex = index
	keys, err := top.bucket("key")
	if err != nil {
		return d, err
	}
	last, err := keys.lastKey()
	if err != nil {
		return d, err
	}
	if len(last) >= 8 {
		d.Revision = max(d.Revision, int64(binary.BigEndian.Uint64(last)))
	}
	// After a compaction that leaves only deleted keys, no key has the newest revision.
	compacted, err := meta.number("finishedCompactRev")
	d.Revision = max(d.Revision, int64(compacted))
	return d, err
}

// number is a value that begins with 8 bytes, big endian; 0 where the key does not exist.
func (t tree) number(key string) (uint64, error) {
	value, ok, err := t.get(key)
	if err != nil || !ok {
		return 0, err
	}
	if len(value) < 8 {
		return 0, fmt.Errorf("%s in the database has %d bytes", key, len(value))
	}
	return binary.BigEndian.Uint64(value), nil
}
