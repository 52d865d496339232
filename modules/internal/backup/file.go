package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
)

const (
	chunk = 1 << 20  // one read
	hole  = 64 << 10 // zeros of this length are not written: a preallocated log segment of 64 MB often holds little
)

var zeros [hole]byte

// copyFile copies from to the new file to, sparsely, and syncs it. It returns the sum of what was read.
func copyFile(ctx context.Context, from, to string) (sum string, size int64, err error) {
	return copySparse(ctx, from, to, func(out *os.File) error {
		err := out.Sync()
		forget(out) // so that the read back comes from the disk
		return err
	})
}

// Scratch copies like that for a short while: nothing waits for the disk, and owner and mode are this process's.
func Scratch(ctx context.Context, from, to string) (sum string, err error) {
	sum, _, err = copySparse(ctx, from, to, func(*os.File) error { return nil })
	return sum, err
}

func copySparse(ctx context.Context, from, to string, settle func(*os.File) error) (sum string, size int64, err error) {
	in, err := os.Open(from)
	if err != nil {
		return "", 0, fault.Wrap(fault.Corrupt, err, "%s cannot be read", from)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", 0, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	h := sha256.New()
	err = eachChunk(ctx, in, func(b []byte, offset int64) error {
		var summed sync.WaitGroup
		summed.Go(func() { h.Write(b) }) // while the disk is busy
		size = offset + int64(len(b))
		err := writeSparse(out, b, offset)
		summed.Wait()
		return err
	})
	if err != nil {
		return "", 0, err
	}
	if err := out.Truncate(size); err != nil { // a hole at the end has no byte written behind it
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), size, settle(out)
}

// piece is what one read gave.
type piece struct {
	bytes  []byte
	offset int64
	err    error
}

// eachChunk hands on a file's bytes in their order, and reads the next ones meanwhile.
func eachChunk(ctx context.Context, f *os.File, use func(b []byte, offset int64) error) error {
	ctx, cancel := context.WithCancel(ctx)
	pieces := make(chan piece)
	go readChunks(ctx, f, pieces)
	defer func() {
		cancel()
		for range pieces { // the caller closes the file: not under a read
		}
	}()
	for p := range pieces {
		if len(p.bytes) > 0 {
			if err := use(p.bytes, p.offset); err != nil {
				return err
			}
		}
		if errors.Is(p.err, io.EOF) {
			return nil
		}
		if p.err != nil {
			return p.err
		}
	}
	return nil
}

// readChunks reads by position, never by mmap: a bad sector is then an error, and not a signal that nothing can catch. Two buffers are enough: one is
// taken only after the other was used.
func readChunks(ctx context.Context, f *os.File, pieces chan<- piece) {
	defer close(pieces)
	var buffers [2][chunk]byte
	for i, offset := 0, int64(0); ; i++ {
		p := piece{offset: offset}
		if ctx.Err() == nil {
			var n int
			n, p.err = f.ReadAt(buffers[i%2][:], offset)
			p.bytes, offset = buffers[i%2][:n], offset+int64(n)
			if p.err != nil && !errors.Is(p.err, io.EOF) {
				p.err = fault.Wrap(fault.Corrupt, p.err, "%s cannot be read at byte %d", f.Name(), offset)
			}
		} else {
			p.err = fault.New(fault.Timeout, "%s: the time was over at byte %d", f.Name(), offset)
		}
		pieces <- p
		if p.err != nil {
			return
		}
	}
}

// writeSparse writes what lies between two holes at once.
func writeSparse(out *os.File, b []byte, offset int64) error {
	for len(b) > 0 {
		n := 0
		for n < len(b) && !isHole(b[n:]) {
			n = min(n+hole, len(b))
		}
		if n > 0 {
			if _, err := out.WriteAt(b[:n], offset); err != nil {
				return err
			}
		}
		b, offset = b[n:], offset+int64(n)
		for isHole(b) {
			b, offset = b[hole:], offset+hole
		}
	}
	return nil
}

func isHole(b []byte) bool { return len(b) >= hole && bytes.Equal(b[:hole], zeros[:]) }

func sumFile(ctx context.Context, path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	err = eachChunk(ctx, f, func(b []byte, offset int64) error {
		h.Write(b)
		size = offset + int64(len(b))
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)), size, err
}

func sumText(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// forget drops the file's pages from the cache; a kernel that does not want to is no error.
func forget(f *os.File) {
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}
