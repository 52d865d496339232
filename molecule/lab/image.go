package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// basePackages: a real systemd and sshd on Debian 12's minimal base. No Python
// on purpose: nothing that the suite does on a host may need it.
const basePackages = "systemd,systemd-sysv,dbus,iproute2,openssh-server,procps,e2fsprogs,util-linux-extra"

// baseHook makes the base what an etcd host is: a user etcd, no identity of
// its own yet, and none of the services that only cost start-up time.
var baseHook = fmt.Sprintf(`set -e
chroot "$1" groupadd -r -g %d etcd
chroot "$1" useradd -r -u %[1]d -g etcd -d /var/lib/etcd -s /usr/sbin/nologin -c "etcd user" etcd
chroot "$1" systemctl mask -q apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service \
  fstrim.timer dpkg-db-backup.timer systemd-logind.service getty@.service console-getty.service \
  systemd-udevd.service systemd-timesyncd.service systemd-networkd.service systemd-resolved.service
: > "$1/etc/machine-id"
`, etcdUID)

// imageFiles are put on top of the base, on every host.
func imageFiles() []File {
	return []File{
		{Path: "/etc/etcd", Mode: 0o700, Owner: etcdUID, Dir: true},
		{Path: "/var/lib/etcd", Mode: 0o700, Owner: etcdUID, Dir: true},
		{Path: "/backup", Mode: 0o700, Dir: true},
		{Path: "/etc/sysconfig", Mode: 0o755, Dir: true},
		{Path: "/etc/ssh/sshd_config.d/lab.conf", Mode: 0o644, Content: []byte("UseDNS no\nMaxStartups 100\nPermitRootLogin prohibit-password\n")},
	}
}

// layer packs files into a tar whose bytes depend on nothing else, so that its
// sum can be the image's key.
func layer(files []File) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{
			Name: strings.TrimPrefix(f.Path, "/"), Mode: int64(f.Mode), Uid: f.Owner, Gid: f.Owner,
			Size: int64(len(f.Content)), Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0),
		}
		switch {
		case f.Dir:
			h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
		case f.Link != "":
			h.Typeflag, h.Linkname = tar.TypeSymlink, f.Link
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.Content); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), w.Close()
}

func key(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// ensureBase bootstraps the Debian base once per list of packages.
func ensureBase(ctx context.Context, dir, packages string) (string, error) {
	ref := "localhost/etcd-lab-base:" + key(packages, baseHook)
	if imageExists(ctx, ref) {
		return ref, nil
	}
	logf("bootstrapping Debian 12 with %s (about half a minute)", packages)
	hook := filepath.Join(dir, "base-hook.sh")
	if err := os.WriteFile(hook, []byte(baseHook), 0o700); err != nil {
		return "", err
	}
	tarball := filepath.Join(dir, "base.tar")
	defer os.Remove(tarball)
	_, err := command(ctx, nil, "mmdebstrap", "--variant=minbase", "--include="+packages,
		"--customize-hook=sh "+hook+` "$1"`, "bookworm", tarball)
	if err != nil {
		return "", err
	}
	_, err = podman(ctx, "import", "--quiet", tarball, ref)
	return ref, err
}

// ensureImage adds the project's programs to the base.
func ensureImage(ctx context.Context, dir, base string, files []File) (string, error) {
	data, err := layer(files)
	if err != nil {
		return "", err
	}
	const recipe = "FROM %s\nADD layer.tar /\nSTOPSIGNAL SIGRTMIN+3\nCMD [\"/sbin/init\"]\n"
	ref := "localhost/etcd-lab:" + key(base, recipe, string(data))
	if imageExists(ctx, ref) {
		return ref, nil
	}
	logf("building the hosts' image")
	build, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(build)
	if err := os.WriteFile(filepath.Join(build, "layer.tar"), data, 0o600); err != nil {
		return "", err
	}
	file := filepath.Join(build, "Containerfile")
	if err := os.WriteFile(file, fmt.Appendf(nil, recipe, base), 0o600); err != nil {
		return "", err
	}
	_, err = podman(ctx, "build", "--quiet", "--layers=false", "--tag", ref, "--file", file, build)
	return ref, err
}

func imageExists(ctx context.Context, ref string) bool {
	_, err := podman(ctx, "image", "exists", ref)
	return err == nil
}

// fileSum reads a file into a hash, with its name.
func fileSum(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Fprintln(w, path)
	_, err = io.Copy(w, f)
	return err
}
