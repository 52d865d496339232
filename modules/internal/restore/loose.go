package restore

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/readfile"
)

// Backups that the chapter's own commands leave have no manifest: DIR/db of `snapshot save`, DIR/member of `etcdctl backup`, with or without
// member/snap/db copied into it, and a bare copy of member/snap/db.
const (
	lacksManifest = "no backup.json: there are no sums to compare it with, its log and database are read in full"
	lacksV2       = "v2 keys: a v3 snapshot holds none"
	lacksLog      = "a sum, v2 keys, and what only the log held: it is a bare copy of the database"
)

// loose is a backup without a manifest, and what it lacks.
type loose struct {
	path, method, lacks string
	data                string // the file whose date is the backup's date
}

// looseIn lists them, the most complete first: in the directory, or where `cp -a /var/lib/etcd` and a name with `member` at its end put them.
func looseIn(dir string) (out []loose) {
	for _, at := range []string{dir, filepath.Join(dir, "etcd"), filepath.Dir(dir)} {
		bare := filepath.Join(at, "member", "snap", "db")
		switch {
		case at == filepath.Dir(dir) && filepath.Base(dir) != "member" || !readfile.IsFile(bare):
		case readfile.IsDir(filepath.Join(at, "member", "wal")):
			out = append(out, loose{at, Copy, lacksManifest, bare})
		default:
			out = append(out, loose{bare, Snapshot, lacksLog, bare})
		}
	}
	snapshots, _ := filepath.Glob(filepath.Join(escape(dir), "*.db"))
	for _, db := range append([]string{filepath.Join(dir, "db")}, snapshots...) {
		if readfile.IsFile(db) {
			out = append(out, loose{db, Snapshot, lacksV2, db})
		}
	}
	if bare := filepath.Join(dir, "snap", "db"); len(out) == 0 && readfile.IsFile(bare) && !readfile.IsDir(filepath.Join(dir, "wal")) {
		out = append(out, loose{bare, Snapshot, lacksLog, bare})
	}
	return out
}

// escape keeps a directory's name from being read as a pattern.
func escape(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// contentOfMember is true for a copy of what is in `member`, without that directory.
func contentOfMember(dir string) bool {
	return filepath.Base(dir) != "member" && readfile.IsFile(filepath.Join(dir, "snap", "db")) && readfile.IsDir(filepath.Join(dir, "wal"))
}

func howToWrap(dir string) string {
	return fmt.Sprintf("cd %s && mkdir member && mv snap wal member", dir)
}

// fromLoose reads a directory without a manifest: the most complete backup in it, or the next where that is damaged.
func fromLoose(ctx context.Context, dir, method string) (*Source, error) {
	var first error
	for _, l := range looseIn(dir) {
		if method != "auto" && method != l.method {
			continue
		}
		s, err := l.read(ctx)
		if err == nil {
			return s, nil
		}
		first = cmp.Or(first, err)
	}
	if first != nil {
		return nil, first
	}
	if contentOfMember(dir) {
		return nil, fault.New(fault.Invalid, "%s holds what belongs into a directory `member`", dir).WithHint("make it so, then run this again: %s", howToWrap(dir))
	}
	return Read(ctx, dir, Copy)
}

func (l loose) read(ctx context.Context) (*Source, error) {
	if l.method == Snapshot {
		return readFile(ctx, l.path)
	}
	s, err := Read(ctx, l.path, Copy)
	s.Lacks = l.lacks
	return s, err
}

// readFile reads a snapshot, or a bare copy of a database: that has whole pages, and no sum at its end.
func readFile(ctx context.Context, path string) (*Source, error) {
	s := &Source{Path: path, Method: Snapshot, Lacks: lacksV2}
	err := s.readSnapshot()
	if info, statErr := os.Stat(path); err != nil && statErr == nil && info.Size() > 0 && info.Size()%512 == 0 {
		db, bad := member.ReadDatabase(path)
		if bad != nil {
			return s, fault.Wrap(fault.Corrupt, bad, "%s has no sum at its end, as a bare copy of a database, and cannot be read as one", path)
		}
		s.NoSum, s.Lacks, s.Bytes, s.Revision, err = true, lacksLog, info.Size(), db.Revision, nil
	}
	if err != nil {
		return s, err
	}
	// The v2 backup beside it shows how many v2 keys there were.
	if beside, err := member.Read(ctx, filepath.Dir(path), ""); err == nil && beside.V2Keys > 0 {
		s.Lost, s.LostKnown = beside.V2Keys, true
	}
	return s, nil
}

// looseCandidates are listed without being read.
func looseCandidates(ctx context.Context, dir string) (out []Candidate) {
	for _, l := range looseIn(dir) {
		c := Candidate{Path: l.path, Method: l.method, Lacks: l.lacks}
		if info, err := os.Stat(l.data); err == nil {
			c.Created, c.Bytes = stamp(info), info.Size()
		}
		if l.method == Copy {
			if size, err := backup.Allocated(ctx, filepath.Join(dir, "member")); err == nil {
				c.Bytes = size
			}
		}
		out = append(out, c)
	}
	if contentOfMember(dir) && len(out) == 0 {
		out = append(out, Candidate{Path: dir, Method: Copy, Problem: "it holds what belongs into a directory `member`: " + howToWrap(dir)})
	}
	if wal := filepath.Join(dir, "member", "wal"); len(out) == 0 && readfile.IsDir(wal) {
		info, err := os.Stat(wal)
		if err == nil {
			out = append(out, Candidate{Path: dir, Method: V2, Created: stamp(info), Problem: "a v2 backup without its database: copy member/snap/db of the same time into member/snap"})
		}
	}
	return out
}
