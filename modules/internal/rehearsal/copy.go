package rehearsal

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
)

// privateCopy lays a member directory at `to` that a start of etcd may write: the database and the last log segment are copied,
// since a start writes both through a hard link as well; older segments and snapshots are linked, since it only reads them.
func privateCopy(from, to string) error {
	for _, dir := range []string{"wal", "snap"} {
		if err := os.MkdirAll(filepath.Join(to, "member", dir), 0o700); err != nil {
			return err
		}
	}
	segments, err := names(filepath.Join(from, "member", "wal"), ".wal")
	if err != nil {
		return err
	}
	if len(segments) == 0 {
		return fault.New(fault.Refused, "%s holds no log segment; a forced start would make an empty cluster there", filepath.Join(from, "member", "wal"))
	}
	last := segments[len(segments)-1]
	for _, name := range segments[:len(segments)-1] {
		if err := linkOrCopy(filepath.Join(from, "member", "wal", name), filepath.Join(to, "member", "wal", name)); err != nil {
			return err
		}
	}
	if err := copySparse(filepath.Join(from, "member", "wal", last), filepath.Join(to, "member", "wal", last)); err != nil {
		return err
	}
	snapshots, err := names(filepath.Join(from, "member", "snap"), ".snap")
	if err != nil {
		return err
	}
	for _, name := range snapshots {
		if err := linkOrCopy(filepath.Join(from, "member", "snap", name), filepath.Join(to, "member", "snap", name)); err != nil {
			return err
		}
	}
	return copySparse(filepath.Join(from, "member", "snap", "db"), filepath.Join(to, "member", "snap", "db"))
}

// names lists the files with a suffix, sorted: log segments sort by their sequence.
func names(dir, suffix string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasSuffix(e.Name(), suffix) {
			out = append(out, e.Name())
		}
	}
	sort.Strings(out)
	return out, nil
}

func linkOrCopy(from, to string) error {
	err := os.Link(from, to)
	if errors.Is(err, unix.EXDEV) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EMLINK) {
		return copySparse(from, to)
	}
	return err
}

// copySparse copies a file and leaves runs of zeros as holes: a preallocated segment of 64 MB often holds little.
func copySparse(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	buf := make([]byte, 1<<20)
	for offset := int64(0); ; {
		n, rerr := in.ReadAt(buf, offset)
		if n > 0 && !allZero(buf[:n]) {
			if _, err := out.WriteAt(buf[:n], offset); err != nil {
				return err
			}
		}
		offset += int64(n)
		if errors.Is(rerr, io.EOF) {
			return out.Truncate(info.Size())
		}
		if rerr != nil {
			return fault.Wrap(fault.Corrupt, rerr, "read %s at %d", from, offset)
		}
	}
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
