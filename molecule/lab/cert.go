package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"
)

// certCommand gives a host other certificates than the installer would: those
// that a recovery has to refuse, or good ones again.
func (l *Lab) certCommand(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("cert", flag.ContinueOnError)
	expired := f.Bool("expired", false, "valid until yesterday")
	noIP := f.Bool("no-ip", false, "without the host's address")
	if len(args) == 0 {
		return errors.New("usage: lab cert NAME HOST [--expired] [--no-ip]")
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
	if *noIP {
		r.IPs = nil
	}
	certs, err := issueEtcd(a, r)
	if err != nil {
		return err
	}
	return l.put(ctx, h, certFiles(a, certs))
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
