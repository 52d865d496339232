package main

import (
	"context"
	"path/filepath"
	"strings"

	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.uber.org/zap"
	"google.golang.org/protobuf/encoding/protowire"

	"etcd-quorum-restore/modules/internal/member"
)

// files is what a member's files held when the power was cut.
type files struct {
	Writes   map[string]bool // of the writer, in the log: "v3 KEY" or "v2 KEY"
	Term     uint64          // of the last entry
	Index    uint64
	Commit   uint64
	Revision int64
	Applied  uint64 // consistent_index
}

// readFiles reads an untouched copy: the log by etcd's own package, since the project's reader is under test; the rest by the project's reader,
// since the plan decides by that.
func readFiles(dataDir string) (files, error) {
	s, err := member.Read(context.Background(), dataDir, "")
	if err != nil {
		return files{}, err
	}
	f := files{Writes: map[string]bool{}, Term: s.LastTerm, Index: s.LastIndex, Commit: s.HardState.Commit}
	if s.Database != nil {
		f.Revision, f.Applied = s.Database.Revision, s.Database.ConsistentIndex
	}
	// From the first entry: these logs are too short for a snapshot.
	w, err := wal.OpenForRead(zap.NewNop(), filepath.Join(dataDir, "member", "wal"), &walpb.Snapshot{})
	if err != nil {
		return f, err
	}
	defer w.Close()
	_, _, entries, err := w.ReadAll()
	for _, e := range entries {
		if key := written(e.GetData()); key != "" {
			f.Writes[key] = true
		}
	}
	return f, err
}

// written is the key that an entry writes: etcdserverpb.Request {2: method, 3: path}, or InternalRaftRequest {4: put {1: key}}.
func written(entry []byte) string {
	method, path := bytesField(entry, 2), bytesField(entry, 3)
	if string(method) == "PUT" && strings.HasPrefix(string(path), "/1/") {
		return "v2 " + string(path[2:])
	}
	if key := bytesField(bytesField(entry, 4), 1); len(key) > 0 {
		return "v3 " + string(key)
	}
	return ""
}

// bytesField is the first field of that number and of type bytes; nil without one, or where this is no message.
func bytesField(message []byte, number protowire.Number) []byte {
	for len(message) > 0 {
		num, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return nil
		}
		message = message[n:]
		if num == number && kind == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(message)
			return value
		}
		if n = protowire.ConsumeFieldValue(num, kind, message); n < 0 {
			return nil
		}
		message = message[n:]
	}
	return nil
}
