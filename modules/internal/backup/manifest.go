package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/safefile"
)

// ManifestFile lies in every backup and is written last.
const ManifestFile = "backup.json"

// File is one file of a backup. In a manifest Path is relative to its directory.
type File struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Mode   string `json:"mode"` // octal
	Owner  string `json:"owner"`
	Group  string `json:"group"`
}

// Entry is one backup of the host's data or configuration. Revision and Keys are null where they are not known.
type Entry struct {
	Method   string `json:"method"` // snapshot, copy, v2, config
	Path     string `json:"path"`
	Bytes    int64  `json:"bytes"`
	SHA256   string `json:"sha256"` // of the file, or of the list of all files' sums
	Revision *int64 `json:"revision"`
	Keys     *int64 `json:"keys"`
	V2Keys   *int64 `json:"v2_keys"`
	Verified bool   `json:"verified"` // it is whole, and etcd_restore can put it back
	// Damage is why it cannot, of a copy of damaged data that was asked for.
	Damage string `json:"damage,omitempty"`
	// V2LeftOut are the v2 keys that the member had and a snapshot does not hold; absent where that is not known.
	V2LeftOut *int64 `json:"v2_left_out,omitempty"`
}

// Manifest is backup.json.
type Manifest struct {
	Version   int      `json:"version"`
	Created   string   `json:"created"` // RFC 3339, UTC
	Host      string   `json:"host"`
	Name      string   `json:"name"` // ETCD_NAME
	MemberID  facts.ID `json:"member_id"`
	ClusterID facts.ID `json:"cluster_id"`
	Server    string   `json:"server_version"`
	Backups   []Entry  `json:"backups"`
	Files     []File   `json:"files"`
	Links     []Link   `json:"links,omitempty"`
	Dirs      []File   `json:"dirs,omitempty"` // of a configuration: owners and modes
}

// ManifestVersion is raised when an older reader would misunderstand a newer file.
const ManifestVersion = 1

// Write puts the manifest into dir, with paths relative to it.
func (m Manifest) Write(dir string) error {
	m.Version = ManifestVersion
	for i := range m.Backups {
		m.Backups[i].Path = relative(dir, m.Backups[i].Path)
	}
	for i := range m.Files {
		m.Files[i].Path = relative(dir, m.Files[i].Path)
	}
	for i := range m.Links {
		m.Links[i].Path = relative(dir, m.Links[i].Path)
	}
	for i := range m.Dirs {
		m.Dirs[i].Path = relative(dir, m.Dirs[i].Path)
	}
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return safefile.Write(filepath.Join(dir, ManifestFile), append(raw, '\n'), 0o600)
}

func relative(dir, path string) string {
	if rel, err := filepath.Rel(dir, path); err == nil {
		return rel
	}
	return path
}

// ReadManifest reads the manifest of a backup, and refuses one that names anything outside of it.
func ReadManifest(dir string) (Manifest, error) {
	path := filepath.Join(dir, ManifestFile)
	raw, err := readfile.Read(path, readfile.Long)
	if err != nil {
		return Manifest{}, err
	}
	var m Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, fault.New(fault.Corrupt, "%s is not the JSON that a backup writes", path)
	}
	if m.Version != ManifestVersion {
		return m, fault.New(fault.Unsupported, "%s has version %d; this release reads version %d", path, m.Version, ManifestVersion)
	}
	if err := m.check(); err != nil {
		return m, fault.Wrap(fault.Corrupt, err, "%s", path)
	}
	return m, nil
}

// Verify reads every file of a backup in full and compares it with the manifest.
func Verify(ctx context.Context, dir string) (Manifest, error) { return VerifyRest(ctx, dir, nil) }

// VerifyRest does not read again what the caller has just read in full: read has the sums by path.
func VerifyRest(ctx context.Context, dir string, read map[string]string) (Manifest, error) {
	if strings.HasSuffix(strings.TrimRight(dir, "/"), partial) {
		return Manifest{}, fault.New(fault.Refused, "%s was left by an interrupted run and is not whole", dir)
	}
	m, err := ReadManifest(dir)
	if errors.Is(err, os.ErrNotExist) {
		return m, fault.New(fault.Refused, "%s has no %s, so it cannot be checked", dir, ManifestFile)
	}
	if err != nil {
		return m, err
	}
	top, err := safefile.OpenDir(dir)
	if err != nil {
		return m, err
	}
	defer top.Close()
	v := newVerifier(ctx, m, read)
	if err := v.dir(top, ""); err != nil {
		return m, err
	}
	return m, v.missing(dir)
}

// SumOfSums stands for a tree: it changes with every file's name and content.
func SumOfSums(root string, files []File) (string, int64) {
	var b strings.Builder
	var total int64
	for _, f := range files {
		fmt.Fprintf(&b, "%s  %s\n", f.SHA256, relative(root, f.Path))
		total += f.Bytes
	}
	return sumText(b.String()), total
}
