package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// up makes a lab: network, hosts, certificates, inventory, a healthy cluster.
func up(ctx context.Context, root, name string, o Options) error {
	if err := o.Check(); err != nil {
		return err
	}
	if err := deps(ctx); err != nil {
		return err
	}
	image, err := build(ctx, root)
	if err != nil {
		return err
	}
	l, err := newLab(root, name, o)
	if err != nil {
		return err
	}
	if err := l.makeNetwork(ctx); err != nil {
		return err
	}
	if err := l.writeControlFiles(ctx); err != nil {
		return err
	}
	if err := each(l.Hosts, func(h Host) error { return l.createHost(ctx, h, image) }); err != nil {
		return fmt.Errorf("%w\n`lab down %s` removes what was made", err, name)
	}
	return l.start(ctx)
}

func (l *Lab) start(ctx context.Context) error {
	if err := l.powerOn(ctx, l.Hosts); err != nil {
		return err
	}
	if l.Options.NoWait || l.Options.EtcdDisabled {
		return nil
	}
	if err := l.waitHealthy(ctx, time.Minute); err != nil {
		return err
	}
	if err := l.writeFlannelConfig(ctx); err != nil {
		return err
	}
	return each(l.masters(), func(h Host) error { return waitAPI(ctx, h) })
}

// makeNetwork takes the first free slot. Another checkout may have labs too,
// so it is podman that says which network is taken.
func (l *Lab) makeNetwork(ctx context.Context) error {
	unlock, err := lock(filepath.Join(filepath.Dir(l.dir), ".lock"))
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := podman(ctx, "network", "exists", l.network()); err == nil {
		return fmt.Errorf("podman network %s is left over from an earlier lab; `lab down %s` removes it", l.network(), l.Name)
	}
	last := filepath.Join(filepath.Dir(l.dir), ".slot")
	for i := range slots {
		slot := nextSlot(last, i)
		_, err := podman(ctx, "network", "create", "--disable-dns", "--subnet", fmt.Sprintf("10.213.%d.0/24", slot), l.network())
		if err == nil {
			l.Slot, l.Hosts = slot, layout(l.Options, slot)
			return errors.Join(os.WriteFile(last, []byte(strconv.Itoa(slot)), 0o600), l.save())
		}
		if !strings.Contains(err.Error(), "already used") && !strings.Contains(err.Error(), "already being used") {
			return err
		}
	}
	return errors.New("no free network in 10.213.0.0/16: `podman network ls` shows who has them")
}

const slots = 250

// nextSlot goes round, so that a new lab does not get the addresses of one that
// was just removed: ssh's shared connections to those live on for a minute.
func nextSlot(file string, step int) int {
	b, _ := os.ReadFile(file)
	last, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return (last+step)%slots + 1
}

// writeControlFiles makes what the control node has: ssh key, authority,
// client certificate, inventory.
func (l *Lab) writeControlFiles(ctx context.Context) error {
	for _, d := range []string{"ssh", "pki", "inventory/group_vars", "inventory/host_vars", "writer"} {
		if err := os.MkdirAll(l.path(d), 0o700); err != nil {
			return err
		}
	}
	if _, err := command(ctx, nil, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", l.path("ssh/id_ed25519")); err != nil {
		return err
	}
	a, err := newAuthority("etcd-signer@lab")
	if err != nil {
		return err
	}
	client, err := a.issue(certRequest{CommonName: "lab-client", Usages: clientUsage, NotAfter: time.Now().Add(fiveYears)})
	if err != nil {
		return err
	}
	files := map[string][]byte{
		"pki/ca.crt": a.CertPEM, "pki/ca.key": a.KeyPEM,
		"pki/client.crt": client.Cert, "pki/client.key": client.Key,
	}
	for name, text := range inventoryFiles(l.Options, l.Hosts, l.path("ssh/id_ed25519")) {
		files["inventory/"+name] = []byte(text)
	}
	for name, b := range files {
		if err := os.WriteFile(l.path(name), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// createHost makes the container and its files; it is not started yet.
func (l *Lab) createHost(ctx context.Context, h Host, image string) error {
	args := []string{
		"create", "--name", l.container(h), "--hostname", h.Name, "--systemd=always",
		"--network", l.network(), "--ip", h.IP, "--mac-address", h.MAC(),
		// Without these two: "error setting rlimit type 7".
		"--ulimit", "nofile=20000:20000", "--ulimit", "nproc=20000:20000",
		// Root on a real host may make network namespaces and read the
		// environment of etcd's processes.
		"--cap-add", "SYS_ADMIN", "--cap-add", "SYS_PTRACE",
		// Without it sshd refuses a terminal, which Ansible asks for.
		"--cap-add", "AUDIT_WRITE",
		"--security-opt", "apparmor=unconfined", "--security-opt", "seccomp=unconfined",
		"--label", "lab=" + l.Name,
	}
	for _, other := range l.Hosts {
		args = append(args, "--add-host", other.Name+":"+other.IP)
	}
	if l.Options.MountData && (h.Etcd || h.Spare) {
		args = append(args, "--volume", l.volume(h)+":/var/lib/etcd")
	}
	if _, err := podman(ctx, append(args, image, "/sbin/init")...); err != nil {
		return err
	}
	return l.install(ctx, h)
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
	root, err := podman(ctx, "mount", l.container(h))
	if err != nil {
		return err
	}
	defer podman(ctx, "unmount", l.container(h))
	return writeFiles(root, filesFor(h, l.Hosts, l.Options, a, certs, public))
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

// down removes a lab; it may be half made or half gone.
func down(ctx context.Context, root, name string) error {
	l, err := openLab(root, name)
	if err != nil {
		if !labName.MatchString(name) {
			return err
		}
		l = &Lab{Name: name, dir: filepath.Join(labsDir(root), name)}
	}
	l.stopWriter()
	for _, h := range l.Hosts {
		if _, err := podman(ctx, "rm", "--force", "--time", "0", "--ignore", "--volumes", l.container(h)); err != nil {
			return err
		}
		if l.Options.MountData {
			if _, err := podman(ctx, "volume", "rm", "--force", l.volume(h)); err != nil {
				return err
			}
		}
	}
	if _, err := podman(ctx, "network", "exists", l.network()); err == nil {
		if _, err := podman(ctx, "network", "rm", "--force", l.network()); err != nil {
			return err
		}
	}
	return os.RemoveAll(l.dir)
}

// waitSSH waits until sshd greets: an open port alone may be a proxy's.
func waitSSH(ctx context.Context, h Host, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return poll(ctx, func() error {
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(h.IP, "22"), time.Second)
		if err != nil {
			return err
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(2 * time.Second))
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err == nil && !strings.HasPrefix(line, "SSH-") {
			err = fmt.Errorf("port 22 says %q", line)
		}
		return err
	})
}

// poll tries until there is no error, and returns the last one when ctx ends.
func poll(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; last: %w", ctx.Err(), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
