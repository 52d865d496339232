package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
)

// SnapshotFile is what a snapshot is called within a backup.
const SnapshotFile = "snapshot.db"

const pageMultiple = 512 // a database's size is a multiple of this, so a snapshot's is 32 more

// SaveSnapshot writes a snapshot's stream to path, which must not exist, and checks the sum that the server sends behind the database.
// Memory stays the same whatever the size.
func SaveSnapshot(stream io.Reader, path string) (File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return File{}, err
	}
	sums := &trailer{data: sha256.New()}
	size, err := io.CopyBuffer(onlyWriter{io.MultiWriter(&steady{file: f}, sums)}, onlyReader{stream}, make([]byte, 256<<10))
	st, serr := statOf(f)
	if err = errors.Join(err, serr, f.Sync(), f.Close()); err != nil {
		return File{}, err
	}
	sum, err := sums.check(size)
	if err != nil {
		return File{}, err
	}
	file := File{Path: path, Bytes: size, SHA256: sum}
	file.describe(st)
	return file, nil
}

// VerifySnapshot reads a snapshot's file from the disk and checks it in the same way.
func VerifySnapshot(path string) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	sums := &trailer{data: sha256.New()}
	size, err := io.CopyBuffer(sums, onlyReader{f}, make([]byte, 256<<10))
	if err != nil {
		return File{}, fault.Wrap(fault.Corrupt, err, "%s cannot be read to its end", path)
	}
	sum, err := sums.check(size)
	return File{Path: path, Bytes: size, SHA256: sum}, err
}

// onlyReader and onlyWriter hide ReadFrom and WriteTo, which would ignore the buffer.
type onlyReader struct{ io.Reader }
type onlyWriter struct{ io.Writer }

// steady asks the kernel every few megabytes to begin writing: the sync at the end then has little left to do, and etcd's own syncs on the same
// disk do not wait behind gigabytes.
type steady struct {
	file       *os.File
	done, sent int64
}

const steadyBytes = 8 << 20

func (s *steady) Write(p []byte) (int, error) {
	n, err := s.file.Write(p)
	s.done += int64(n)
	if s.done-s.sent >= steadyBytes {
		_ = unix.SyncFileRange(int(s.file.Fd()), s.sent, s.done-s.sent, unix.SYNC_FILE_RANGE_WRITE) // a filesystem without it writes later
		s.sent = s.done
	}
	return n, err
}

// trailer sums all bytes but the last 32, which hold that sum.
type trailer struct {
	data hash.Hash
	last []byte
}

func (t *trailer) Write(p []byte) (int, error) {
	if len(p) >= sha256.Size {
		t.data.Write(t.last)
		t.data.Write(p[:len(p)-sha256.Size])
		t.last = append(t.last[:0], p[len(p)-sha256.Size:]...)
		return len(p), nil
	}
	t.last = append(t.last, p...)
	if over := len(t.last) - sha256.Size; over > 0 {
		t.data.Write(t.last[:over])
		t.last = append(t.last[:0], t.last[over:]...)
	}
	return len(p), nil
}

// check returns the sum of the whole file: the data's sum, continued over the last 32 bytes.
func (t *trailer) check(size int64) (string, error) {
	switch {
	case size < pageMultiple+sha256.Size:
		return "", fault.New(fault.Corrupt, "the snapshot has %d bytes only: its stream broke off", size)
	case size%pageMultiple == 0:
		return "", fault.New(fault.Corrupt, "the snapshot has %d bytes, which is whole pages and no sum: its stream broke off, or it is a copy of member/snap/db", size).
			WithHint("what was copied from a stopped member is used as a whole: the directory that holds `member`, log included")
	case size%pageMultiple != sha256.Size:
		return "", fault.New(fault.Corrupt, "the snapshot has %d bytes, which is no whole number of pages and a sum: its stream broke off", size)
	case !bytes.Equal(t.last, t.data.Sum(nil)):
		return "", fault.New(fault.Corrupt, "the snapshot's sum is wrong: it was damaged on its way, or by the member's disk").
			WithHint("run it again; if it fails again, take the snapshot from another member")
	}
	t.data.Write(t.last)
	return hex.EncodeToString(t.data.Sum(nil)), nil
}
