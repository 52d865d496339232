package walcheck

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	bolt "github.com/coreos/bbolt"

	"etcd-quorum-restore/modules/internal/member"
)

// writeDatabase makes a database of n revisions of 1 kB with the library that etcd 3.2 uses.
func writeDatabase(t testing.TB, path string, consistentIndex uint64, n int) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	put := func(bucket string, key, value []byte) {
		t.Helper()
		err := db.Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte(bucket))
			if err != nil {
				return err
			}
			return b.Put(key, value)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put("meta", []byte("consistent_index"), binary.BigEndian.AppendUint64(nil, consistentIndex))
	put("key", revision(1), nil)
	err = db.Update(func(tx *bolt.Tx) error {
		for i := 2; i <= n; i++ {
			if err := tx.Bucket([]byte("key")).Put(revision(uint64(i)), make([]byte, 1<<10)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func revision(main uint64) []byte {
	return append(binary.BigEndian.AppendUint64(nil, main), '_', 0, 0, 0, 0, 0, 0, 0, 0)
}

// withDatabase gives a member with only a log the database that the project's reader requires.
func withDatabase(t testing.TB, dir string) {
	t.Helper()
	s, err := member.Read(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	writeDatabase(t, filepath.Join(dir, "member", "snap", "db"), s.SnapshotIndex, 3)
}

// TestDatabase: trees of one page, and of several levels.
func TestDatabase(t *testing.T) {
	for _, n := range []int{1, 3, 100, 5000} {
		path := filepath.Join(t.TempDir(), "db")
		writeDatabase(t, path, 77, n)
		d, err := member.ReadDatabase(path)
		st, _ := os.Stat(path)
		if err != nil || d != (member.Database{ConsistentIndex: 77, Revision: int64(n), Bytes: st.Size()}) {
			t.Errorf("%d revisions: %+v %v", n, d, err)
		}
	}
}
