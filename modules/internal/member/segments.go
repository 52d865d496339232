package member

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/readfile"
)

// segment is one file of the log, with its sequence and the index of its first record.
type segment struct {
	Name       string
	Seq, Index uint64
}

// maxSegment: etcd cuts a segment at 64 MB, after the record that crosses that. It cannot start on a longer file than the disk has room for,
// since it writes out what it preallocates.
const maxSegment = 1 << 30

func segments(dir string) ([]segment, error) {
	entries, err := readfile.Dir(dir)
	if err != nil {
		return nil, err
	}
	var out []segment
	for _, e := range entries {
		s := segment{Name: e.Name()}
		if !strings.HasSuffix(e.Name(), ".wal") {
			continue
		}
		if n, err := fmt.Sscanf(e.Name(), "%016x-%016x.wal", &s.Seq, &s.Index); err != nil || n != 2 {
			continue // etcd ignores such names too
		}
		out = append(out, s)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Seq < out[j].Seq })
	return out, nil
}

// neededFrom drops the segments that etcd would not read: it begins with the last one whose first index is not above the snapshot's.
func neededFrom(all []segment, index uint64) []segment {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Index <= index {
			return all[i:]
		}
	}
	return nil
}

func holeIn(list []segment) (before, after segment, hole bool) {
	for i := 1; i < len(list); i++ {
		if list[i].Seq != list[i-1].Seq+1 {
			return list[i-1], list[i], true
		}
	}
	return segment{}, segment{}, false
}

// openRegular opens a regular file for reading, and does not wait on a pipe.
func openRegular(path string) (*os.File, int64, error) {
	f, info, err := readfile.Open(path)
	if err != nil {
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// dataIn gives each the pieces of a file between two offsets that are not zero, until each returns false. It skips holes, so that a preallocated
// file takes no time.
func dataIn(f *os.File, from, to int64, each func(offset int64, piece []byte) (more bool, err error)) error {
	buf := make([]byte, 64<<10)
	for from < to {
		if next, err := unix.Seek(int(f.Fd()), from, unix.SEEK_DATA); err == nil {
			from = max(from, next-next%8)
		} else if errors.Is(err, unix.ENXIO) {
			return nil
		}
		if from >= to {
			return nil
		}
		n, err := f.ReadAt(buf[:min(int64(len(buf)), to-from)], from)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if n == 0 {
			return nil
		}
		if !allZero(buf[:n]) {
			if more, err := each(from, buf[:n]); err != nil || !more {
				return err
			}
		}
		from += int64(n)
	}
	return nil
}

func hasData(f *os.File, from, to int64) (found bool, err error) {
	err = dataIn(f, from, to, func(int64, []byte) (bool, error) {
		found = true
		return false, nil
	})
	return found, err
}

// recordBehind looks for a whole record behind the end of the log: etcd writes records at multiples of 8.
func recordBehind(f *os.File, from, to int64) (at int64, found bool, err error) {
	buf := make([]byte, recordHead)
	err = dataIn(f, from+(8-from%8)%8, to, func(offset int64, piece []byte) (bool, error) {
		for i := int64(0); i < int64(len(piece)); i += 8 {
			head := piece[i:]
			if len(head) < recordHead {
				n, err := f.ReadAt(buf, offset+i)
				if err != nil && !errors.Is(err, io.EOF) {
					return false, err
				}
				head = buf[:n]
			}
			if isRecord(head, to-offset-i-frameBytes) {
				at, found = offset+i, true
				return false, nil
			}
		}
		return true, nil
	})
	return at, found, err
}

// Identity is the identity in the log of walDir. It reads only the first records of a segment, whatever the size of the log, and so works on logs
// that are damaged further on. ErrNoMember: there is no log.
func Identity(walDir string) (id, clusterID facts.ID, err error) {
	all, err := segments(walDir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(all) == 0 {
		return 0, 0, ErrNoMember
	}
	if err != nil {
		return 0, 0, err
	}
	for i := len(all) - 1; i >= 0; i-- { // every segment begins with the metadata; the newest one is the one most surely needed
		if id, clusterID, err = identityOf(filepath.Join(walDir, all[i].Name)); err == nil {
			return id, clusterID, nil
		}
	}
	return 0, 0, err
}

func identityOf(path string) (id, clusterID facts.ID, err error) {
	f, size, err := openRegular(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	in := newSegmentReader(f, size, 0, false)
	for range 4 { // checksum, metadata, and what etcd may put there later
		r, err := in.next()
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", path, err)
		}
		if r.Type == typeMetadata {
			return decodeIdentity(r.Data)
		}
	}
	return 0, 0, fmt.Errorf("%s does not begin with a metadata record", path)
}
