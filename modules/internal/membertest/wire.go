package membertest

import "encoding/binary"

// Number appends a protobuf field that is a number.
func Number(b []byte, field byte, v uint64) []byte {
	return binary.AppendUvarint(append(b, field<<3), v)
}

// BytesField appends a protobuf field that is bytes.
func BytesField(b []byte, field byte, v []byte) []byte {
	return append(binary.AppendUvarint(append(b, field<<3|2), uint64(len(v))), v...)
}

// Numbers are fields 1, 2, 3…
func Numbers(v ...uint64) []byte {
	var b []byte
	for i, n := range v {
		b = Number(b, byte(i+1), n)
	}
	return b
}
