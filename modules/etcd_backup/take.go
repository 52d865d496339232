package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/restore"
)

// take fills a directory by each method, writes the manifest and gives the directory its name: all or nothing.
func (j *job) take(ctx context.Context, dest string, methods []string) ([]backup.Entry, string, error) {
	dir, err := backup.Create(dest, backup.Stamp(j.now, hostName(j.host)))
	if err != nil {
		return nil, "", err
	}
	defer dir.Abandon() // does nothing once the directory has its name
	m := backup.Manifest{Created: j.now.UTC().Format(time.RFC3339), Host: hostName(j.host), Name: j.host.Config.Name}
	for _, method := range methods {
		entry, files, err := j.one(ctx, dir.Path, method, &m)
		if err != nil {
			return nil, "", err
		}
		m.Backups, m.Files = append(m.Backups, entry), append(m.Files, files...)
	}
	if m.Links, err = backup.DescribeLinks(ctx, dir.Path); err != nil {
		return nil, "", err
	}
	j.links = m.Links
	entries := make([]backup.Entry, len(m.Backups))
	for i, e := range m.Backups {
		entries[i] = e
		entries[i].Path = filepath.Join(dir.Final, relativeTo(dir.Path, e.Path))
	}
	if err := m.Write(dir.Path); err != nil {
		return nil, "", err
	}
	if err := dir.Commit(); err != nil {
		return nil, "", err
	}
	return entries, dir.Final, nil
}

func relativeTo(dir, path string) string {
	rel, err := filepath.Rel(dir, path)
	if err != nil {
		return filepath.Base(path)
	}
	return rel
}

func (j *job) one(ctx context.Context, dir, method string, m *backup.Manifest) (backup.Entry, []backup.File, error) {
	if method == snapshot {
		return j.snapshot(ctx, dir, m)
	}
	return j.stopped(ctx, dir, method, m)
}

func (j *job) snapshot(ctx context.Context, dir string, m *backup.Manifest) (backup.Entry, []backup.File, error) {
	m.MemberID, m.ClusterID, m.Server = j.live.MemberID, j.live.ClusterID, j.live.Version
	stream, err := j.client.Snapshot(ctx)
	if err != nil {
		return backup.Entry{}, nil, err
	}
	defer stream.Close()
	file, err := backup.SaveSnapshot(stream, filepath.Join(dir, backup.SnapshotFile))
	if err != nil {
		return backup.Entry{}, nil, err
	}
	db, err := member.ReadDatabase(file.Path)
	if err != nil {
		return backup.Entry{}, nil, fault.Wrap(fault.Corrupt, err, "the snapshot's sum is right, and its database cannot be read")
	}
	e := backup.Entry{Method: snapshot, Path: file.Path, Bytes: file.Bytes, SHA256: file.SHA256, Revision: &db.Revision, Verified: true, V2LeftOut: j.v2Keys}
	if keys, err := j.client.CountKeys(ctx, db.Revision); err == nil { // it may have been compacted meanwhile
		e.Keys = &keys
	}
	return e, []backup.File{file}, nil
}

// stopped copies a stopped member, and proves afterwards that it has stayed stopped.
func (j *job) stopped(ctx context.Context, dir, method string, m *backup.Manifest) (backup.Entry, []backup.File, error) {
	to := filepath.Join(dir, method)
	files, err := j.files(ctx, method, to)
	if err != nil {
		return backup.Entry{}, nil, err
	}
	left, err := j.host.Left(ctx)
	if err != nil {
		return backup.Entry{}, nil, err
	}
	if len(left) > 0 {
		return backup.Entry{}, nil, fault.New(fault.Refused, "etcd was started while it was copied (%s): the copy cannot be used", strings.Join(left, ", "))
	}
	e := backup.Entry{Method: method, Path: to}
	e.SHA256, e.Bytes = backup.SumOfSums(to, files)
	err = j.judge(ctx, &e, m)
	if err == nil {
		e.Verified = true
	} else if fault.KindOf(err) == fault.Timeout {
		return backup.Entry{}, nil, err
	} else if e.Damage = err.Error(); !j.acceptLoss {
		return backup.Entry{}, nil, fault.New(fault.Corrupt, "%s is damaged, and a copy of it cannot be restored; no backup was made: %v", j.host.DataDir, err).
			WithHint("take the backup from another member; if this data is all that is left, copy it as it is: accept_loss=true (-e etcd_accept_loss=yes)")
	}
	return e, files, nil
}

// judge reads the original and, as etcd_restore does before it uses a backup, the copy; both must have the same revision and number of v2 keys.
func (j *job) judge(ctx context.Context, e *backup.Entry, m *backup.Manifest) error {
	source, err := member.Read(ctx, j.host.DataDir, j.host.WALDir())
	if err != nil {
		return err
	}
	m.MemberID, m.ClusterID = source.ID, source.ClusterID
	e.V2Keys = &source.V2Keys
	if source.Database != nil {
		e.Revision = &source.Database.Revision
	}
	if len(source.Damage) > 0 {
		return source.Damage[0]
	}
	taken, err := restore.Read(ctx, e.Path, e.Method)
	if err != nil {
		return err
	}
	if taken.V2Keys != source.V2Keys || taken.Revision != source.Database.Revision {
		return fault.New(fault.Corrupt, "the copy has revision %d and %d v2 keys, the original %d and %d",
			taken.Revision, taken.V2Keys, source.Database.Revision, source.V2Keys)
	}
	return nil
}

func (j *job) files(ctx context.Context, method, to string) ([]backup.File, error) {
	if method == v2 {
		return backup.V2(ctx, j.state.etcdctl, j.host.DataDir, j.host.WALDir(), to)
	}
	return backup.CopyMember(ctx, j.host.MemberDir(), j.host.WALDir(), to)
}

func lines(r result, check bool) []string {
	verb := "verified"
	if check {
		verb = "would be taken"
	}
	var out []string
	for _, e := range r.Backups {
		did := verb
		if e.Damage != "" {
			did = "DAMAGED, etcd_restore will not take it"
		}
		line := fmt.Sprintf("%s %s: %s, %s", e.Method, did, e.Path, backup.Size(e.Bytes))
		if e.Revision != nil {
			line += fmt.Sprintf(", revision %d", *e.Revision)
		}
		if e.Keys != nil {
			line += ", " + plural(*e.Keys, "key")
		}
		if e.V2Keys != nil {
			line += ", " + plural(*e.V2Keys, "v2 key")
		}
		out = append(out, line)
	}
	for _, m := range r.Missing {
		out = append(out, fmt.Sprintf("%s not taken: %s", m.Method, m.Why))
	}
	return out
}

func plural(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
