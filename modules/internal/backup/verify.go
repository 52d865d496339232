package backup

import (
	"context"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/safefile"
)

// A manifest covers all of a backup, or nothing can be verified: a file without a sum could be anybody's.

// scratchPrefix begins the name of the copy that a rehearsal makes within a backup; a rehearsal that was killed leaves it.
const scratchPrefix = ".rehearsal-"

// check is what can be said of a manifest alone.
func (m Manifest) check() error {
	if len(m.Files) == 0 {
		return fault.New(fault.Corrupt, "it lists no file, so nothing can be verified")
	}
	seen := map[string]bool{}
	for _, f := range append(append([]File{}, m.Files...), m.Dirs...) {
		if f.Mode == "" {
			continue // nobody asks for the mode of a snapshot's file
		}
		if _, err := f.mode(); err != nil {
			return err
		}
	}
	if len(m.Backups) == 0 {
		return fault.New(fault.Corrupt, "it lists no backup")
	}
	for _, d := range m.Dirs {
		if !filepath.IsLocal(d.Path) {
			return fault.New(fault.Corrupt, "it names a directory outside the backup: %q", d.Path)
		}
	}
	for _, f := range m.Files {
		if !filepath.IsLocal(f.Path) || filepath.Clean(f.Path) != f.Path || seen[f.Path] {
			return fault.New(fault.Corrupt, "it names a file outside the backup, or twice: %q", f.Path)
		}
		seen[f.Path] = true
	}
	for i, e := range m.Backups {
		if e.Bytes < 0 || slices.ContainsFunc(m.Backups[:i], func(other Entry) bool { return other.Path == e.Path }) {
			return fault.New(fault.Corrupt, "it lists the backup %q twice, or with less than no bytes", e.Path)
		}
		if !filepath.IsLocal(e.Path) || !m.covers(e.Path) {
			return fault.New(fault.Corrupt, "it has no sum of anything in %q, which it calls a backup", e.Path)
		}
		if e.SHA256 != "" && e.SHA256 != m.sum(e.Path) {
			return fault.New(fault.Corrupt, "the sum of %q is not that of the files that it lists there", e.Path)
		}
	}
	return nil
}

// sum is an entry's by the list of files: a file's own, or that of all below a directory.
func (m Manifest) sum(path string) string {
	var below []File
	for _, f := range m.Files {
		if f.Path == filepath.Clean(path) {
			return f.SHA256
		}
		if path == "." || strings.HasPrefix(f.Path, filepath.Clean(path)+"/") {
			below = append(below, f)
		}
	}
	sum, _ := SumOfSums(path, below)
	return sum
}

// covers tells whether a file at or below path has a sum.
func (m Manifest) covers(path string) bool {
	for _, f := range m.Files {
		if path == "." || f.Path == filepath.Clean(path) || strings.HasPrefix(f.Path, filepath.Clean(path)+"/") {
			return true
		}
	}
	return false
}

// verifier compares what is in a backup with its manifest, in both directions.
type verifier struct {
	ctx   context.Context
	files map[string]File   // not seen yet
	links map[string]string // targets, not seen yet
	read  map[string]string // sums that are known, by full path
}

func newVerifier(ctx context.Context, m Manifest, read map[string]string) *verifier {
	v := &verifier{ctx: ctx, files: map[string]File{}, links: map[string]string{}, read: read}
	for _, f := range m.Files {
		v.files[f.Path] = f
	}
	for _, l := range m.Links {
		v.links[l.Path] = l.Target
	}
	return v
}

func (v *verifier) dir(d *safefile.Dir, rel string) error {
	entries, err := d.List()
	if err != nil {
		return fault.Wrap(fault.Corrupt, err, "%s cannot be read", d.Path)
	}
	for _, e := range entries {
		if err := v.entry(d, e, filepath.Join(rel, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) entry(d *safefile.Dir, e fs.DirEntry, rel string) error {
	path := filepath.Join(d.Path, e.Name())
	file, listed := v.files[rel]
	switch {
	case rel == ManifestFile:
		return nil
	case e.IsDir() && strings.HasPrefix(e.Name(), scratchPrefix):
		return nil
	case e.IsDir():
		sub, err := d.OpenDir(e.Name())
		if err != nil {
			return err
		}
		defer sub.Close()
		return v.dir(sub, rel)
	case e.Type()&fs.ModeSymlink != 0:
		return v.link(d, e.Name(), rel)
	case !listed:
		return fault.New(fault.Corrupt, "%s is not in the manifest, so it cannot be verified", path).
			WithHint("if you know what it is, move it out of the backup; else take another backup")
	}
	delete(v.files, rel)
	return v.file(d, e.Name(), path, file)
}

func (v *verifier) file(d *safefile.Dir, name, path string, want File) error {
	st, err := d.Lstat(name)
	if err != nil {
		return fault.Wrap(fault.Corrupt, err, "%s", path)
	}
	if st.Mode&(unix.S_ISUID|unix.S_ISGID) != 0 {
		return fault.New(fault.Corrupt, "%s has set-ID bits, which no backup has", path)
	}
	sum, size := v.read[path], st.Size
	if sum == "" {
		f, err := d.Open(name)
		if err != nil {
			return fault.Wrap(fault.Corrupt, err, "%s", path)
		}
		defer f.Close()
		if sum, size, err = sumFile(v.ctx, f); err != nil {
			return fault.Wrap(fault.Corrupt, err, "%s", path)
		}
	}
	if sum != want.SHA256 || size != want.Bytes {
		return fault.New(fault.Corrupt, "%s has %d bytes and sum %s; expected %d bytes and sum %s", path, size, sum, want.Bytes, want.SHA256)
	}
	return nil
}

func (v *verifier) link(d *safefile.Dir, name, rel string) error {
	target, err := d.Readlink(name)
	if err != nil {
		return err
	}
	want, listed := v.links[rel]
	if !listed || want != target {
		return fault.New(fault.Corrupt, "%s is a link to %q that is not in the manifest", filepath.Join(d.Path, name), target).
			WithHint("if you know what it is, move it out of the backup; else take another backup")
	}
	delete(v.links, rel)
	return nil
}

// missing names what the manifest lists and the backup lacks.
func (v *verifier) missing(dir string) error {
	for path := range v.files {
		return fault.New(fault.Corrupt, "%s is missing", filepath.Join(dir, path))
	}
	for path := range v.links {
		return fault.New(fault.Corrupt, "the link %s is missing", filepath.Join(dir, path))
	}
	return nil
}
