package survey

import (
	"context"
	"path/filepath"
	"time"

	"etcd-quorum-restore/modules/internal/cacopy"
	"etcd-quorum-restore/modules/internal/host"
)

// copyOfCA is the best copy of the CA's directory on this host; "" where there is none, or the search took too long: a directory of backups may
// be a network file system that hangs.
func copyOfCA(ctx context.Context, h *host.Host, backupDir string) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	trusted, err := cacopy.Trusted(h.Conf)
	if err != nil {
		return "" // checks say what is wrong with the file
	}
	dirs := []string{filepath.Dir(h.EtcdConf)}
	if backupDir != "" {
		dirs = append(dirs, backupDir)
	}
	found, _, err := cacopy.Find(ctx, trusted, dirs...)
	if err != nil || len(found) == 0 {
		return ""
	}
	return found[0].Path
}
