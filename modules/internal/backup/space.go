package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
)

// slack is what must stay free beside a backup: for the filesystem's own records, and for others who write there.
const slack = 64 << 20

// Room refuses before the first byte where dest has too little space; it says how much is needed.
func Room(dest string, need int64) error {
	var st unix.Statfs_t
	at := existing(dest)
	if err := unix.Statfs(at, &st); err != nil {
		return fault.Wrap(fault.Internal, err, "free space of %s", at)
	}
	free := int64(st.Bavail) * st.Bsize
	if free < need+slack {
		return fault.New(fault.Refused, "%s has %s free, %s are needed; nothing was written", dest, Size(free), Size(need+slack)).
			WithHint("give another dest, a mounted path outside this host is best")
	}
	return nil
}

// existing is the nearest directory at or above path that exists: dest itself may still have to be made. The path is cleaned first, as it is where
// something is made: /missing/../etc/etcd does not exist as it stands, and is /etc/etcd once cleaned.
func existing(path string) string {
	path = filepath.Clean(path)
	for {
		if _, err := os.Stat(path); err == nil || path == "/" || path == "." {
			return path
		}
		path = filepath.Dir(path)
	}
}

// SameDisk tells whether a and b are on one filesystem: a backup there is lost with the data's disk.
func SameDisk(a, b string) bool {
	var sa, sb unix.Stat_t
	return unix.Stat(existing(a), &sa) == nil && unix.Stat(existing(b), &sb) == nil && sa.Dev == sb.Dev
}

// Inside tells whether path lies in dir; links are followed as far as they exist.
func Inside(path, dir string) bool {
	rel, err := filepath.Rel(resolved(dir), resolved(path))
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

func resolved(path string) string {
	at := existing(path)
	rest, err := filepath.Rel(at, path)
	if err != nil {
		return path
	}
	real, err := filepath.EvalSymlinks(at)
	if err != nil {
		return path
	}
	return filepath.Join(real, rest)
}

// Allocated is the space that the files below root take on disk; holes take none.
func Allocated(ctx context.Context, root string) (int64, error) {
	var total int64
	err := readfile.Walk(ctx, root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return fmt.Errorf("stat %s: %w", path, err)
		}
		total += st.Blocks * 512
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	return total, err
}

// Size is a number of bytes for people.
func Size(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, i := float64(n)/unit, 0
	for value >= unit && i < 3 {
		value, i = value/unit, i+1
	}
	return fmt.Sprintf("%.1f %s", value, []string{"KiB", "MiB", "GiB", "TiB"}[i])
}
