package member

import (
	"os"

	"google.golang.org/protobuf/encoding/protowire"

	"etcd-quorum-restore/modules/internal/facts"
)

// batch is what one write appends to a log: either all of it counts, or nothing.
type batch []batchRecord

type batchRecord struct {
	kind uint64
	data []byte
}

// encode gives the frames and records that follow the running checksum.
func (b batch) encode(crc uint32) (raw []byte) {
	for _, r := range b {
		var frame, body []byte
		frame, body, crc = encodeRecord(r.kind, crc, r.data)
		raw = append(append(raw, frame...), body...)
	}
	return raw
}

// batchFor removes these members by entries whose indexes end at the commit index of next, the HardState that follows. It is empty where the log
// says all of this already.
func (s *State) batchFor(others []Peer, next hardState) batch {
	if len(others) == 0 && next == s.HardState {
		return nil
	}
	var b batch
	index := next.Commit - uint64(len(others))
	for i, p := range others {
		b = append(b, batchRecord{typeEntry, removal(next.Term, index+1+uint64(i), p.ID)})
	}
	return append(b, batchRecord{typeHardState, next.encode()})
}

// removal is raftpb.Entry {1: conf change, 2: term, 3: index, 4: raftpb.ConfChange {1: ID 0, 2: RemoveNode, 3: node ID}}, as etcd writes it
// when it is started with --force-new-cluster [etcd v3.2.32 etcdserver/raft.go, createConfigChangeEnts].
func removal(term, index uint64, id facts.ID) []byte {
	return encodeFields(entryConfChange, term, index, encodeFields(0, removeNode, uint64(id)))
}

const removeNode = 1 // raftpb.ConfChangeRemoveNode

// encodeFields writes fields 1, 2, 3… of numbers, also zeros (etcd's are required fields of proto2), and of bytes.
func encodeFields(fields ...any) (b []byte) {
	for i, f := range fields {
		num := protowire.Number(i + 1)
		switch v := f.(type) {
		case []byte:
			b = protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), v)
		case uint64:
			b = protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), v)
		case int:
			b = protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), uint64(v))
		}
	}
	return b
}

// isLeftover tells whether the bytes behind the log's end are a batch whose first frame was never written: each aligned word is the batch's or
// zero, and all behind it is zero. etcd ignores such bytes and overwrites them.
func isLeftover(f *os.File, end, size int64, raw []byte) (bool, error) {
	same := true
	err := dataIn(f, end, size, func(offset int64, piece []byte) (bool, error) {
		for i := 0; i < len(piece) && same; i += 8 {
			word := piece[i:min(i+8, len(piece))]
			same = allZero(word) || isWord(word, raw, offset-end+int64(i))
		}
		return same, nil
	})
	return same && err == nil, err
}

// isWord is true where raw has the word at this place, behind the first frame.
func isWord(word, raw []byte, at int64) bool {
	return at >= frameBytes && at+int64(len(word)) <= int64(len(raw)) && string(word) == string(raw[at:at+int64(len(word))])
}
