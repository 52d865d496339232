package host

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/manifest"
	"etcd-quorum-restore/modules/internal/root"
	"etcd-quorum-restore/modules/internal/safefile"
	"etcd-quorum-restore/modules/internal/timelimit"
)

// stray is a manifest that an operator left elsewhere. Doubt says why it is not used.
type stray struct {
	path  string
	data  []byte
	doubt error
}

// Where operators leave the manifest: in the directory that they were in, or where they keep copies. Places that many users write to come last.
var strayPlaces = []string{"/root", "/etc/origin", "/etc/etcd", "/backup", "/home", "/tmp"}

// A copy under one of these names may be an old one, so it is named, and not taken.
var (
	renamed    = []string{"etcd.yaml.bak", "etcd.yaml.old", "etcd.yaml.orig", "etcd.yaml.save", "etcd.yaml.backup", "etcd.yaml~", "etcd.yml", "etcd.bak"}
	errRenamed = errors.New("it has another name than " + manifestName)
)

// The search is limited, whatever is below those places: a file system that hangs, or a user's million files.
const (
	strayDepth = 4
	strayLimit = 2 * time.Second
)

// place is a directory to search. Directories on another file system are skipped.
type place struct {
	path   string
	depth  int
	device uint64
}

// strays finds manifests that only root can write, level by level. The kubelet runs them with all rights, so they are taken only from a directory
// of root's: another user who can write to the directory can replace them.
func strays() []stray {
	return timelimit.Collect(strayLimit, func(add func(stray)) { searchStrays(time.Now().Add(strayLimit), add) })
}

func searchStrays(until time.Time, take func(stray)) {
	eachPlace(until, func(at place) {
		near := at.depth == 0 || at.depth == 1 && filepath.Dir(at.path) != root.Path("/backup")
		if s, ok := strayIn(at.path, manifestName, near); ok {
			take(s)
		}
		for _, name := range renamed {
			if s, ok := strayIn(at.path, name, false); ok {
				s.doubt = cmp.Or(s.doubt, errRenamed)
				take(s)
			}
		}
	})
}

// eachPlace goes through the places, and what is below them, level by level.
func eachPlace(until time.Time, visit func(place)) {
	var open []place
	for _, dir := range strayPlaces {
		if info, err := os.Lstat(root.Path(dir)); err == nil && info.IsDir() {
			open = append(open, place{root.Path(dir), 0, deviceOf(info)})
		}
	}
	for len(open) > 0 && time.Now().Before(until) {
		at := open[0]
		open = open[1:]
		visit(at)
		if at.depth < strayDepth {
			open = append(open, below(at, until)...)
		}
	}
}

// below lists the subdirectories of a place, as far as the time allows.
func below(at place, until time.Time) (out []place) {
	dir, err := os.Open(at.path)
	if err != nil {
		return nil
	}
	defer dir.Close()
	for time.Now().Before(until) {
		entries, err := dir.ReadDir(256)
		for _, e := range entries {
			path := filepath.Join(at.path, e.Name())
			if !e.IsDir() {
				continue
			}
			if info, err := os.Lstat(path); err == nil && info.IsDir() && deviceOf(info) == at.device {
				out = append(out, place{path, at.depth + 1, at.device})
			}
		}
		if err != nil {
			break
		}
	}
	return out
}

func deviceOf(info os.FileInfo) uint64 {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return uint64(st.Dev)
}

// strayIn judges the file that it has opened, and takes its bytes from there. In a near place only etcd's manifest has that name.
func strayIn(path, name string, near bool) (stray, bool) {
	dir, err := safefile.OpenDir(path)
	if err != nil {
		return stray{}, false
	}
	defer dir.Close()
	f, err := dir.Open(name)
	if err != nil {
		return stray{}, false
	}
	defer f.Close()
	if !rootsAlone(f) {
		return stray{}, false
	}
	s := stray{path: f.Name(), doubt: dir.Private()}
	if s.doubt == nil {
		s.data, s.doubt = io.ReadAll(io.LimitReader(f, maxManifest))
	}
	return s, s.doubt != nil && name == manifestName || near || manifest.RunsEtcd(s.data)
}

// maxManifest is far larger than any manifest.
const maxManifest = 1 << 20

func rootsAlone(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode().Perm()&0o022 != 0 {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Uid == 0 && st.Nlink == 1
}

// strays searches in the first call only. Later changes of the files do not matter.
func (p *pod) strays() []stray {
	if !p.searched {
		p.searched, p.found = true, strays()
	}
	return p.found
}

func onlyStray(all []stray) (string, []byte, error) {
	found := slices.DeleteFunc(slices.Clone(all), func(s stray) bool { return s.doubt != nil })
	switch {
	case len(all) == 0:
		return "", nil, fault.New(fault.Refused, "etcd's manifest is nowhere to be found; looked in the kubelet's directory, beside it, and below %s", strings.Join(strayPlaces, ", ")).
			WithHint("bring etcd.yaml back into /etc/origin/node/pods-stopped, from a backup or by the installer, then run this again")
	case len(found) == 0:
		return "", nil, fault.Wrap(fault.Refused, all[0].doubt, "etcd's manifest was moved to %s, and is not taken from there", all[0].path).
			WithHint("compare it with another master's, then: install -o root -g root -m 0600 %[1]s /etc/origin/node/pods-stopped/etcd.yaml && rm %[1]s", all[0].path)
	}
	var paths []string
	for _, s := range found {
		paths = append(paths, s.path)
	}
	for _, s := range found[1:] {
		if !bytes.Equal(s.data, found[0].data) {
			return "", nil, fault.New(fault.Refused, "etcd's manifest was moved away, and these differ: %s", strings.Join(paths, ", ")).
				WithHint("move the right one to /etc/origin/node/pods-stopped/etcd.yaml, then run this again")
		}
	}
	return found[0].path, found[0].data, nil
}
