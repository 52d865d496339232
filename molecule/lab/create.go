package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
)

// createHost makes the container and its files; it is not started yet.
func (l *Lab) createHost(ctx context.Context, h Host, image string) error {
	args := []string{
		"create", "--name", l.container(h), "--hostname", h.Name, "--systemd=always",
		"--network", l.network(), "--ip", h.IP, "--mac-address", h.MAC(),
		// Without these two: "error setting rlimit type 7".
		"--ulimit", "nofile=20000:20000", "--ulimit", "nproc=20000:20000",
		"--security-opt", "apparmor=unconfined", "--security-opt", "seccomp=unconfined",
		"--label", "lab=" + l.Name,
	}
	args = append(args, rights(h)...)
	for _, other := range l.Hosts {
		args = append(args, "--add-host", other.Name+":"+other.IP)
	}
	if l.Options.MountData && (h.Etcd || h.Spare || h.Bare) {
		args = append(args, "--volume", l.volume(h)+":/var/lib/etcd")
	}
	first := "/sbin/init"
	if h.Pod {
		first = nodeCommand
	}
	if _, err := podman(ctx, append(args, image, first)...); err != nil {
		return err
	}
	return l.install(ctx, h)
}

// rights are what a host's root may do here, as on a real host.
func rights(h Host) []string {
	if h.Pod {
		// A kubelet makes cgroups and mounts, and containerd's store cannot
		// lie on the overlay that the host's own files are on.
		return []string{"--privileged", "--cgroupns", "private", "--volume", "/var/lib/containerd"}
	}
	return []string{
		// To make network namespaces and to read the environment of etcd's processes.
		"--cap-add", "SYS_ADMIN", "--cap-add", "SYS_PTRACE",
		// Without it sshd refuses a terminal, which Ansible asks for.
		"--cap-add", "AUDIT_WRITE",
	}
}

// install writes the host's files into the container's file system.
func (l *Lab) install(ctx context.Context, h Host) error {
	a, err := l.authority()
	if err != nil {
		return err
	}
	certs, err := issueFor(a, h)
	if err != nil {
		return err
	}
	public, err := os.ReadFile(l.path("ssh/id_ed25519.pub"))
	if err != nil {
		return err
	}
	return l.put(ctx, h, filesFor(h, l.Hosts, l.Options, a, certs, public))
}

func (l *Lab) authority() (*Authority, error) {
	cert, err := os.ReadFile(l.path("pki/ca.crt"))
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(l.path("pki/ca.key"))
	if err != nil {
		return nil, err
	}
	return readAuthority(cert, key)
}

func writeFiles(root string, files []File) error {
	for _, f := range files {
		path := filepath.Join(root, f.Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if f.Link != "" {
			if err := os.Symlink(f.Link, path); err != nil {
				return err
			}
			continue
		}
		var err error
		if f.Dir {
			err = os.MkdirAll(path, os.FileMode(f.Mode))
		} else {
			err = os.WriteFile(path, f.Content, os.FileMode(f.Mode))
		}
		// The umask had its say above, so set the mode again.
		if err := errors.Join(err, os.Chmod(path, os.FileMode(f.Mode)), os.Chown(path, f.Owner, f.Owner)); err != nil {
			return err
		}
	}
	return nil
}
