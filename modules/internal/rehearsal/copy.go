package rehearsal

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/fault"
)

// privateCopy lays a member directory at `to` that a start of etcd may write: the database and the last log segment are copied,
// since a start writes both through a hard link as well; older segments and snapshots are linked, since it only reads them. It returns
// the sums of what it copied, by path: the largest file need not be read again for the check of the stopped copy.
func privateCopy(ctx context.Context, from, to string) (map[string]string, error) {
	for _, dir := range []string{"wal", "snap"} {
		if err := os.MkdirAll(filepath.Join(to, "member", dir), 0o700); err != nil {
			return nil, err
		}
	}
	segments, err := names(filepath.Join(from, "member", "wal"), ".wal")
	if err != nil {
		return nil, err
	}
	if len(segments) == 0 {
		return nil, fault.New(fault.Refused, "%s holds no log segment; a forced start would make an empty cluster there", filepath.Join(from, "member", "wal"))
	}
	snapshots, err := names(filepath.Join(from, "member", "snap"), ".snap")
	if err != nil {
		return nil, err
	}
	last := len(segments) - 1
	for dir, linked := range map[string][]string{"wal": segments[:last], "snap": snapshots} {
		for _, name := range linked {
			if err := linkOrCopy(ctx, filepath.Join(from, "member", dir, name), filepath.Join(to, "member", dir, name)); err != nil {
				return nil, err
			}
		}
	}
	sums := map[string]string{}
	for _, name := range []string{filepath.Join("wal", segments[last]), "snap/db"} {
		path := filepath.Join(from, "member", name)
		if sums[path], err = backup.Scratch(ctx, path, filepath.Join(to, "member", name)); err != nil {
			return nil, err
		}
	}
	return sums, nil
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

func linkOrCopy(ctx context.Context, from, to string) error {
	err := os.Link(from, to)
	if errors.Is(err, unix.EXDEV) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EMLINK) {
		_, err = backup.Scratch(ctx, from, to)
	}
	return err
}
