package member

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
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
	// maxRecord: etcd 3.2 does not start on a longer one ("wal: max entry size limit exceeded"). It also bounds memory.
	maxRecord = 10 << 20
	// sector is the unit that a disk writes whole; a power cut leaves whole sectors unwritten, as zeros.
	sector = 512
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// record is one decoded record; Offset is where its frame starts.
type record struct {
	Type   uint64
	CRC    uint32
	Data   []byte
	Offset int64
}

// errEnd is the regular end of a segment: a zero frame, or the end of the file between two records.
var errEnd = errors.New("end of segment")

// errMoved means that a running etcd changed the file while it was read; the caller starts again.
var errMoved = errors.New("the file changed while it was read")

// badRecord says why a record cannot be read. Torn is set where a power cut explains it.
type badRecord struct {
	code   string
	text   string
	offset int64
	end    int64 // where the record would have ended
	torn   bool
}

func (b *badRecord) Error() string { return fmt.Sprintf("%s (at offset %d)", b.text, b.offset) }

// segmentReader reads the records of one segment in order. The running checksum goes over all segments of a log.
type segmentReader struct {
	file   io.ReaderAt
	in     *bufio.Reader
	size   int64
	offset int64
	crc    uint32
	last   bool   // the last segment: only there can a record be torn
	buf    []byte // of the record last read; its data is valid until the next call
}

func newSegmentReader(file io.ReaderAt, size int64, crc uint32, last bool) *segmentReader {
	s := &segmentReader{file: file, size: size, crc: crc, last: last}
	s.again()
	return s
}

// again drops what was read ahead, for a file that another process writes to.
func (s *segmentReader) again() {
	s.in = bufio.NewReaderSize(io.NewSectionReader(s.file, s.offset, s.size-s.offset), 256<<10)
}

// next reads a record, or leaves offset and checksum where they were.
func (s *segmentReader) next() (record, error) {
	length, padding, err := s.frame()
	if err != nil {
		return record{}, err
	}
	start := s.offset + frameBytes
	end := start + length + padding
	body := s.body(int(length + padding))
	if err := s.fill(body); err != nil {
		return record{}, err
	}
	r, err := decodeRecord(body[:length])
	if err != nil {
		return record{}, s.bad("undecodable_record", "a record is no record: "+err.Error(), end, hasZeroSector(body, start))
	}
	r.Offset = s.offset
	if r.Type == typeCRC {
		if s.crc != 0 && r.CRC != s.crc {
			return record{}, s.bad("crc_chain", "the checksum does not continue the one before", end, false)
		}
		s.crc = r.CRC
	} else {
		sum := crc32.Update(s.crc, castagnoli, r.Data)
		if r.CRC != sum {
			return record{}, s.bad("crc_mismatch", "a record's checksum is wrong", end, hasZeroSector(body, start))
		}
		s.crc = sum
	}
	s.offset = end
	return r, nil
}

// frame reads the 8 bytes before a record. A length counts only where the file has room for it.
func (s *segmentReader) frame() (length, padding int64, err error) {
	if s.offset >= s.size {
		return 0, 0, errEnd
	}
	if s.size-s.offset < frameBytes {
		return 0, 0, s.bad("short_frame", "the file ends inside a frame", s.size, true)
	}
	var frame [frameBytes]byte
	if err := s.fill(frame[:]); err != nil {
		return 0, 0, err
	}
	word := binary.LittleEndian.Uint64(frame[:])
	if word == 0 {
		return 0, 0, errEnd
	}
	length, padding = splitFrame(word)
	if length >= maxRecord-padding {
		return 0, 0, s.bad("record_too_large", fmt.Sprintf("a record claims %d bytes, etcd takes up to %d", length, maxRecord), s.size, false)
	}
	if length+padding > s.size-s.offset-frameBytes {
		return 0, 0, s.bad("short_record", "the file ends inside a record", s.size, true)
	}
	return length, padding, nil
}

// splitFrame splits a frame: the low 56 bits are the record's length; with the top bit set, the low 3 bits of the top byte are its padding.
func splitFrame(word uint64) (length, padding int64) {
	if word>>63 == 1 {
		padding = int64((word >> 56) & 0x7)
	}
	return int64(word &^ (uint64(0xff) << 56)), padding
}

// fill reads all of b. The file was long enough a moment ago, so an end of file means that etcd has cut it since.
func (s *segmentReader) fill(b []byte) error {
	_, err := io.ReadFull(s.in, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errMoved
	}
	return err
}

func (s *segmentReader) bad(code, text string, end int64, torn bool) *badRecord {
	return &badRecord{code: code, text: text, offset: s.offset, end: end, torn: torn && s.last}
}

// wholeBody is true where the record, by its own fields, is complete and its checksum is right, and only its frame gives another length. A power
// cut does not cause that, since a frame is one aligned word.
func (s *segmentReader) wholeBody(offset int64) (bool, error) {
	raw := make([]byte, max(0, min(maxRecord, s.size-offset)))
	n, err := s.file.ReadAt(raw, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	if n < frameBytes {
		return false, nil
	}
	claimed, _ := splitFrame(binary.LittleEndian.Uint64(raw))
	body := raw[frameBytes:n]
	length := recordLength(body)
	if length == 0 || int64(length) == claimed {
		return false, nil
	}
	r, err := decodeRecord(body[:length])
	return err == nil && len(r.Data) > 0 && crc32.Update(s.crc, castagnoli, r.Data) == r.CRC, nil
}

// hasZeroSector is true where a sector-aligned piece of the record is all zero: it was never written.
func hasZeroSector(body []byte, start int64) bool {
	for i := int64(0); i < int64(len(body)); {
		n := sector - (start+i)%sector
		if allZero(body[i:min(i+n, int64(len(body)))]) {
			return true
		}
		i += n
	}
	return false
}

// allZero compares b with itself, shifted by one byte: that runs at the memory's speed.
func allZero(b []byte) bool {
	return len(b) == 0 || b[0] == 0 && bytes.Equal(b[1:], b[:len(b)-1])
}

func (s *segmentReader) body(n int) []byte {
	if cap(s.buf) < n {
		s.buf = make([]byte, n)
	}
	return s.buf[:n]
}
