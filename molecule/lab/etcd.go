package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const etcdVersion = "3.2.32"

// buildEtcd builds etcd and etcdctl from molecule/etcd, with TLS as etcd had
// it: see limitTLS.
func buildEtcd(ctx context.Context, root string) error {
	return once(root, []string{"molecule/etcd", "molecule/lab/etcd.go"}, ".cache/bin/etcd-"+etcdVersion, func(out string) error {
		logf("building etcd %s (under a minute)", etcdVersion)
		src := filepath.Join(root, "molecule/etcd")
		dir, err := goList(ctx, src, "github.com/coreos/etcd")
		if err != nil {
			return err
		}
		modfile, err := changedSource(src, dir, filepath.Join(root, ".cache/etcd-source"))
		if err != nil {
			return err
		}
		return goBuild(ctx, src, out, "-mod=mod", "-modfile="+modfile, "github.com/coreos/etcd", "github.com/coreos/etcd/etcdctl")
	})
}

// limitTLS keeps etcd at TLS 1.2, all that Go had when 3.2.32 was released. In
// TLS 1.3 a client learns only after the handshake that its certificate was
// refused. etcd's own gateway uses the server's certificate, which the
// installer issues for serverAuth alone, so it is refused; the gRPC of that time
// then takes each attempt for a success and tries again without a pause: half
// a core for every idle member.
func limitTLS(source []byte) ([]byte, error) {
	const min = "MinVersion: tls.VersionTLS12,"
	if bytes.Count(source, []byte(min)) != 1 {
		return nil, errors.New("etcd's pkg/transport/listener.go is not the one of 3.2.32: no single " + min)
	}
	return bytes.Replace(source, []byte(min), []byte(min+" MaxVersion: tls.VersionTLS12,"), 1), nil
}

// changedSource copies etcd's module out of the read-only module cache, limits
// its TLS, and returns a go.mod that builds from the copy.
func changedSource(src, module, dir string) (string, error) {
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	tree := filepath.Join(dir, "etcd")
	if err := os.CopyFS(tree, os.DirFS(module)); err != nil {
		return "", err
	}
	listener := filepath.Join(tree, "pkg/transport/listener.go")
	source, err := os.ReadFile(listener)
	if err != nil {
		return "", err
	}
	if source, err = limitTLS(source); err != nil {
		return "", err
	}
	if err := os.WriteFile(listener, source, 0o644); err != nil {
		return "", err
	}
	goMod := []byte("module github.com/coreos/etcd\n\ngo 1.16\n")
	if err := os.WriteFile(filepath.Join(tree, "go.mod"), goMod, 0o644); err != nil {
		return "", err
	}
	return writeModfile(src, tree, filepath.Join(dir, "build.mod"))
}

// writeModfile is molecule/etcd/go.mod with etcd taken from tree.
func writeModfile(src, tree, file string) (string, error) {
	mod, err := os.ReadFile(filepath.Join(src, "go.mod"))
	if err != nil {
		return "", err
	}
	sum, err := os.ReadFile(filepath.Join(src, "go.sum"))
	if err != nil {
		return "", err
	}
	mod = fmt.Appendf(mod, "\nreplace github.com/coreos/etcd => %s\n", tree)
	if err := os.WriteFile(file, mod, 0o644); err != nil {
		return "", err
	}
	return file, os.WriteFile(strings.TrimSuffix(file, ".mod")+".sum", sum, 0o644)
}

// goList finds a module in the cache, fetching it when needed.
func goList(ctx context.Context, dir, module string) (string, error) {
	out, err := command(ctx, nil, "go", "-C", dir, "mod", "download", "-json", module)
	if err != nil {
		return "", err
	}
	var m struct{ Dir string }
	if err := json.Unmarshal([]byte(out), &m); err != nil {
		return "", fmt.Errorf("go mod download -json %s: %w", module, err)
	}
	return m.Dir, nil
}
