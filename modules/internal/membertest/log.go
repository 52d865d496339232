// Package membertest makes the files of a member for tests: logs, snapshots and databases of every form, whole and damaged. It shares no code
// with package member; molecule/walcheck compares its output with etcd's own.
package membertest

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The identity of the member.
const (
	SelfID    = 0xA1
	OtherID   = 0xB2
	ClusterID = 0xC0FFEE
)

// Log writes the segments of a log.
type Log struct {
	Names []string
	Files [][]byte
	Room  int    // zeros behind the last record of the last segment
	CRC   uint32 // of all records so far
	Seq   int    // of the next segment

	ID, Cluster uint64 // of the segments that follow
}

// NewLog begins as etcd does: checksum, metadata, the empty snapshot.
func NewLog() *Log {
	return NewLogOf(SelfID, ClusterID)
}

// NewLogOf is NewLog for another member.
func NewLogOf(id, cluster uint64) *Log {
	b := &Log{Room: 64 << 10, ID: id, Cluster: cluster}
	b.Segment(0)
	b.Raw(5, Numbers(0, 0))
	return b
}

// Segment begins a file; its name says which entry is the first.
func (b *Log) Segment(index uint64) *Log {
	b.Names = append(b.Names, fmt.Sprintf("%016x-%016x.wal", b.Seq, index))
	b.Files = append(b.Files, nil)
	b.Seq++
	b.Append(Number(Number(nil, 1, 4), 2, uint64(b.CRC)))
	b.Raw(1, Numbers(b.ID, b.Cluster))
	return b
}

// Last is the segment being written.
func (b *Log) Last() *[]byte { return &b.Files[len(b.Files)-1] }

// Raw appends a record with data, and updates the checksum.
func (b *Log) Raw(kind uint64, data []byte) *Log {
	b.CRC = crc32.Update(b.CRC, crc32.MakeTable(crc32.Castagnoli), data)
	return b.Append(BytesField(Number(Number(nil, 1, kind), 2, uint64(b.CRC)), 3, data))
}

// Append appends a record as it is, with a frame.
func (b *Log) Append(body []byte) *Log {
	f := b.Last()
	word := uint64(len(body))
	pad := (8 - len(body)%8) % 8
	if pad > 0 {
		word |= uint64(0x80|pad) << 56
	}
	*f = append(binary.LittleEndian.AppendUint64(*f, word), append(body, make([]byte, pad)...)...)
	return b
}

// Entry appends a normal entry.
func (b *Log) Entry(term, index uint64, data string) *Log {
	return b.EntryOf(0, term, index, []byte(data))
}

// EntryOf appends an entry of any type.
func (b *Log) EntryOf(kind, term, index uint64, data []byte) *Log {
	e := Numbers(kind, term, index)
	if data != nil {
		e = BytesField(e, 4, data)
	}
	return b.Raw(2, e)
}

// Hard appends a HardState.
func (b *Log) Hard(term, vote, commit uint64) *Log {
	return b.Raw(3, Numbers(term, vote, commit))
}

// Snap appends the mark of a snapshot.
func (b *Log) Snap(index, term uint64) *Log { return b.Raw(5, Numbers(index, term)) }

// Change appends a membership change; the context is a member as etcd writes it.
func (b *Log) Change(term, index, kind, id uint64, url string) *Log {
	cc := Number(Number(Number(nil, 1, 7), 2, kind), 3, id)
	if url != "" {
		cc = BytesField(cc, 4, fmt.Appendf(nil, `{"id":%d,"peerURLs":["%s"]}`, id, url))
	}
	return b.EntryOf(1, term, index, cc)
}

// V2 is a request of the v2 store, as an entry holds it.
func V2(method, path, value string) []byte {
	r := Number(nil, 1, 99)
	return BytesField(BytesField(BytesField(r, 2, []byte(method)), 3, []byte(path)), 4, []byte(value))
}

// Good is a healthy log: this member and another one, ten entries, two of them beyond the commit index.
func Good() *Log {
	b := NewLog().
		Change(1, 1, 0, SelfID, "http://self:2380").
		Change(1, 2, 0, OtherID, "http://other:2380").
		Hard(2, SelfID, 2).
		EntryOf(0, 2, 3, nil).
		EntryOf(0, 2, 4, V2("PUT", "/0/members/a1/attributes", `{"name":"self","clientURLs":["http://self:2379"]}`))
	for i := uint64(5); i <= 8; i++ {
		b.Entry(2, i, fmt.Sprint("value ", i))
	}
	return b.Hard(2, SelfID, 8).Entry(2, 9, "tail").Entry(2, 10, strings.Repeat("tail ", 30))
}

// At changes the bytes of a log's last segment from an offset on.
func (b *Log) At(offset int, change func(rest []byte)) *Log {
	f := *b.Last()
	if offset < 0 {
		offset += len(f)
	}
	change(f[offset:])
	return b
}

// Flip changes a bit, for At.
func Flip(rest []byte) { rest[0] ^= 1 }

// ZeroFrame ends the log there, for At.
func ZeroFrame(rest []byte) { clear(rest[:8]) }

// Frames are the offsets of the records of the last segment.
func (b *Log) Frames() []int {
	var out []int
	f := *b.Last()
	for at := 0; at < len(f); {
		out = append(out, at)
		length := binary.LittleEndian.Uint64(f[at:]) &^ (0xff << 56)
		at += 8 + int(length+7)&^7
	}
	return out
}

// Frame is the offset of record n, counted from the end where n is negative.
func (b *Log) Frame(n int) int {
	frames := b.Frames()
	return frames[(n+len(frames))%len(frames)]
}

// Claim writes a frame, for At.
func Claim(word uint64) func([]byte) {
	return func(rest []byte) { binary.LittleEndian.PutUint64(rest, word) }
}

// Start is a log of one entry, in which the member adds itself.
func Start() *Log {
	return NewLog().Change(1, 1, 0, SelfID, "http://self:2380").Hard(1, SelfID, 1)
}

// Continue is the log whose only segment is this file, so that a test can append to real data.
func Continue(t testing.TB, path string) *Log {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	end := 0
	for end < len(content) && binary.LittleEndian.Uint64(content[end:]) != 0 {
		end += 8 + int(binary.LittleEndian.Uint64(content[end:])&^(0xff<<56)+7)&^7
	}
	b := &Log{Names: []string{filepath.Base(path)}, Files: [][]byte{content[:end:end]}, Room: len(content) - end}
	last := content[b.Frame(-1)+8:] // type, one byte; checksum
	sum, n := binary.Uvarint(last[3:])
	if last[0] != 1<<3 || last[2] != 2<<3 || n <= 0 {
		t.Fatalf("%s ends in a record that is none", path)
	}
	b.CRC = uint32(sum)
	return b
}
