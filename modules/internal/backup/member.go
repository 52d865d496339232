package backup

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/safefile"
)

// CopyMember copies a stopped member to to/member. A log directory that lies elsewhere (ETCD_WAL_DIR) is put in its usual place, so that the copy
// is complete by itself. A member behind a link is refused: the copy would hold the link.
func CopyMember(ctx context.Context, memberDir, walDir, to string) ([]File, error) {
	if err := os.Mkdir(to, 0o700); err != nil {
		return nil, err
	}
	target := filepath.Join(to, "member")
	files, err := CopyTree(ctx, memberDir, target)
	if err != nil {
		return nil, err
	}
	if walDir != filepath.Join(memberDir, "wal") {
		more, err := CopyTree(ctx, walDir, filepath.Join(target, "wal"))
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	if err := whole(ctx, target, memberDir); err != nil {
		return nil, err
	}
	return files, safefile.SyncDir(to)
}

// whole refuses a link in place of what etcd needs.
func whole(ctx context.Context, target, memberDir string) error {
	links, err := DescribeLinks(ctx, target)
	if err != nil {
		return err
	}
	for _, l := range links {
		name := relative(target, l.Path)
		needed := name == "wal" || name == "snap" || name == "snap/db" || strings.HasSuffix(name, ".wal") || strings.HasSuffix(name, ".snap")
		if needed {
			path := filepath.Join(memberDir, name)
			return fault.New(fault.Refused, "%s is a link to %q, and links in a data directory are not followed: the copy would lack it", path, l.Target).
				WithHint("put in its place what it leads to, by `mount --bind` where that is another disk; or name a log directory by ETCD_WAL_DIR")
		}
	}
	return nil
}
