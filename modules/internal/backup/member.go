package backup

import (
	"context"
	"os"
	"path/filepath"

	"etcd-quorum-restore/modules/internal/safefile"
)

// CopyMember copies a stopped member to to/member. A log directory that lies elsewhere (ETCD_WAL_DIR) is put in its usual place, so that
// the copy is whole by itself.
func CopyMember(ctx context.Context, memberDir, walDir, to string) ([]File, error) {
	if err := os.Mkdir(to, 0o700); err != nil {
		return nil, err
	}
	target := filepath.Join(to, "member")
	files, err := CopyTree(ctx, memberDir, target, FollowLinks)
	if err != nil {
		return nil, err
	}
	if walDir != filepath.Join(memberDir, "wal") {
		more, err := CopyTree(ctx, walDir, filepath.Join(target, "wal"), FollowLinks)
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	return files, safefile.SyncDir(to)
}
