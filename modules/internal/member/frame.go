package member

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// Types of records in a log segment.
const (
	typeMetadata  = 1
	typeEntry     = 2
	typeHardState = 3
	typeCRC       = 4
	typeSnapshot  = 5
)

const (
	frameBytes = 8
	// maxRecord bounds memory. etcd 3.2 refuses requests above 1.5 MB; a record of this size is not one of etcd's.
	maxRecord = 256 << 20
	// sector is the unit that a disk writes whole; a power cut leaves whole sectors unwritten, as zeros.
	sector = 512
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// record is one decoded record; Offset is where its frame starts.
type record struct {
	Type   int64
	CRC    uint32
	Data   []byte
	Offset int64
	End    int64 // offset behind body and padding
}

// errEnd is the orderly end of a segment: a zero frame, or the end of the file between two records.
var errEnd = errors.New("end of segment")

// badRecord says why a record cannot be read. Torn is set where a power cut explains it.
type badRecord struct {
	code   string
	text   string
	offset int64
	end    int64 // where the record would have ended
	torn   bool
}

func (b *badRecord) Error() string { return b.code + ": " + b.text }

// segmentReader reads the records of one segment in order. The running CRC goes over all segments of a log.
type segmentReader struct {
	in     *bufio.Reader
	size   int64
	offset int64
	crc    uint32
	last   bool   // the last segment: only there can a record be torn
	buf    []byte // of the record last read; its data is valid until the next call
}

func newSegmentReader(file io.ReaderAt, size int64, crc uint32, last bool) *segmentReader {
	return &segmentReader{in: bufio.NewReaderSize(io.NewSectionReader(file, 0, size), 1<<20), size: size, crc: crc, last: last}
}

func (s *segmentReader) next() (record, error) {
	if s.offset >= s.size {
		return record{}, errEnd
	}
	var frame [frameBytes]byte
	if s.size-s.offset < frameBytes {
		return record{}, s.bad("short_frame", "the file ends inside a frame", s.size, true)
	}
	if _, err := io.ReadFull(s.in, frame[:]); err != nil {
		return record{}, err
	}
	word := binary.LittleEndian.Uint64(frame[:])
	if word == 0 {
		return record{}, errEnd
	}
	length := int64(word &^ (uint64(0xff) << 56))
	padding := int64(0)
	if word>>63 == 1 {
		padding = int64((word >> 56) & 0x7)
	}
	start := s.offset + frameBytes
	if length == 0 || length+padding > s.size-start {
		return record{}, s.bad("short_record", "the file ends inside a record", s.size, true)
	}
	if length > maxRecord {
		return record{}, s.bad("record_too_large", "a record claims more than 256 MB", start, false)
	}
	body := s.body(int(length + padding))
	if _, err := io.ReadFull(s.in, body); err != nil {
		return record{}, err
	}
	r, err := decodeRecord(body[:length])
	end := start + length + padding
	if err != nil {
		return record{}, s.bad("undecodable_record", err.Error(), end, s.hasZeroSector(body, start))
	}
	r.Offset, r.End = s.offset, end
	if r.Type == typeCRC {
		if s.crc != 0 && r.CRC != s.crc {
			return record{}, s.bad("crc_chain", "a segment does not continue the checksum of the one before", end, false)
		}
		s.crc = r.CRC
	} else {
		s.crc = crc32.Update(s.crc, castagnoli, r.Data)
		if r.CRC != s.crc {
			return record{}, s.bad("crc_mismatch", "a record's checksum is wrong", end, s.hasZeroSector(body, start))
		}
	}
	s.offset = end
	return r, nil
}

func (s *segmentReader) bad(code, text string, end int64, torn bool) *badRecord {
	return &badRecord{code: code, text: text, offset: s.offset, end: end, torn: torn && s.last}
}

// hasZeroSector: decoding failed and a sector-aligned piece of the record is all zero: that piece was never written.
func (s *segmentReader) hasZeroSector(body []byte, start int64) bool {
	for i := int64(0); i < int64(len(body)); {
		n := sector - (start+i)%sector
		piece := body[i:min(i+n, int64(len(body)))]
		if allZero(piece) {
			return true
		}
		i += n
	}
	return false
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

func (s *segmentReader) body(n int) []byte {
	if cap(s.buf) < n {
		s.buf = make([]byte, n)
	}
	return s.buf[:n]
}

func decodeRecord(raw []byte) (record, error) {
	var r record
	seen := false
	err := fieldsOf(raw, func(num protowire.Number, v uint64, b []byte) error {
		switch num {
		case 1:
			r.Type, seen = int64(v), true
		case 2:
			r.CRC = uint32(v)
		case 3:
			r.Data = b
		}
		return nil
	})
	if err == nil && !seen {
		err = errors.New("a record without a type")
	}
	return r, err
}

// fieldsOf walks a protobuf message: varints arrive as v, byte strings as b.
func fieldsOf(raw []byte, each func(num protowire.Number, v uint64, b []byte) error) error {
	for len(raw) > 0 {
		num, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return protowire.ParseError(n)
		}
		raw = raw[n:]
		var v uint64
		var b []byte
		switch kind {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(raw)
		case protowire.BytesType:
			b, n = protowire.ConsumeBytes(raw)
		default:
			n = protowire.ConsumeFieldValue(num, kind, raw)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		raw = raw[n:]
		if err := each(num, v, b); err != nil {
			return err
		}
	}
	return nil
}
