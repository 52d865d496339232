package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

var standins = []string{"master-api", "master-controllers", "flanneld"}

// images names the hosts' images; pod is empty where no host has a kubelet.
type images struct{ service, pod string }

func (i images) of(h Host) string {
	if h.Pod {
		return i.pod
	}
	return i.service
}

// build makes everything that a lab needs. Each part is keyed by a sum of its
// sources: when nothing changed, nothing runs.
func build(ctx context.Context, root string, pods bool) (made images, err error) {
	if pods {
		// Under a lock of its own: it takes minutes, and other labs need no kubelet.
		if err := buildKubelet(ctx, root); err != nil {
			return made, err
		}
	}
	unlock, err := lock(filepath.Join(root, ".cache/build.lock"))
	if err != nil {
		return made, err
	}
	defer unlock()
	if err := buildEtcd(ctx, root); err != nil {
		return made, err
	}
	if err := buildStandins(ctx, root); err != nil {
		return made, err
	}
	dir := filepath.Join(root, ".cache/image")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return made, err
	}
	if made.service, err = buildServiceImage(ctx, root, dir); err != nil || !pods {
		return made, err
	}
	made.pod, err = buildPodImage(ctx, root, dir)
	return made, err
}

// buildServiceImage is for hosts whose etcd, API and controllers are units.
func buildServiceImage(ctx context.Context, root, dir string) (string, error) {
	bin := filepath.Join(root, ".cache/bin")
	paths := map[string]string{
		"/usr/bin/etcd":    filepath.Join(bin, "etcd-"+etcdVersion, "etcd"),
		"/usr/bin/etcdctl": filepath.Join(bin, "etcd-"+etcdVersion, "etcdctl"),
	}
	for _, s := range standins {
		paths["/usr/local/libexec/lab/"+s] = filepath.Join(bin, "standin", s)
	}
	programs, err := programFiles(paths)
	if err != nil {
		return "", err
	}
	base, err := ensureBase(ctx, dir, basePackages)
	if err != nil {
		return "", err
	}
	return ensureImage(ctx, dir, base, append(imageFiles(), programs...))
}

// programFiles reads built programs; paths maps the path on the host to the one
// here.
func programFiles(paths map[string]string) ([]File, error) {
	var files []File
	for _, on := range sortedKeys(paths) {
		content, err := os.ReadFile(paths[on])
		if err != nil {
			return nil, err
		}
		files = append(files, File{Path: on, Mode: 0o755, Content: content})
	}
	return files, nil
}

func buildStandins(ctx context.Context, root string) error {
	return once(root, []string{"molecule/lab/standin", "molecule/lab/go.mod"}, ".cache/bin/standin", func(out string) error {
		logf("building the stand-ins")
		return goBuild(ctx, filepath.Join(root, "molecule/lab"), out, "./standin/...")
	})
}

// once runs make unless out was made from the same sources by the same
// compiler before. The mark is written last, so an interrupted run is repeated.
func once(root string, sources []string, out string, make func(out string) error) error {
	sum, err := treeSum(root, sources)
	if err != nil {
		return err
	}
	out = filepath.Join(root, out)
	mark := out + ".sum"
	if have, err := os.ReadFile(mark); err == nil && string(have) == sum {
		return nil
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	if err := make(out); err != nil {
		return err
	}
	return os.WriteFile(mark, []byte(sum), 0o644)
}

func treeSum(root string, sources []string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version())
	for _, s := range sources {
		err := filepath.WalkDir(filepath.Join(root, s), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			return fileSum(h, path)
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func goBuild(ctx context.Context, dir, out string, args ...string) error {
	return goBuildWith(ctx, dir, out, "", args...)
}

// goBuildWith has further flags for the linker.
func goBuildWith(ctx context.Context, dir, out, ldflags string, args ...string) error {
	args = append([]string{"go", "build", "-trimpath", "-ldflags", strings.TrimSpace("-s -w " + ldflags), "-o", out + "/"}, args...)
	cmd := exec.CommandContext(ctx, "nice", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if b, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s in %s: %w\n%s", strings.Join(args, " "), dir, err, b)
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
