package restore

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/backup"
)

// Candidate is a backup as its manifest describes it; nothing of it was read yet.
type Candidate struct {
	Path     string `json:"path"`
	Method   string `json:"method"`
	Created  string `json:"created"`
	Host     string `json:"host"`
	Bytes    int64  `json:"bytes"`
	Revision int64  `json:"revision"` // 0 = not known
	V2Keys   *int64 `json:"v2_keys"`  // null: not known
	LeftOut  int64  `json:"v2_keys_left_out"`
}

// Candidates lists the backups below dir, the newest first.
func Candidates(dir string) []Candidate {
	out := []Candidate{}
	found, _ := filepath.Glob(filepath.Join(dir, "*", backup.ManifestFile))
	for _, path := range found {
		if !strings.HasSuffix(filepath.Dir(path), ".partial") {
			out = append(out, fromDir(filepath.Dir(path))...)
		}
	}
	loose, _ := filepath.Glob(filepath.Join(dir, "*.db"))
	for _, path := range loose {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			out = append(out, Candidate{Path: path, Method: Snapshot, Created: info.ModTime().UTC().Format(time.RFC3339), Bytes: info.Size()})
		}
	}
	slices.SortStableFunc(out, func(a, b Candidate) int { return strings.Compare(b.Created, a.Created) })
	return out
}

func fromDir(dir string) []Candidate {
	m, err := backup.ReadManifest(dir)
	if err != nil {
		return nil
	}
	var out []Candidate
	for _, e := range m.Backups {
		if !slices.Contains(methods, e.Method) {
			continue // of /etc/etcd
		}
		c := Candidate{Path: filepath.Join(dir, e.Path), Method: e.Method, Created: m.Created, Host: m.Host, Bytes: e.Bytes, V2Keys: e.V2Keys}
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

// Lines is one table.
func Lines(dir string, list []Candidate) []string {
	if len(list) == 0 {
		return []string{fmt.Sprintf("There is no backup below %s on this host.", dir)}
	}
	out := []string{fmt.Sprintf("%-20s  %-8s  %10s  %9s  %7s  %s", "TAKEN (UTC)", "METHOD", "SIZE", "REVISION", "V2 KEYS", "PATH")}
	for _, c := range list {
		out = append(out, fmt.Sprintf("%-20s  %-8s  %10s  %9s  %7s  %s", c.Created, c.Method, backup.Size(c.Bytes), number(c.Revision), c.v2(), c.Path))
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
