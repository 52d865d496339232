package restore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/safefile"
)

// stagingName is the directory, within the data directory, in which the member is made: a rename then moves it to its place. What an interrupted
// run left there came from the backup and is made again.
const stagingName = "restoring"

// staging is held by its descriptor, and belongs to root alone until its member is in place: the data directory is another user's, who can give
// its name to another directory, but cannot enter this one.
type staging struct{ data, dir *safefile.Dir }

func (r *Restorer) newStaging() (*staging, error) {
	data, err := safefile.OpenDir(r.Host.DataDir)
	if err != nil {
		return nil, err
	}
	if err := data.RemoveAll(stagingName); err != nil {
		return nil, errors.Join(err, data.Close())
	}
	dir, err := data.Mkdir(stagingName)
	if err != nil {
		return nil, errors.Join(err, data.Close())
	}
	return &staging{data, dir}, nil
}

func (s *staging) close() { _ = errors.Join(s.dir.Close(), s.data.Close()) } // the directories are not written through these

// path is a path for readers and other programs.
func (s *staging) path(names ...string) string {
	return filepath.Join(append([]string{s.dir.At()}, names...)...)
}

// named replaces the path by descriptor in a message with the directory's name.
func (s *staging) named(err error) error {
	text := strings.ReplaceAll(err.Error(), s.dir.At(), s.dir.Path)
	if text == err.Error() {
		return err
	}
	return fault.New(fault.KindOf(err), "%s", text).WithHint("%s", fault.HintOf(err))
}

// lay makes the member in staging, and reads it as etcd would.
func (r *Restorer) lay(ctx context.Context, s *Source, at *staging) (*member.State, error) {
	fill := r.layCopy
	if s.Method == Snapshot {
		fill = r.laySnapshot
	}
	if err := fill(ctx, s, at); err != nil {
		return nil, err
	}
	laid, err := member.Read(ctx, at.path(), "")
	if err == nil && len(laid.Damage) > 0 {
		err = laid.Damage[0]
	}
	if err != nil {
		return nil, fault.Wrap(fault.Corrupt, err, "what was made of the backup in %s", at.dir.Path)
	}
	if laid.Database.Revision != s.Revision || laid.V2Keys != s.V2Keys {
		return nil, fault.New(fault.Corrupt, "what was made of the backup has revision %d and %d v2 keys, the backup %d and %d",
			laid.Database.Revision, laid.V2Keys, s.Revision, s.V2Keys)
	}
	return laid, nil
}

// layCopy copies all but the log, and writes the log again under the new cluster's ID.
func (r *Restorer) layCopy(ctx context.Context, s *Source, at *staging) error {
	made, err := at.dir.Mkdir("member")
	if err != nil {
		return err
	}
	defer made.Close()
	from := filepath.Join(s.Path, "member")
	if _, err := backup.CopyTree(ctx, filepath.Join(from, "snap"), at.path("member", "snap")); err != nil {
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
	return s.state.Reissue(filepath.Join(from, "wal"), at.path("member", "wal"), heir, cluster)
}

// laySnapshot uses the host's own etcdctl: it has the version of the etcd that will read the result.
func (r *Restorer) laySnapshot(ctx context.Context, s *Source, at *staging) error {
	etcdctl, err := r.Binary(ctx, "etcdctl")
	if err != nil {
		return NoEtcdctl(err)
	}
	const to = "snapshot" // etcdctl needs a name that does not exist
	urls := strings.Join(r.PeerURLs, ",")
	args := []string{"snapshot", "restore", s.Path, "--name", r.Name, "--initial-cluster", facts.JoinInitialCluster(facts.ListedAs(r.Name, r.PeerURLs)),
		"--initial-advertise-peer-urls", urls, "--initial-cluster-token", r.token, "--data-dir", at.path(to)}
	if s.NoSum {
		args = append(args, "--skip-hash-check")
	}
	cmd := exec.CommandContext(ctx, etcdctl, args...)
	cmd.Env = []string{"ETCDCTL_API=3", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	text := readfile.Output{Limit: 64 << 10}
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &text, &text, time.Second
	if err := cmd.Run(); err != nil {
		return fault.New(fault.Internal, "%s snapshot restore failed (%v): %s", etcdctl, err, strings.TrimSpace(text.String()))
	}
	made, err := at.dir.OpenDir(to)
	if err != nil {
		return err
	}
	defer made.Close()
	if err := made.Rename("member", at.dir, "member"); err != nil {
		return err
	}
	return at.dir.Remove(to)
}

// NoEtcdctl says what else can be done.
func NoEtcdctl(err error) error {
	return fault.Wrap(fault.Unsupported, err, "a v3 snapshot is restored by the host's own etcdctl, or by its etcd image's").
		WithHint("install the etcd package, or start the node service where etcd is a static pod; or take a backup of method copy or v2, which need no etcdctl")
}

// hand makes the new member durable and private, and gives it to the data directory's owner, with its label: etcd takes a log that it may not
// read for a missing one. The directory above stays root's: nobody sees a half-made member.
func (s *staging) hand() error {
	uid, gid, err := s.data.Owner()
	if err != nil {
		return err
	}
	laid, err := s.dir.OpenDir("member")
	if err != nil {
		return err
	}
	defer laid.Close()
	return errors.Join(s.handDir(laid, uid, gid), s.dir.Sync())
}

// handDir gives a directory away, after everything in it.
func (s *staging) handDir(dir *safefile.Dir, uid, gid int) error {
	entries, err := dir.List()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := s.handEntry(dir, e, uid, gid); err != nil {
			return err
		}
	}
	return errors.Join(dir.Give(uid, gid, 0o700), dir.Label(s.data), dir.Sync())
}

func (s *staging) handEntry(dir *safefile.Dir, e fs.DirEntry, uid, gid int) error {
	switch {
	case e.IsDir():
		sub, err := dir.OpenDir(e.Name())
		if err != nil {
			return err
		}
		defer sub.Close()
		return s.handDir(sub, uid, gid)
	case !e.Type().IsRegular():
		return dir.Remove(e.Name()) // a link in the backup: etcd does not need it
	}
	f, err := dir.Open(e.Name())
	if err != nil {
		return err
	}
	defer f.Close()
	return errors.Join(safefile.Give(f, uid, gid, 0o600), safefile.CopyLabel(s.data.File(), f), f.Sync())
}

// newToken is for ETCD_INITIAL_CLUSTER_TOKEN: with the installed one, wiped hosts would make the old cluster's ID again.
func newToken() (string, error) {
	id, err := member.NewID()
	return fmt.Sprintf("etcd-restored-%s", id), err
}
