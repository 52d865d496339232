package host

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/manifest"
	"etcd-quorum-restore/modules/internal/procfs"
	"etcd-quorum-restore/modules/internal/program"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/root"
	"etcd-quorum-restore/modules/internal/safefile"
)

// A host whose etcd is a pod has no etcd binary: a rehearsal and `etcdctl backup` use private copies, which are removed when they are done.
const privateDir = "/var/lib/etcd-quorum-restore"

func binDir() string     { return filepath.Join(root.Path(privateDir), "bin") }
func oneShotDir() string { return filepath.Join(root.Path(privateDir), "copy") }

// Binary is the path of etcd's own programs, etcd or etcdctl, which only root can replace. On a unit's host it is what the unit starts, or lies
// beside that; on a pod's host it is a private copy. Where none was kept, because etcd was not running when it was stopped, a one-shot pod copies
// it out of the image.
func (h *Host) Binary(ctx context.Context, name string) (path string, err error) {
	switch r := h.Runtime.(type) {
	case *unit:
		path, err = r.program(ctx, name)
	case *pod:
		if path = filepath.Join(binDir(), name); !readfile.IsFile(path) {
			err = r.copyByPod(ctx)
		}
	default:
		return "", fault.New(fault.Unsupported, "etcd does not run here as a service or a static pod (runtime %s)", r.Name())
	}
	if err != nil {
		return "", err
	}
	return path, program.Check(path)
}

// HasBinary changes nothing, and returns the error that Binary would end with, as far as it is known before.
func (h *Host) HasBinary(ctx context.Context, name string) error {
	p, ok := h.Runtime.(*pod)
	if !ok || readfile.IsFile(filepath.Join(binDir(), name)) {
		_, err := h.Binary(ctx, name)
		return err
	}
	if err := p.mayCopy(ctx); err != nil {
		return err
	}
	_, _, err := p.parsed()
	return err
}

// KeepBinaries copies etcd and etcdctl out of the running container, if there is one. A unit's host needs no copies.
func (h *Host) KeepBinaries(ctx context.Context) error {
	p, ok := h.Runtime.(*pod)
	if !ok {
		return nil
	}
	found, err := h.Processes()
	if err != nil {
		return err
	}
	own := p.own(found)
	if own == nil {
		return nil // Binary makes the copy later
	}
	if err := os.MkdirAll(binDir(), 0o700); err != nil {
		return err
	}
	for _, name := range []string{"etcd", "etcdctl"} {
		err := copyBinary(*own, name)
		if errors.Is(err, fs.ErrNotExist) && name == "etcdctl" {
			continue // an image without it; only a backup of the v2 store needs it
		}
		if err != nil {
			return fault.Wrap(fault.Internal, err, "copy %s out of etcd's container", name)
		}
	}
	return nil
}

// DropBinaries removes the private copies.
func (h *Host) DropBinaries() error {
	if _, ok := h.Runtime.(*pod); !ok {
		return nil
	}
	return os.RemoveAll(root.Path(privateDir))
}

// largestBinary is far more than a binary has: etcd 3.2 has 18 MB, later ones up to 30.
const largestBinary = 256 << 20

// copyBinary reads through the process's own root. The program that runs is /proc/PID/exe, whatever the name of its path is.
func copyBinary(own procfs.Process, name string) error {
	proc := filepath.Join("/proc", strconv.Itoa(own.PID))
	from := filepath.Join(proc, "exe")
	if name != own.Comm {
		var err error
		if from, err = within(filepath.Join(proc, "root"), own.Env["PATH"], name); err != nil {
			return err
		}
	}
	in, _, err := readfile.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	partial := filepath.Join(binDir(), "."+name)
	out, err := os.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	n, err := io.Copy(out, io.LimitReader(in, largestBinary+1))
	if err == nil && n > largestBinary {
		err = fault.New(fault.Unsupported, "%s of etcd's container has more than %d bytes", name, int64(largestBinary))
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	return os.Rename(partial, filepath.Join(binDir(), name))
}

// within finds a program in a container's PATH.
func within(dir, path, name string) (string, error) {
	if path == "" {
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	}
	for _, each := range strings.Split(path, ":") {
		if found, err := resolve(dir, filepath.Join(each, name)); err == nil && readfile.IsFile(found) {
			return found, nil
		}
	}
	return "", fs.ErrNotExist
}

// resolve follows links as a process inside dir would: an absolute link starts at dir, and none leads out of it.
func resolve(dir, path string) (string, error) {
	rest := strings.Split(strings.Trim(filepath.Clean("/"+path), "/"), "/")
	at := "/"
	for links := 0; len(rest) > 0; {
		next := filepath.Join(at, rest[0])
		rest = rest[1:]
		target, err := os.Readlink(filepath.Join(dir, next))
		if err != nil { // no link
			at = next
			continue
		}
		if links++; links > 40 {
			return "", errors.New("too many links")
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(strings.Split(strings.Trim(filepath.Clean(target), "/"), "/"), rest...)
	}
	_, err := os.Stat(filepath.Join(dir, at))
	return filepath.Join(dir, at), err
}

// copyByPod runs the pod that copies, once, and returns when it is verified stopped. While it runs, etcd is down, and nobody else starts anything here.
func (p *pod) copyByPod(ctx context.Context) (err error) {
	if err := p.mayCopy(ctx); err != nil {
		return err
	}
	_, m, err := p.parsed()
	if err != nil {
		return err
	}
	if err := p.dropOneShot(ctx); err != nil { // left by a run that was killed
		return err
	}
	if err := os.MkdirAll(oneShotDir(), 0o700); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, p.dropOneShot(context.WithoutCancel(ctx)), os.RemoveAll(oneShotDir()))
	}()
	if err := p.putOneShot(m); err != nil {
		return err
	}
	for !exists(filepath.Join(oneShotDir(), manifest.OneShotDone)) {
		if !pause(ctx, lookEvery) {
			return fault.New(fault.Timeout, "the pod %s did not copy etcd out of its image in time", manifest.OneShotName).
				WithHint("look at journalctl -u %s; or skip the rehearsal with -e etcd_rehearse=no", nodeServices[0])
		}
	}
	return takeCopies()
}

func (p *pod) mayCopy(ctx context.Context) error {
	if !p.node.down(ctx) {
		return nil
	}
	return fault.New(fault.Unsupported, "no etcd binary on this host, and its image cannot be used: the node service is down").
		WithHint("systemctl start %s, then run this again; or skip the rehearsal with -e etcd_rehearse=no", p.node.look(ctx).Name)
}

func oneShotManifest(h *Host) string {
	return filepath.Join(h.ManifestDir, manifest.OneShotName+".yaml")
}

// putOneShot writes the manifest where the kubelet does not look, and moves it in by one rename.
func (p *pod) putOneShot(m *manifest.Manifest) error {
	if err := os.MkdirAll(p.host.stoppedDir(), 0o700); err != nil {
		return err
	}
	aside := filepath.Join(p.host.stoppedDir(), manifest.OneShotName+".yaml")
	if err := safefile.Write(aside, m.OneShot(oneShotDir()), 0o600); err != nil {
		return err
	}
	if err := os.Rename(aside, oneShotManifest(p.host)); err != nil {
		return err
	}
	return syncDirs(p.host.ManifestDir, p.host.stoppedDir())
}

func takeCopies() error {
	if err := os.MkdirAll(binDir(), 0o700); err != nil {
		return err
	}
	for _, name := range []string{"etcd", "etcdctl"} {
		if err := os.Rename(filepath.Join(oneShotDir(), name), filepath.Join(binDir(), name)); err != nil {
			return err
		}
	}
	return nil
}

// dropOneShot removes the pod and waits until the kubelet has cleaned up after it.
func (p *pod) dropOneShot(ctx context.Context) error {
	if err := safefile.Remove(oneShotManifest(p.host)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, DefaultLimit)
	defer cancel()
	for {
		dirs := podDirsOf(manifest.OneShotName)
		if len(dirs) == 0 || p.node.down(ctx) {
			return nil
		}
		if !pause(ctx, lookEvery) {
			return fault.New(fault.Timeout, "the pod %s does not go; expected %s to be cleared up", manifest.OneShotName, dirs[0])
		}
	}
}
