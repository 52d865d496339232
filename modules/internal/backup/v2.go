package backup

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/safefile"
)

// V2 runs `etcdctl backup` of a STOPPED member and copies its database beside it: the command of 3.2 has the v2 store only. The result
// has new IDs, which keeps it from ever meeting its old cluster.
func V2(ctx context.Context, etcdctl, dataDir, walDir, to string) ([]File, error) {
	before, err := prints(dataDir, walDir)
	if err != nil {
		return nil, err
	}
	args := []string{"backup", "--data-dir", dataDir, "--backup-dir", to}
	if walDir != filepath.Join(dataDir, "member", "wal") {
		args = append(args, "--wal-dir", walDir)
	}
	cmd := exec.CommandContext(ctx, etcdctl, args...)
	cmd.Env = []string{"ETCDCTL_API=2", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fault.New(fault.Internal, "%s backup failed (%v): %s", etcdctl, err, strings.TrimSpace(string(text)))
	}
	if err := os.MkdirAll(filepath.Join(to, "member", "snap"), 0o700); err != nil {
		return nil, err
	}
	db, err := CopyFile(ctx, filepath.Join(dataDir, "member", "snap", "db"), filepath.Join(to, "member", "snap", "db"))
	if err != nil {
		return nil, err
	}
	after, err := prints(dataDir, walDir)
	if err != nil {
		return nil, err
	}
	if before != after {
		return nil, fault.New(fault.Corrupt, "the files in %s changed while %s read them: something writes there", dataDir, etcdctl)
	}
	return seal(ctx, to, db)
}

// prints is what changes when anything in the member's directories does; a ctime cannot be set back.
func prints(dirs ...string) (string, error) {
	var b strings.Builder
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
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

// seal makes another program's files private and durable, and sums them; known is one that was summed already.
func seal(ctx context.Context, root string, known File) ([]File, error) {
	var files []File
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if err := os.Chmod(path, 0o700); err != nil {
				return err
			}
			return safefile.SyncDir(path)
		}
		if path == known.Path {
			files = append(files, known)
			return nil
		}
		f, err := sealFile(ctx, path)
		files = append(files, f)
		return err
	})
	return files, err
}

func sealFile(ctx context.Context, path string) (File, error) {
	if err := os.Chmod(path, 0o600); err != nil {
		return File{}, err
	}
	if err := safefile.SyncDir(path); err != nil { // fsync of a file works in the same way
		return File{}, err
	}
	sum, size, err := sumFile(ctx, path)
	f := File{Path: path, Bytes: size, SHA256: sum}
	if err == nil {
		err = f.describe(path)
	}
	return f, err
}
