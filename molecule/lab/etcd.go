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
		change := change{"github.com/coreos/etcd", "pkg/transport/listener.go", limitTLS}
		modfile, err := changedSource(ctx, src, filepath.Join(root, ".cache/etcd-source"), change)
		if err != nil {
			return err
		}
		return goBuild(ctx, src, out, "-mod=mod", "-modfile="+modfile, "github.com/coreos/etcd", "github.com/coreos/etcd/etcdctl")
	})
}

// limitTLS keeps etcd at TLS 1.2, all that Go had when 3.2.32 was released. In
// TLS 1.3 a client learns only after the handshake that its certificate was
// refused. etcd's own gateway uses the server's certificate, which the
// lab, as the installer until June 2018, issues for serverAuth alone, so it is
// refused; the gRPC of that time
// then takes each attempt for a success and tries again without a pause: half
// a core for every idle member.
func limitTLS(source []byte) ([]byte, error) {
	const min = "MinVersion: tls.VersionTLS12,"
	if bytes.Count(source, []byte(min)) != 1 {
		return nil, errors.New("etcd's pkg/transport/listener.go is not the one of 3.2.32: no single " + min)
	}
	return bytes.Replace(source, []byte(min), []byte(min+" MaxVersion: tls.VersionTLS12,"), 1), nil
}

// change is what is done to one file of a module before it is built.
type change struct {
	module, file string
	do           func(source []byte) ([]byte, error)
}

// changedSource copies a module out of the read-only module cache, changes it,
// and returns a go.mod that is src's and builds from the copy.
func changedSource(ctx context.Context, src, dir string, c change) (modfile string, err error) {
	module, err := goList(ctx, src, c.module)
	if err != nil {
		return "", err
	}
	tree := filepath.Join(dir, "tree")
	if err := errors.Join(os.RemoveAll(dir), os.CopyFS(tree, os.DirFS(module))); err != nil {
		return "", err
	}
	file := filepath.Join(tree, c.file)
	source, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if source, err = c.do(source); err != nil {
		return "", err
	}
	// The copy of a file of the cache is read-only, too.
	if err := errors.Join(os.Remove(file), os.WriteFile(file, source, 0o644)); err != nil {
		return "", err
	}
	return writeModfile(src, c.module, tree, filepath.Join(dir, "build.mod"))
}

// writeModfile is the go.mod of src with a module taken from tree. A module that
// is older than modules gets a go.mod.
func writeModfile(src, module, tree, file string) (string, error) {
	if _, err := os.Stat(filepath.Join(tree, "go.mod")); errors.Is(err, os.ErrNotExist) {
		if err := os.WriteFile(filepath.Join(tree, "go.mod"), []byte("module "+module+"\n\ngo 1.16\n"), 0o644); err != nil {
			return "", err
		}
	}
	mod, err := os.ReadFile(filepath.Join(src, "go.mod"))
	if err != nil {
		return "", err
	}
	sum, err := os.ReadFile(filepath.Join(src, "go.sum"))
	if err != nil {
		return "", err
	}
	mod = fmt.Appendf(mod, "\nreplace %s => %s\n", module, tree)
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
