package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
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
	made, err := build(ctx, root, o.Pods())
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
	if err := each(l.Hosts, func(h Host) error { return l.createHost(ctx, h, made.of(h)) }); err != nil {
		return fmt.Errorf("%w\n`lab down %s` removes what was made", err, name)
	}
	return l.start(ctx)
}

func (l *Lab) start(ctx context.Context) error {
	if err := l.powerOn(ctx, l.Hosts); err != nil {
		return err
	}
	if l.Options.NoWait {
		return nil
	}
	if l.Options.EtcdDisabled {
		if err := l.startEtcd(ctx); err != nil {
			return err
		}
	}
	if err := l.waitHealthy(ctx, 5*time.Minute); err != nil {
		return err
	}
	if err := l.writeFlannelConfig(ctx); err != nil {
		return err
	}
	return each(l.masters(), func(h Host) error { return waitAPI(ctx, h) })
}

// startEtcd is for clusters that do not start at boot. It does not wait for each
// host's own etcd: that is ready only when a majority runs.
func (l *Lab) startEtcd(ctx context.Context) error {
	return each(members(l.Hosts), func(h Host) error {
		_, err := podman(ctx, "exec", l.container(h), "systemctl", "start", "--no-block", "etcd.service")
		return err
	})
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

// down removes a lab, also one that is half made or half removed.
func down(ctx context.Context, root, name string) error {
	l, err := openLab(root, name)
	if err != nil {
		if !labName.MatchString(name) {
			return err
		}
		l = &Lab{Name: name, dir: filepath.Join(labsDir(root), name)}
	}
	l.stopWriter()
	l.endBackground("flags")
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
