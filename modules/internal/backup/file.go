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

// eachChunk reads by position, never by mmap: a bad sector is then an error, and not a signal that nothing can catch.
func eachChunk(ctx context.Context, f *os.File, use func(b []byte, offset int64) error) error {
	buf := make([]byte, chunk)
	for offset := int64(0); ; {
		if ctx.Err() != nil {
			return fault.New(fault.Timeout, "%s: the time was over at byte %d", f.Name(), offset)
		}
		n, rerr := f.ReadAt(buf, offset)
		if n > 0 {
			if err := use(buf[:n], offset); err != nil {
				return err
			}
			offset += int64(n)
		}
		if errors.Is(rerr, io.EOF) {
			return nil
		}
		if rerr != nil {
			return fault.Wrap(fault.Corrupt, rerr, "%s cannot be read at byte %d", f.Name(), offset)
		}
	}
}

func writeSparse(out *os.File, b []byte, offset int64) error {
	for len(b) > 0 {
		n := min(len(b), hole)
		if n < hole || !bytes.Equal(b[:n], zeros[:]) {
			if _, err := out.WriteAt(b[:n], offset); err != nil {
				return err
			}
		}
		b, offset = b[n:], offset+int64(n)
	}
	return nil
}

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
