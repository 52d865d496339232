// Package readfile is the only way in which modules read files. Most of the places belong to user etcd, who can put a pipe, a link to a device or
// an endless file there: opening the first waits for ever, reading the others uses up all memory.
package readfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// Limits for Read.
const (
	Text = 1 << 20  // settings, records, certificates: some kB in practice
	Long = 64 << 20 // master-config.yaml, inventories, and other files that may grow long
)

// ErrNotRegular is a pipe, a device, a socket or a directory where a file is expected.
var ErrNotRegular error = notRegular{}

type notRegular struct{}

func (notRegular) Error() string { return "not a regular file" }

// BadPath tells package fault that the caller has named the wrong path.
func (notRegular) BadPath() {}

// ErrTooLong is a file with more bytes than it may have, or a directory with more names.
var ErrTooLong error = tooLong{}

type tooLong struct{}

func (tooLong) Error() string { return "too long" }

// BadPath tells package fault that this is neither a bug nor a failure of the machine.
func (tooLong) BadPath() {}

// Open opens a regular file for reading, through links. It never waits, and opens nothing else, not even to look at it: a watchdog resets the host
// and a tape is wound back once they were open. For a missing file the error is os.ErrNotExist.
func Open(path string) (*os.File, os.FileInfo, error) { return openFile(path, unix.O_RDONLY) }

// OpenToWrite is Open for reading and writing in place.
func OpenToWrite(path string) (*os.File, os.FileInfo, error) { return openFile(path, unix.O_RDWR) }

func openFile(path string, how int) (*os.File, os.FileInfo, error) {
	at, err := open(path, path, unix.O_PATH) // finds the file without opening it
	if err != nil {
		return nil, nil, err
	}
	defer at.Close()
	info, err := at.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &os.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	}
	if err != nil {
		return nil, nil, err
	}
	f, err := open(fmt.Sprintf("/proc/self/fd/%d", at.Fd()), path, how|unix.O_NONBLOCK)
	if err != nil {
		return nil, nil, err
	}
	if OfTheKernel(f) {
		return nil, nil, errors.Join(&os.PathError{Op: "open", Path: path, Err: ErrNotRegular}, f.Close())
	}
	return f, info, nil
}

// open opens a path under the name that messages have.
func open(path, name string, flags int) (*os.File, error) {
	for {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, &os.PathError{Op: "open", Path: name, Err: err}
		}
		return os.NewFile(uintptr(fd), name), nil
	}
}

// OfTheKernel is true for files below /proc and /sys, which look like regular files. A link to /proc/kmsg waits for ever, one to /proc/1/environ
// shows what only root may know, and no file that is read here belongs there.
func OfTheKernel(f *os.File) bool {
	var st unix.Statfs_t
	if unix.Fstatfs(int(f.Fd()), &st) != nil {
		return false
	}
	return slices.Contains(kernels, int64(st.Type))
}

var kernels = []int64{unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.DEBUGFS_MAGIC, unix.TRACEFS_MAGIC, unix.SECURITYFS_MAGIC, unix.SELINUX_MAGIC,
	unix.CGROUP_SUPER_MAGIC, unix.CGROUP2_SUPER_MAGIC, unix.BPF_FS_MAGIC, unix.PSTOREFS_MAGIC, unix.EFIVARFS_MAGIC}

// Read is the content of a regular file of at most limit bytes.
func Read(path string, limit int64) ([]byte, error) {
	f, _, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) > limit {
		return nil, &os.PathError{Op: "read", Path: path, Err: fmt.Errorf("%w: more than %d bytes", ErrTooLong, limit)}
	}
	return raw, nil
}

// Pair reads two files that belong together, a certificate and its key.
func Pair(one, other string, limit int64) (a, b []byte, err error) {
	if a, err = Read(one, limit); err != nil {
		return nil, nil, err
	}
	b, err = Read(other, limit)
	return a, b, err
}
