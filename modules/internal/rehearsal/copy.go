package rehearsal

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"syscall"

	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/program"
	"etcd-quorum-restore/modules/internal/readfile"
)

// privateCopy makes a copy of a member directory at `to` for a start of etcd. Nothing is linked: etcd opens all of its log for writing, and the
// original must stay as it is. It returns the sums of what it copied, by path: to check the original, these files need not be read again.
func privateCopy(ctx context.Context, from, to string) (map[string]string, error) {
	sums := map[string]string{}
	for _, each := range []struct{ dir, suffix string }{{"wal", ".wal"}, {"snap", ".snap"}, {"snap", "db"}} {
		source, target := filepath.Join(from, "member", each.dir), filepath.Join(to, "member", each.dir)
		if err := os.MkdirAll(target, 0o700); err != nil {
			return nil, err
		}
		files, err := names(source, each.suffix)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 && each.dir == "wal" {
			return nil, fault.New(fault.Refused, "%s holds no log segment; a forced start would make an empty cluster there", source)
		}
		for _, name := range files {
			path := filepath.Join(source, name)
			if sums[path], err = backup.Scratch(ctx, path, filepath.Join(target, name)); err != nil {
				return nil, err
			}
		}
	}
	return sums, nil
}

// names lists the files with a suffix, sorted: log segments sort by their sequence.
func names(dir, suffix string) ([]string, error) {
	entries, err := readfile.Dir(dir)
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

// handOver gives the copy to the account that etcd runs as, the directories last: until then nobody else can reach their content. On a share that
// squashes root nothing can be given away; there etcd runs as the user that root's files belong to.
func handOver(dir string, to program.Account) (program.Account, error) {
	var dirs []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
			return nil
		}
		return errors.Join(err, os.Lchown(path, int(to.UID), int(to.GID)))
	})
	for _, d := range slices.Backward(dirs) {
		err = errors.Join(err, os.Lchown(d, int(to.UID), int(to.GID)))
	}
	if !errors.Is(err, fs.ErrPermission) {
		return to, err
	}
	info, statErr := os.Stat(dir)
	if statErr != nil {
		return to, statErr
	}
	owner := info.Sys().(*syscall.Stat_t)
	if owner.Uid == 0 {
		return to, err
	}
	return program.Account{UID: owner.Uid, GID: owner.Gid}, nil
}
