package hosttest

import (
	"encoding/binary"
	"hash/crc32"

	"google.golang.org/protobuf/encoding/protowire"
)

// log is the beginning of a log segment: the checksum record and the metadata, as etcd 3.2 writes them.
func log(member, cluster uint64) []byte {
	var metadata []byte
	metadata = protowire.AppendTag(metadata, 1, protowire.VarintType)
	metadata = protowire.AppendVarint(metadata, member)
	metadata = protowire.AppendTag(metadata, 2, protowire.VarintType)
	metadata = protowire.AppendVarint(metadata, cluster)
	sum := crc32.Checksum(metadata, crc32.MakeTable(crc32.Castagnoli))
	return append(append(record(4, 0, nil), record(1, sum, metadata)...), make([]byte, 512)...)
}

func record(kind uint64, sum uint32, data []byte) []byte {
	var body []byte
	for i, v := range []uint64{kind, uint64(sum)} {
		body = protowire.AppendTag(body, protowire.Number(i+1), protowire.VarintType)
		body = protowire.AppendVarint(body, v)
	}
	if data != nil {
		body = protowire.AppendTag(body, 3, protowire.BytesType)
		body = protowire.AppendBytes(body, data)
	}
	padding := (8 - len(body)%8) % 8
	length := uint64(len(body))
	if padding > 0 {
		length |= uint64(0x80|padding) << 56
	}
	frame := binary.LittleEndian.AppendUint64(nil, length)
	return append(append(frame, body...), make([]byte, padding)...)
}
