package host

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/manifest"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/safefile"
)

// Where the manifest is. EVERY regular file in the kubelet's directory is a manifest, whatever its name, and half a file can be a valid pod: so
// files are written in pods-stopped only, and enter the directory by one rename. At any moment there is one manifest of etcd, either in or out;
// while it differs from the installer's in more than the annotation, the installer's bytes are kept in etcd.yaml.installed.
const (
	manifestName  = "etcd.yaml"
	installedName = "etcd.yaml.installed"
)

func (p *pod) in() string        { return filepath.Join(p.host.ManifestDir, manifestName) }
func (p *pod) out() string       { return filepath.Join(p.host.stoppedDir(), manifestName) }
func (p *pod) installed() string { return filepath.Join(p.host.stoppedDir(), installedName) }

// live are the manifests of etcd in the kubelet's directory, by its own rules: no dot files, no directories, links are followed.
func (p *pod) live() ([]string, error) {
	entries, err := readDir(p.host.ManifestDir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		path := filepath.Join(p.host.ManifestDir, e.Name())
		if strings.HasPrefix(e.Name(), ".") || !readfile.IsFile(path) {
			continue
		}
		data, err := readfile.Read(path, readfile.Text)
		if errors.Is(err, fs.ErrNotExist) {
			continue // moved out since the directory was read
		}
		if err != nil {
			return nil, err
		}
		if e.Name() == manifestName || manifest.RunsEtcd(data) {
			out = append(out, path)
		}
	}
	return out, nil
}

// one is the only manifest of etcd in the kubelet's directory, or "". Two would be two pods of one name, and each would kill the other.
func (p *pod) one() (string, error) {
	live, err := p.live()
	if err != nil || len(live) == 0 {
		return "", err
	}
	if len(live) > 1 {
		return "", fault.New(fault.Refused, "%s holds more than one manifest of etcd: %s", p.host.ManifestDir, strings.Join(live, ", ")).
			WithHint("every file there is a pod, whatever its ending: move all but %s out of the directory", p.in())
	}
	return live[0], nil
}

// current is the manifest that counts: the one in the directory, else the one that is out, else one that an operator left elsewhere.
func (p *pod) current() (path string, data []byte, err error) {
	if path, err = p.one(); err != nil {
		return "", nil, err
	}
	if path == "" && exists(p.out()) {
		path = p.out()
	}
	if path == "" {
		return onlyStray(p.strays())
	}
	data, err = readfile.Read(path, readfile.Text)
	return path, data, err
}

// parsed is the current manifest, parsed.
func (p *pod) parsed() (string, *manifest.Manifest, error) {
	path, data, err := p.current()
	if err != nil {
		return path, nil, err
	}
	m, err := parseManifest(path, data)
	return path, m, err
}

func parseManifest(path string, data []byte) (*manifest.Manifest, error) {
	m, err := manifest.Parse(data)
	if err != nil {
		return nil, fault.Wrap(fault.Refused, err, "%s", path).WithHint("compare it with the installer's manifest on another master, correct that line, then run this again")
	}
	return m, nil
}

// Manifest is etcd's manifest as the installer has left it, whatever a recovery has made of it meanwhile.
func (h *Host) Manifest() (*manifest.Manifest, error) {
	p, ok := h.Runtime.(*pod)
	if !ok {
		return nil, fault.New(fault.Refused, "etcd is no static pod on this host, so it has no manifest").WithHint("ask a host whose etcd is a static pod")
	}
	if exists(p.installed()) {
		return p.base()
	}
	_, m, err := p.parsed()
	return m, err
}

// StoppedManifest is where a manifest waits until etcd is started.
func (h *Host) StoppedManifest() string { return filepath.Join(h.stoppedDir(), manifestName) }

// LiveManifests are the manifests of etcd in the kubelet's directory.
func (h *Host) LiveManifests() ([]string, error) { return (&pod{host: h}).live() }

// takeOut moves etcd's manifest, and nothing else, out of the kubelet's directory. Others of etcd (a copy beside it is a pod, too) are moved as
// well, under names of their own. A file that is in the way is kept under a dated name, unless it is the same manifest.
func (p *pod) takeOut() error {
	live, err := p.live()
	if err != nil || len(live) == 0 {
		return err
	}
	if err := os.MkdirAll(p.host.stoppedDir(), 0o700); err != nil {
		return err
	}
	main := live[0]
	if slices.Contains(live, p.in()) {
		main = p.in()
	}
	for _, path := range live {
		to := p.out()
		if path != main {
			to = dated(filepath.Join(p.host.stoppedDir(), filepath.Base(path)), "second")
		} else if err := p.clear(path, to); err != nil {
			return err
		}
		if err := os.Rename(path, to); err != nil {
			return fault.Wrap(fault.Internal, err, "move the manifest out").WithHint("%s has to be on the filesystem of %s", p.host.stoppedDir(), p.host.ManifestDir)
		}
	}
	p.moved = true
	return syncDirs(p.host.stoppedDir(), p.host.ManifestDir)
}

func (p *pod) clear(path, to string) error {
	coming, err := readfile.Read(path, readfile.Text)
	if err != nil {
		return err
	}
	old, err := readfile.Read(to, readfile.Text)
	if errors.Is(err, fs.ErrNotExist) || err == nil && (bytes.Equal(coming, old) || manifest.Same(coming, old)) {
		return nil
	}
	if err != nil {
		return err
	}
	return safefile.Rename(to, dated(to, "old"))
}

func dated(path, why string) string {
	return path + "." + why + "-" + time.Now().UTC().Format("20060102T150405.000Z")
}

func syncDirs(dirs ...string) error {
	for _, dir := range dirs {
		if err := safefile.SyncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// adopt copies a manifest that an operator left elsewhere to its place while it is out. The operator's file stays: it may be a backup. It is read
// again only where no manifest is in its place.
func (p *pod) adopt() error {
	path, data, err := p.current()
	if err != nil || path == p.out() || filepath.Dir(path) == filepath.Clean(p.host.ManifestDir) {
		return err
	}
	if _, err := parseManifest(path, data); err != nil {
		return err
	}
	return p.write(data)
}

// write replaces the manifest that is out.
func (p *pod) write(data []byte) error {
	if err := os.MkdirAll(p.host.stoppedDir(), 0o700); err != nil {
		return err
	}
	return safefile.Write(p.out(), data, 0o600)
}

// putIn is the only way into the kubelet's directory.
func (p *pod) putIn() error {
	live, err := p.one()
	if err != nil {
		return err
	}
	if live != "" {
		return fault.New(fault.Refused, "%s is in the kubelet's directory already", live)
	}
	if err := os.Rename(p.out(), p.in()); err != nil {
		return err
	}
	return syncDirs(p.host.ManifestDir, p.host.stoppedDir())
}
