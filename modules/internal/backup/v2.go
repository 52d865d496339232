package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/safefile"
)

// V2 runs `etcdctl backup` of a STOPPED member and copies its database beside it: the command of 3.2 has the v2 store only. The result
// has new IDs, which keeps it from ever meeting its old cluster.
func V2(ctx context.Context, etcdctl, dataDir, walDir, to string) ([]File, error) {
	before, err := prints(ctx, dataDir, walDir)
	if err != nil {
		return nil, err
	}
	args := []string{"backup", "--data-dir", dataDir, "--backup-dir", to}
	if walDir != filepath.Join(dataDir, "member", "wal") {
		args = append(args, "--wal-dir", walDir)
	}
	cmd := exec.CommandContext(ctx, etcdctl, args...)
	cmd.Env = []string{"ETCDCTL_API=2", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	text := readfile.Output{Limit: 64 << 10}
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &text, &text, time.Second
	if err := cmd.Run(); err != nil {
		return nil, fault.New(fault.Internal, "%s backup failed (%v): %s", etcdctl, err, strings.TrimSpace(text.String()))
	}
	if err := os.MkdirAll(filepath.Join(to, "member", "snap"), 0o700); err != nil {
		return nil, err
	}
	db, err := CopyFile(ctx, filepath.Join(dataDir, "member", "snap", "db"), filepath.Join(to, "member", "snap", "db"))
	if err != nil {
		return nil, err
	}
	after, err := prints(ctx, dataDir, walDir)
	if err != nil {
		return nil, err
	}
	if before != after {
		return nil, fault.New(fault.Corrupt, "the files in %s changed while %s read them: something writes there", dataDir, etcdctl)
	}
	return seal(ctx, to, db)
}

// prints changes whenever anything in the member's directories does: a ctime cannot be set back.
func prints(ctx context.Context, dirs ...string) (string, error) {
	var b strings.Builder
	for _, dir := range dirs {
		err := readfile.Walk(ctx, dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			var st unix.Stat_t
			if err := unix.Lstat(path, &st); err != nil {
				return err
			}
			fmt.Fprintln(&b, path, d.Type(), st.Size, st.Mtim, st.Ctim)
			return nil
		})
		if err != nil {
			return "", fault.Wrap(fault.Corrupt, err, "%s cannot be read", dir)
		}
	}
	return b.String(), nil
}

// seal makes the files that another program wrote private and durable, and sums them; known is one that has its sum already.
func seal(ctx context.Context, root string, known File) ([]File, error) {
	dir, err := safefile.OpenDir(root)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return sealDir(ctx, dir, known)
}

func sealDir(ctx context.Context, dir *safefile.Dir, known File) ([]File, error) {
	entries, err := dir.List()
	if err != nil {
		return nil, err
	}
	var files []File
	for _, e := range entries {
		more, err := sealEntry(ctx, dir, e, known)
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	return files, errors.Join(dir.File().Chmod(0o700), dir.Sync())
}

func sealEntry(ctx context.Context, dir *safefile.Dir, e fs.DirEntry, known File) ([]File, error) {
	if filepath.Join(dir.Path, e.Name()) == known.Path {
		return []File{known}, nil
	}
	if e.IsDir() {
		sub, err := dir.OpenDir(e.Name())
		if err != nil {
			return nil, err
		}
		defer sub.Close()
		return sealDir(ctx, sub, known)
	}
	f, err := dir.Open(e.Name())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := errors.Join(f.Chmod(0o600), f.Sync()); err != nil {
		return nil, err
	}
	sum, size, err := sumFile(ctx, f)
	if err != nil {
		return nil, err
	}
	st, err := statOf(f)
	file := File{Path: f.Name(), Bytes: size, SHA256: sum}
	file.describe(st)
	return []File{file}, err
}
