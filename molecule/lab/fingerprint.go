package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// noisy changes on a host that nobody touches: logs, login records, files that
// are made again at boot, Ansible's temporary directory.
var noisy = []string{
	"/proc", "/sys", "/dev", "/run", "/tmp", "/var/tmp", "/var/log", "/root/.ansible",
	"/var/lib/systemd/random-seed", "/etc/.pwd.lock", "/var/lib/systemd/timers",
	// The kubelet's and containerd's own.
	"/var/lib/containerd", "/var/lib/kubelet",
}

// watched is below a noisy directory, but a file that somebody puts there counts.
var watched = []string{"/run/systemd/system"}

// fingerprintCommand prints a sum of each host's files, and of the control node's
// inventory: equal sums before and after mean that nothing was changed. Where
// etcd runs, its data changes by itself; there the start of its process counts.
func (l *Lab) fingerprintCommand(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("fingerprint", flag.ContinueOnError)
	list := f.Bool("list", false, "print every file's line, to be compared with diff")
	if err := f.Parse(args); err != nil {
		return err
	}
	hosts := l.Hosts
	var err error
	if f.NArg() > 0 {
		if hosts, err = pick(l.Hosts, f.Args()); err != nil {
			return err
		}
	}
	for _, h := range hosts {
		lines, err := l.fingerprint(ctx, h)
		if err != nil {
			return fmt.Errorf("%s: %w", h.Short(), err)
		}
		printSum(h.Short(), lines, *list)
	}
	lines, err := describe(l.path("inventory"), "/", nil)
	printSum("control", lines, *list)
	return err
}

func printSum(name string, lines []string, list bool) {
	if list {
		for _, line := range lines {
			fmt.Println(name, line)
		}
		return
	}
	fmt.Println(name, key(lines...))
}

func (l *Lab) fingerprint(ctx context.Context, h Host) ([]string, error) {
	pid, err := l.pid(ctx, h)
	if err != nil {
		return nil, err
	}
	skip := slices.Clone(noisy)
	if pid == 0 {
		root, err := podman(ctx, "mount", l.container(h))
		if err != nil {
			return nil, err
		}
		defer podman(ctx, "unmount", l.container(h))
		return describe(root, "/", skip)
	}
	// The host's own view: with its volumes and its /run.
	root := fmt.Sprintf("/proc/%d/root", pid)
	var lines []string
	if start := etcdStart(pid); start != "" {
		lines = append(lines, "etcd runs since "+start)
		skip = append(skip, "/var/lib/etcd/member")
	}
	for _, from := range append([]string{"/"}, watched...) {
		more, err := describe(root, from, skip)
		if err != nil {
			return nil, err
		}
		lines = append(lines, more...)
		skip = nil
	}
	return lines, nil
}

// describe has a line for each file below from: mode, owner, content.
func describe(root, from string, skip []string) ([]string, error) {
	var lines []string
	top := filepath.Join(root, from) + "/"
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil // not there, or gone since its directory was read
		}
		if err != nil {
			return err
		}
		name := "/" + strings.TrimPrefix(strings.TrimPrefix(path, root), "/")
		if slices.Contains(skip, name) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		line, err := describeOne(path, name)
		if err == nil {
			lines = append(lines, line)
		}
		return err
	})
	return lines, err
}

func describeOne(path, name string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	st := info.Sys().(*syscall.Stat_t)
	what := ""
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		what, err = os.Readlink(path)
	case info.Mode().IsRegular() && strings.HasPrefix(name, "/usr/") && !strings.HasPrefix(name, "/usr/local/"):
		// The distribution's files: reading them all would take longer than
		// the test.
		what = fmt.Sprintf("%d bytes of %d", info.Size(), info.ModTime().UnixNano())
	case info.Mode().IsRegular():
		what, err = contentSum(path)
	}
	return fmt.Sprintf("%s %v %d:%d %s", name, info.Mode(), st.Uid, st.Gid, what), err
}

func contentSum(path string) (string, error) {
	b, err := os.ReadFile(path)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8]), err
}
