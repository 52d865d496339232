package restore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/readfile"
)

// Candidate is a backup as its manifest describes it; its files were not read yet.
type Candidate struct {
	Path     string `json:"path"`
	Method   string `json:"method"`
	Created  string `json:"created"`
	Host     string `json:"host"`
	Bytes    int64  `json:"bytes"`
	Revision int64  `json:"revision"` // 0 = not known
	V2Keys   *int64 `json:"v2_keys"`  // null: not known
	LeftOut  int64  `json:"v2_keys_left_out"`
	Lacks    string `json:"lacks,omitempty"`   // what one without a manifest lacks
	Problem  string `json:"problem,omitempty"` // why it cannot be used, as far as its manifest tells
}

// Candidates lists the backups below dir, the newest first; none where dir does not exist. Kind timeout: ctx has ended.
func Candidates(ctx context.Context, dir string) ([]Candidate, error) {
	return readfile.Await(ctx, dir, func() ([]Candidate, error) { return candidates(ctx, dir) })
}

func candidates(ctx context.Context, dir string) ([]Candidate, error) {
	out := []Candidate{}
	entries, err := readfile.Dir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return out, err
	}
	for _, e := range entries {
		if err := readfile.Over(ctx, dir); err != nil {
			return nil, err
		}
		out = append(out, candidate(ctx, filepath.Join(dir, e.Name()))...)
	}
	slices.SortStableFunc(out, func(a, b Candidate) int { return strings.Compare(b.Created, a.Created) })
	return out, nil
}

// candidate is a directory with a manifest, one that the chapter's commands made, or a loose snapshot.
func candidate(ctx context.Context, path string) []Candidate {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil
	case info.Mode().IsRegular() && strings.HasSuffix(path, ".db"):
		return []Candidate{{Path: path, Method: Snapshot, Created: stamp(info), Bytes: info.Size(), Lacks: lacksV2}}
	case !info.IsDir() || strings.HasSuffix(path, ".partial"):
		return nil
	}
	if _, err := os.Lstat(filepath.Join(path, backup.ManifestFile)); err != nil {
		return looseCandidates(ctx, path)
	}
	return fromDir(path)
}

func stamp(info os.FileInfo) string { return info.ModTime().UTC().Format(time.RFC3339) }

func fromDir(dir string) []Candidate {
	m, err := backup.ReadManifest(dir)
	if err != nil {
		return []Candidate{{Path: dir, Problem: err.Error()}}
	}
	var out []Candidate
	for _, e := range m.Backups {
		if !slices.Contains(methods, e.Method) {
			continue // a backup of /etc/etcd
		}
		c := Candidate{Path: filepath.Join(dir, e.Path), Method: e.Method, Created: m.Created, Host: m.Host, Bytes: e.Bytes, V2Keys: e.V2Keys, Problem: e.Damage}
		if e.Revision != nil {
			c.Revision = *e.Revision
		}
		if e.V2LeftOut != nil {
			c.LeftOut = *e.V2LeftOut
		}
		out = append(out, c)
	}
	return out
}

// Lines are the list as a table.
func Lines(dir string, list []Candidate) []string {
	if len(list) == 0 {
		return []string{fmt.Sprintf("There is no backup below %s on this host.", dir)}
	}
	out := []string{fmt.Sprintf("%-20s  %-8s  %10s  %9s  %7s  %s", "TAKEN (UTC)", "METHOD", "SIZE", "REVISION", "V2 KEYS", "PATH")}
	for _, c := range list {
		if c.Problem != "" {
			out = append(out, fmt.Sprintf("%-20s  cannot be used: %s: %s", c.Created, c.Path, c.Problem))
			continue
		}
		out = append(out, fmt.Sprintf("%-20s  %-8s  %10s  %9s  %7s  %s", c.Created, c.Method, backup.Size(c.Bytes), number(c.Revision), c.v2(), c.Path))
		if c.Lacks != "" {
			out = append(out, fmt.Sprintf("%-20s  it lacks %s", "", c.Lacks))
		}
	}
	return out
}

func number(n int64) string {
	if n == 0 {
		return "?"
	}
	return fmt.Sprint(n)
}

func (c Candidate) v2() string {
	switch {
	case c.LeftOut > 0:
		return fmt.Sprintf("no (%d)", c.LeftOut)
	case c.V2Keys == nil:
		return "?"
	}
	return fmt.Sprint(*c.V2Keys)
}
