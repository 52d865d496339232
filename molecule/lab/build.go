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

// build makes all that a lab needs and returns the image's name. Each part is
// keyed by a sum of its sources: when nothing changed, nothing runs.
func build(ctx context.Context, root string) (string, error) {
	unlock, err := lock(filepath.Join(root, ".cache/build.lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	if err := buildEtcd(ctx, root); err != nil {
		return "", err
	}
	if err := buildStandins(ctx, root); err != nil {
		return "", err
	}
	bin := filepath.Join(root, ".cache/bin")
	paths := map[string]string{
		"/usr/bin/etcd":    filepath.Join(bin, "etcd-"+etcdVersion, "etcd"),
		"/usr/bin/etcdctl": filepath.Join(bin, "etcd-"+etcdVersion, "etcdctl"),
	}
	for _, s := range standins {
		paths["/usr/local/libexec/lab/"+s] = filepath.Join(bin, "standin", s)
	}
	bins := map[string][]byte{}
	for on, from := range paths {
		if bins[on], err = os.ReadFile(from); err != nil {
			return "", err
		}
	}
	dir := filepath.Join(root, ".cache/image")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	base, err := ensureBase(ctx, dir)
	if err != nil {
		return "", err
	}
	return ensureImage(ctx, dir, base, bins)
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
	args = append([]string{"build", "-trimpath", "-ldflags", "-s -w", "-o", out + "/"}, args...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if b, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s in %s: %w\n%s", strings.Join(args, " "), dir, err, b)
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
