package restore

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/safefile"
)

// staging is where the member is laid, within the data directory: a rename then puts it in its place. What an interrupted run has left
// there came from the backup and is made again.
func (r *Restorer) staging() string { return filepath.Join(r.Host.DataDir, "restoring") }

// lay makes the member in staging, and reads it as etcd would.
func (r *Restorer) lay(ctx context.Context, s *Source) (*member.State, error) {
	if err := os.RemoveAll(r.staging()); err != nil {
		return nil, err
	}
	fill := r.layCopy
	if s.Method == Snapshot {
		fill = r.laySnapshot
	}
	if err := fill(ctx, s); err != nil {
		return nil, err
	}
	laid, err := member.Read(r.staging(), "")
	if err == nil && len(laid.Damage) > 0 {
		err = laid.Damage[0]
	}
	if err != nil {
		return nil, fault.Wrap(fault.Corrupt, err, "what was made of the backup in %s", r.staging())
	}
	if laid.Database.Revision != s.Revision || laid.V2Keys != s.V2Keys {
		return nil, fault.New(fault.Corrupt, "what was made of the backup has revision %d and %d v2 keys, the backup %d and %d",
			laid.Database.Revision, laid.V2Keys, s.Revision, s.V2Keys)
	}
	return laid, adopt(r.staging(), r.Host.DataDir)
}

// layCopy copies all but the log, and writes the log anew under the new cluster's ID.
func (r *Restorer) layCopy(ctx context.Context, s *Source) error {
	for _, dir := range []string{r.staging(), filepath.Join(r.staging(), "member")} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
	}
	from, to := filepath.Join(s.Path, "member"), filepath.Join(r.staging(), "member")
	if _, err := backup.CopyTree(ctx, filepath.Join(from, "snap"), filepath.Join(to, "snap"), backup.FollowLinks); err != nil {
		return err
	}
	heir, err := s.state.Heir(r.PeerURLs)
	if err != nil {
		return err
	}
	cluster, err := member.NewID()
	if err != nil {
		return err
	}
	return s.state.Reissue(filepath.Join(from, "wal"), filepath.Join(to, "wal"), heir, cluster)
}

// laySnapshot has the host's own etcdctl do it, which is of the etcd that will read it.
func (r *Restorer) laySnapshot(ctx context.Context, s *Source) error {
	etcdctl, err := r.Binary(ctx, "etcdctl")
	if err != nil {
		return NoEtcdctl(err)
	}
	urls := strings.Join(r.PeerURLs, ",")
	var initial []string
	for _, url := range r.PeerURLs {
		initial = append(initial, r.Name+"="+url)
	}
	cmd := exec.CommandContext(ctx, etcdctl, "snapshot", "restore", s.Path, "--name", r.Name, "--initial-cluster", strings.Join(initial, ","),
		"--initial-advertise-peer-urls", urls, "--initial-cluster-token", r.token, "--data-dir", r.staging())
	cmd.Env = []string{"ETCDCTL_API=3", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	if text, err := cmd.CombinedOutput(); err != nil {
		return fault.New(fault.Internal, "%s snapshot restore failed (%v): %s", etcdctl, err, strings.TrimSpace(string(text)))
	}
	return nil
}

// NoEtcdctl says what else there is.
func NoEtcdctl(err error) error {
	return fault.Wrap(fault.Unsupported, err, "a v3 snapshot is restored by the host's own etcdctl, or by its etcd image's").
		WithHint("install the etcd package, or start the node service where etcd is a static pod; or take a backup of method copy or v2, which need no etcdctl")
}

// adopt makes all files durable, private, and the data directory's owner's, with its label: etcd takes a log that it may not read for none.
func adopt(root, model string) error {
	var st unix.Stat_t
	if err := unix.Stat(model, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: model, Err: err}
	}
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o600)
		if d.IsDir() {
			mode = 0o700
		}
		if err := os.Chown(path, int(st.Uid), int(st.Gid)); err != nil {
			return err
		}
		if err := os.Chmod(path, mode); err != nil {
			return err
		}
		if err := safefile.CopyXattrs(model, path); err != nil {
			return err
		}
		return safefile.SyncDir(path) // fsync of a file works in the same way
	})
}

// newToken is for ETCD_INITIAL_CLUSTER_TOKEN: with the installed one, wiped hosts would make the old cluster's ID again.
func newToken() (string, error) {
	id, err := member.NewID()
	return fmt.Sprintf("etcd-restored-%s", etcd.FormatID(id)), err
}
