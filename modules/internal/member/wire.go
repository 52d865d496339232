package member

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"google.golang.org/protobuf/encoding/protowire"
)

// message decodes a protobuf message by field number: into[0] is field 1, and so on; *uint64 for a number, *[]byte for bytes, nil
// for a field that is not wanted. seen has bit n set for field n, bit 0 for fields beyond the list. A wrong wire type is an error,
// as in etcd's own decoder.
func message(raw []byte, into ...any) (seen uint64, err error) {
	for len(raw) > 0 {
		num, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return seen, protowire.ParseError(n)
		}
		raw = raw[n:]
		n = 0
		if num > protowire.Number(len(into)) {
			seen |= 1
		} else {
			seen |= 1 << num
			switch field := into[num-1].(type) {
			case *uint64:
				if kind != protowire.VarintType {
					return seen, fmt.Errorf("field %d is not a number", num)
				}
				*field, n = protowire.ConsumeVarint(raw)
			case *[]byte:
				if kind != protowire.BytesType {
					return seen, fmt.Errorf("field %d is not a byte string", num)
				}
				*field, n = protowire.ConsumeBytes(raw)
			}
		}
		if n == 0 {
			n = protowire.ConsumeFieldValue(num, kind, raw)
		}
		if n < 0 {
			return seen, protowire.ParseError(n)
		}
		raw = raw[n:]
	}
	return seen, nil
}

// exactly decodes messages that etcd always writes in full. A record's type is not covered by its checksum: one flipped bit makes an entry a
// HardState, and only the fields show it.
func exactly(raw []byte, must, may uint64, into ...any) error {
	seen, err := message(raw, into...)
	if err == nil && seen&^(must|may) != 0 {
		err = errors.New("it has a field that etcd does not write there")
	}
	if err == nil && must&^seen != 0 {
		err = errors.New("it lacks a field that etcd always writes")
	}
	return err
}

// decodeRecord decodes walpb.Record {1: type, 2: crc, 3: data}. A record without a type has type 0, which the caller does not know.
func decodeRecord(raw []byte) (record, error) {
	var r record
	var crc uint64
	_, err := message(raw, &r.Type, &crc, &r.Data)
	r.CRC = uint32(crc)
	return r, err
}

// encodeRecord gives the frame and the padded body of a record that follows the running checksum, and the checksum after it.
func encodeRecord(kind uint64, before uint32, data []byte) (frame, body []byte, crc uint32) {
	crc = crc32.Update(before, castagnoli, data)
	body = protowire.AppendTag(body, 1, protowire.VarintType)
	body = protowire.AppendVarint(body, kind)
	body = protowire.AppendTag(body, 2, protowire.VarintType)
	body = protowire.AppendVarint(body, uint64(crc))
	if data != nil { // a checksum's record has no data
		body = protowire.AppendTag(body, 3, protowire.BytesType)
		body = protowire.AppendBytes(body, data)
	}
	word := uint64(len(body))
	if padding := (8 - len(body)%8) % 8; padding != 0 {
		word |= (0x80 | uint64(padding)) << 56
		body = append(body, make([]byte, padding)...)
	}
	return binary.LittleEndian.AppendUint64(nil, word), body, crc
}

// isRecord tells whether a record as etcd writes them begins here; room is how much may follow the frame. It looks at the head
// alone, which is enough: frame, padding and three nested lengths must agree.
func isRecord(head []byte, room int64) bool {
	if len(head) < frameBytes+2 {
		return false
	}
	word := binary.LittleEndian.Uint64(head)
	length, padding := splitFrame(word)
	want := uint64(length)
	if p := (8 - length%8) % 8; p != 0 {
		want |= (0x80 | uint64(p)) << 56
	}
	if length == 0 || word != want || length+padding > room || length+padding >= maxRecord {
		return false
	}
	rest := head[frameBytes:min(int64(len(head)), frameBytes+length)]
	kind, n := numberField(rest, 1)
	if n < 0 || kind < typeMetadata || kind > typeSnapshot {
		return false
	}
	_, m := numberField(rest[n:], 2)
	if m < 0 {
		return false
	}
	if int64(n+m) == length {
		return kind == typeCRC
	}
	num, wire, t := protowire.ConsumeTag(rest[n+m:])
	if t < 0 || num != 3 || wire != protowire.BytesType {
		return false
	}
	size, v := protowire.ConsumeVarint(rest[n+m+t:])
	return v > 0 && size == uint64(length-int64(n+m+t+v))
}

// recordLength is the record's length by its own fields: type, checksum, data; 0 where they are not there.
func recordLength(body []byte) int {
	_, n := numberField(body, 1)
	if n < 0 {
		return 0
	}
	_, m := numberField(body[n:], 2)
	if m < 0 {
		return 0
	}
	num, _, k := protowire.ConsumeField(body[n+m:])
	if k < 0 || num != 3 {
		return 0
	}
	return n + m + k
}

// recordHead is as much of a frame and a record as isRecord may need.
const recordHead = frameBytes + 2 + 6 + 1 + 5

// numberField consumes a number with its tag; the length is negative where it is not there.
func numberField(b []byte, want protowire.Number) (uint64, int) {
	num, wire, n := protowire.ConsumeTag(b)
	if n < 0 || num != want || wire != protowire.VarintType {
		return 0, -1
	}
	v, m := protowire.ConsumeVarint(b[n:])
	if m < 0 {
		return 0, -1
	}
	return v, n + m
}
