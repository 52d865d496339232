package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// certCommand gives a host other certificates than the installer would: those
// that a recovery has to refuse, or good ones again.
func (l *Lab) certCommand(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("cert", flag.ContinueOnError)
	expired := f.Bool("expired", false, "valid until yesterday")
	days := f.Int("days", 0, "valid for so many days")
	noIP := f.Bool("no-ip", false, "without the host's address")
	if len(args) == 0 {
		return errors.New("usage: lab cert NAME HOST [--expired] [--days N] [--no-ip]")
	}
	hosts, err := pick(l.Hosts, args[:1])
	if err != nil {
		return err
	}
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	h := hosts[0]
	if !h.Etcd && !h.Spare {
		return fmt.Errorf("%s has no etcd", h.Short())
	}
	a, err := l.authority()
	if err != nil {
		return err
	}
	r := certRequest{CommonName: h.Name, DNS: []string{h.Name}, IPs: []string{h.IP}, NotAfter: time.Now().Add(fiveYears)}
	if *expired {
		r.NotAfter = time.Now().Add(-24 * time.Hour)
	}
	if *days > 0 {
		r.NotAfter = time.Now().Add(time.Duration(*days) * 24 * time.Hour)
	}
	if *noIP {
		r.IPs = nil
	}
	certs, err := issueEtcd(a, r)
	if err != nil {
		return err
	}
	return l.put(ctx, h, certFiles(a, certs))
}

// caPaths are where a host may have the CA's certificate.
var caPaths = []string{"/etc/etcd/ca/ca.crt", "/etc/etcd/ca.crt", "/etc/origin/master/master.etcd-ca.crt", "/etc/origin/node/flannel.etcd-ca.crt"}

// caCommand gives the CA another end, as if it had been made at another time.
func (l *Lab) caCommand(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: lab ca NAME DAYS|adopt")
	}
	if args[0] == "adopt" {
		return l.adoptCA(ctx)
	}
	days, err := strconv.Atoi(args[0])
	if err != nil {
		return fmt.Errorf("DAYS: expected a number, found %q", args[0])
	}
	a, err := l.authority()
	if err != nil {
		return err
	}
	text, err := a.ending(time.Now().Add(time.Duration(days) * 24 * time.Hour))
	if err != nil {
		return err
	}
	for _, h := range l.Hosts {
		if err := l.overwrite(ctx, h, caPaths, text); err != nil {
			return err
		}
	}
	return nil
}

// overwrite changes those of the files that are there, and nothing but their content.
func (l *Lab) overwrite(ctx context.Context, h Host, paths []string, content []byte) error {
	root, err := podman(ctx, "mount", l.container(h))
	if err != nil {
		return err
	}
	defer podman(ctx, "unmount", l.container(h))
	for _, path := range paths {
		f, err := os.OpenFile(filepath.Join(root, path), os.O_WRONLY|os.O_TRUNC, 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if _, err := f.Write(content); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// put writes files on a host, on or off.
func (l *Lab) put(ctx context.Context, h Host, files []File) error {
	root, err := podman(ctx, "mount", l.container(h))
	if err != nil {
		return err
	}
	defer podman(ctx, "unmount", l.container(h))
	return writeFiles(root, files)
}
