package walcheck

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/coreos/etcd/raft/raftpb"
	"github.com/coreos/etcd/snap"
	"github.com/coreos/etcd/wal"
	"github.com/coreos/etcd/wal/walpb"
)

// theirs is what etcd 3.2.32 reads from a member.
type theirs struct {
	ID, Cluster uint64
	State       raftpb.HardState
	Entries     []raftpb.Entry
	SnapIndex   uint64
	SnapTerm    uint64
	Repaired    bool
}

// official reads a copy of the member, since etcd's reader repairs, renames and locks; in the order in which its server starts.
func official(t testing.TB, dir string) (theirs, error) {
	t.Helper()
	private := copyOf(t, dir)
	defer os.RemoveAll(private)
	return officialInPlace(private)
}

func officialInPlace(dir string) (out theirs, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	s, err := snap.New(filepath.Join(dir, "member", "snap")).Load()
	if err != nil && err != snap.ErrNoSnapshot {
		return out, err
	}
	var from walpb.Snapshot
	if s != nil {
		from.Index, from.Term = s.Metadata.Index, s.Metadata.Term
		out.SnapIndex, out.SnapTerm = from.Index, from.Term
	}
	for {
		meta, err := out.read(filepath.Join(dir, "member", "wal"), from)
		if errors.Is(err, io.ErrUnexpectedEOF) && !out.Repaired {
			if out.Repaired = wal.Repair(filepath.Join(dir, "member", "wal")); out.Repaired {
				continue
			}
		}
		if err != nil {
			return out, err
		}
		out.ID, out.Cluster, err = identity(meta)
		return out, err
	}
}

func (o *theirs) read(dir string, from walpb.Snapshot) ([]byte, error) {
	w, err := wal.Open(dir, from)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	var meta []byte
	meta, o.State, o.Entries, err = w.ReadAll()
	return meta, err
}

// identity decodes etcdserverpb.Metadata by hand; its package would bring gRPC of 2017. For nil it returns 0, as the server does.
func identity(meta []byte) (id, cluster uint64, err error) {
	for _, field := range []struct {
		tag  byte
		into *uint64
	}{{0x08, &id}, {0x10, &cluster}} {
		if len(meta) == 0 {
			break
		}
		if meta[0] != field.tag {
			return 0, 0, errors.New("not an identity")
		}
		v, n := binary.Uvarint(meta[1:])
		if n <= 0 {
			return 0, 0, errors.New("not an identity")
		}
		*field.into, meta = v, meta[1+n:]
	}
	return id, cluster, nil
}

func copyOf(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// lastSegment is the path of the last log file.
func lastSegment(t testing.TB, dir string) string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "member", "wal", "*.wal"))
	if err != nil || len(all) == 0 {
		t.Fatal("no log segment: ", err)
	}
	return all[len(all)-1]
}
