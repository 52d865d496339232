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

// settle makes a copy durable, and makes the next read of it come from the disk.
func settle(out *os.File) error {
	err := out.Sync()
	forget(out)
	return err
}

// Scratch copies a file for a short while: nothing waits for the disk, and owner and mode are this process's. It returns the sum of what
// was read.
func Scratch(ctx context.Context, from, to string) (sum string, err error) {
	in, err := os.OpenFile(from, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return "", fault.Wrap(fault.Corrupt, err, "%s cannot be read", from)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	sum, _, err = copySparse(ctx, in, out)
	return sum, errors.Join(err, out.Close())
}

// copySparse copies in to the empty file out, and returns the sum of what was read.
func copySparse(ctx context.Context, in, out *os.File) (sum string, size int64, err error) {
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
	// a hole at the end: no byte is written behind it
	return hex.EncodeToString(h.Sum(nil)), size, out.Truncate(size)
}

// piece is the result of one read.
type piece struct {
	bytes  []byte
	offset int64
	err    error
}

// eachChunk passes on a file's bytes in order, and reads ahead meanwhile.
func eachChunk(ctx context.Context, f *os.File, use func(b []byte, offset int64) error) error {
	ctx, cancel := context.WithCancel(ctx)
	pieces := make(chan piece)
	go readChunks(ctx, f, pieces)
	defer func() {
		cancel()
		for range pieces { // the caller closes the file: no read may be under way then
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

// readChunks reads by position, never by mmap: a bad sector is then an error, not a signal that nothing can catch. Two buffers are enough: one is
// filled again only after it was used.
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
			p.err = fault.New(fault.Timeout, "%s: the time limit was reached at byte %d", f.Name(), offset)
		}
		pieces <- p
		if p.err != nil {
			return
		}
	}
}

// writeSparse writes what lies between two holes in one call.
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

func sumFile(ctx context.Context, f *os.File) (sum string, size int64, err error) {
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

// forget drops the file's pages from the cache; it is no error where the kernel keeps them.
func forget(f *os.File) {
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}
