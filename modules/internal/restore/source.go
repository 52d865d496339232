package restore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/member"
)

// Methods of a backup, the most complete first.
const (
	Copy     = "copy"
	V2       = "v2"
	Snapshot = "snapshot"
)

var methods = []string{Copy, V2, Snapshot}

// Source is a backup that was read in full, and whose sums are right.
type Source struct {
	Path     string `json:"path"`   // of the snapshot's file, or of the directory that holds `member`
	Method   string `json:"method"` // copy, v2, snapshot
	Created  string `json:"created,omitempty"`
	Host     string `json:"host,omitempty"`
	Bytes    int64  `json:"bytes"`
	Revision int64  `json:"revision"`
	V2Keys   int64  `json:"v2_keys"`
	Lost     int64  `json:"v2_keys_lost"` // keys that the member had, and that this backup does not hold
	Checked  bool   `json:"checked"`      // against the sums of backup.json, or the sum within the snapshot
	Lacks    string `json:"lacks,omitempty"`
	// NoSum: a bare copy of the database. Only its pages show that it is whole.
	NoSum bool `json:"-"`
	// LostKnown: the member was asked for its v2 keys when the snapshot was taken.
	LostKnown bool `json:"-"`
	state     *member.State
}

// Find reads the backup at path: a directory that etcd_backup made, one of the backups in it, a snapshot's file of any tool, or a directory with
// a stopped copy.
func Find(ctx context.Context, path, method string) (*Source, error) {
	path = filepath.Clean(path)
	info, err := os.Stat(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "there is no backup %s", path).WithHint("without backup=, the backups of this host are listed")
	}
	if err := backup.Trusted(path); err != nil {
		return nil, err
	}
	for _, dir := range []string{path, filepath.Dir(path)} {
		if _, err := os.Lstat(filepath.Join(dir, backup.ManifestFile)); err == nil {
			return fromManifest(ctx, dir, path, method)
		}
	}
	switch {
	case strings.HasSuffix(path, ".partial"):
		return nil, fault.New(fault.Refused, "%s was left by an interrupted run and is not whole", path)
	case info.Mode().IsRegular():
		return readFile(ctx, path)
	case !info.IsDir():
		return nil, fault.New(fault.Invalid, "%s is neither a file nor a directory", path)
	}
	return fromLoose(ctx, path, method)
}

// fromManifest compares all files of the backup with their sums, not only those that are used.
func fromManifest(ctx context.Context, dir, path, method string) (*Source, error) {
	m, err := backup.Verify(ctx, dir)
	if err != nil {
		return nil, err
	}
	e, err := choose(m, dir, path, method)
	if err != nil {
		return nil, err
	}
	s := &Source{Path: filepath.Join(dir, e.Path), Method: e.Method, Created: m.Created, Host: m.Host, Checked: true}
	if s.LostKnown = e.V2LeftOut != nil; s.LostKnown {
		s.Lost = *e.V2LeftOut
	}
	if err := s.read(ctx); err != nil {
		return nil, err
	}
	if e.Revision != nil && *e.Revision != s.Revision {
		return nil, fault.New(fault.Corrupt, "%s is at revision %d; its manifest says %d", s.Path, s.Revision, *e.Revision)
	}
	return s, nil
}

// choose takes the entry that was asked for, by its path or its method, else the most complete one.
func choose(m backup.Manifest, dir, path, method string) (backup.Entry, error) {
	var have []string
	for _, want := range methods {
		i := slices.IndexFunc(m.Backups, func(e backup.Entry) bool { return e.Method == want })
		if i < 0 {
			continue
		}
		have = append(have, want)
		if named := path == filepath.Join(dir, m.Backups[i].Path); named || path == dir && (method == "auto" || method == want) {
			return m.Backups[i], nil
		}
	}
	if len(have) == 0 {
		return backup.Entry{}, fault.New(fault.Invalid, "%s holds no data of etcd (perhaps the copy of /etc/etcd: etcd_config_backup state=restored puts that back)", dir)
	}
	return backup.Entry{}, fault.New(fault.Invalid, "%s has no backup of method %s; it has %s", dir, method, strings.Join(have, ", "))
}

// Read checks a backup without its manifest: the directory that holds `member`, or a snapshot's file. etcd_backup calls it for what it has just
// taken, so that "verified" means "can be restored".
func Read(ctx context.Context, path, method string) (*Source, error) {
	s := &Source{Path: path, Method: method}
	return s, s.read(ctx)
}

func (s *Source) read(ctx context.Context) error {
	if s.Method == Snapshot {
		return s.readSnapshot()
	}
	state, err := member.Read(ctx, s.Path, "")
	if errors.Is(err, member.ErrNoMember) {
		return fault.New(fault.Invalid, "%s is no backup: expected a directory of etcd_backup, a snapshot, or a stopped copy that holds `member`", s.Path)
	}
	if err != nil {
		return fault.Wrap(fault.Corrupt, err, "%s", s.Path)
	}
	if len(state.Damage) > 0 {
		return fault.New(fault.Corrupt, "the backup %s is damaged (%s): %s %s", s.Path, state.Damage[0].Code, state.Damage[0].File, state.Damage[0].Text).
			WithHint("take another backup")
	}
	s.state, s.Revision, s.V2Keys = state, state.Database.Revision, state.V2Keys
	s.Bytes, err = backup.Allocated(ctx, filepath.Join(s.Path, "member"))
	return err
}

func (s *Source) readSnapshot() error {
	file, err := backup.VerifySnapshot(s.Path)
	if err != nil {
		return err
	}
	db, err := member.ReadDatabase(s.Path)
	if err != nil {
		return fault.Wrap(fault.Corrupt, err, "the snapshot's sum is right, and its database cannot be read")
	}
	s.Bytes, s.Revision, s.Checked = file.Bytes, db.Revision, true
	return nil
}

// KeepsAll refuses a snapshot of a cluster that has v2 keys, since its restore begins with an empty v2 store; and a bare copy of a database.
func (s *Source) KeepsAll(acceptLoss bool) error {
	switch {
	case acceptLoss:
		return nil
	case s.NoSum:
		return fault.New(fault.Refused, "%s has no sum at its end: it is a bare copy of a database, at revision %d. All its pages could be read; it lacks what only the log held, and v2 keys",
			s.Path, s.Revision).
			WithHint("take another backup where there is one; or give up what it lacks: -e etcd_backup=%s -e etcd_accept_loss=yes", s.Path)
	case s.Lost == 0:
		return nil
	}
	return fault.New(fault.Refused, "%s is a v3 snapshot, and the member that it was taken of also had %d v2 keys (flannel's, or of older releases), which would be lost", s.Path, s.Lost).
		WithHint("take a backup of method copy or v2 of the same time, which keeps both; or give them up: -e etcd_accept_loss=yes")
}

// Line is the backup in one line for people.
func (s *Source) Line() string {
	line := fmt.Sprintf("%s  %s, %s, revision %d", s.Path, s.Method, backup.Size(s.Bytes), s.Revision)
	if s.Method != Snapshot {
		line += fmt.Sprintf(", v2 keys %d", s.V2Keys)
	} else if s.Lost > 0 {
		line += fmt.Sprintf(", WITHOUT %d v2 keys", s.Lost)
	}
	if s.Lacks != "" {
		line += "; it lacks " + s.Lacks
	}
	return line
}
