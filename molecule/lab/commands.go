package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// onHosts makes an action of a function that takes hosts.
func onHosts(do func(*Lab, context.Context, []Host) error) action {
	return func(l *Lab, ctx context.Context, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("which hosts? this lab has %v", shortNames(l.Hosts))
		}
		hosts, err := pick(l.Hosts, args)
		if err != nil {
			return err
		}
		return do(l, ctx, hosts)
	}
}

func (l *Lab) wipeAll(ctx context.Context, hosts []Host) error {
	return each(hosts, func(h Host) error { return l.wipe(ctx, h, false) })
}

func (l *Lab) wipeDownAll(ctx context.Context, hosts []Host) error {
	return each(hosts, func(h Host) error { return l.wipe(ctx, h, true) })
}

func (l *Lab) execCommand(ctx context.Context, args []string) error {
	h, argv, err := l.hostAndCommand(args)
	if err != nil {
		return err
	}
	return l.exec(ctx, h, argv)
}

func (l *Lab) hostAndCommand(args []string) (Host, []string, error) {
	if len(args) < 2 {
		return Host{}, nil, errors.New("usage: HOST -- COMMAND [ARGUMENT]")
	}
	hosts, err := pick(l.Hosts, args[:1])
	if err != nil {
		return Host{}, nil, err
	}
	argv := args[1:]
	if argv[0] == "--" {
		argv = argv[1:]
	}
	return hosts[0], argv, nil
}

func (l *Lab) sshCommand(ctx context.Context, args []string) error {
	h, argv, err := l.hostAndCommand(args)
	if err != nil {
		return err
	}
	opts := []string{"-i", l.path("ssh/id_ed25519"), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-o", "LogLevel=ERROR", "-o", "BatchMode=yes", "root@" + h.IP}
	return passThrough(ctx, "ssh", append(opts, argv...)...)
}

func (l *Lab) fetchCommand(ctx context.Context, args []string) error {
	if len(args) != 3 {
		return errors.New("usage: fetch NAME HOST PATH TO")
	}
	hosts, err := pick(l.Hosts, args[:1])
	if err != nil {
		return err
	}
	_, err = podman(ctx, "cp", l.container(hosts[0])+":"+args[1], args[2])
	return err
}

func (l *Lab) ipCommand(_ context.Context, args []string) error {
	hosts, err := pick(l.Hosts, args)
	for _, h := range hosts {
		fmt.Println(h.IP)
	}
	return err
}

func (l *Lab) hostsCommand(_ context.Context, args []string) error {
	selectors := map[string]func(Host) bool{
		"all":     func(Host) bool { return true },
		"etcd":    func(h Host) bool { return h.Etcd },
		"spare":   func(h Host) bool { return h.Spare },
		"bare":    func(h Host) bool { return h.Bare },
		"masters": func(h Host) bool { return h.Master },
		"nodes":   func(h Host) bool { return h.Node },
	}
	which := "all"
	if len(args) > 0 {
		which = args[0]
	}
	in, ok := selectors[which]
	if !ok {
		return fmt.Errorf("no selector %q; there are %v", which, sortedKeys(selectors))
	}
	for _, h := range where(l.Hosts, in) {
		fmt.Println(h.Name)
	}
	return nil
}

func (l *Lab) cutCommand(ctx context.Context, args []string) error {
	return l.cutOrHeal(ctx, args, true)
}

func (l *Lab) healCommand(ctx context.Context, args []string) error {
	return l.cutOrHeal(ctx, args, false)
}

func (l *Lab) cutOrHeal(ctx context.Context, args []string, add bool) error {
	hosts, err := pick(l.Hosts, args)
	if err != nil {
		return err
	}
	if len(hosts) == 0 {
		return errors.New("usage: cut|heal NAME HOST [FROM...]")
	}
	from := hosts[1:]
	if len(from) == 0 {
		// The control node too: the host is unreachable for everybody.
		from = append(where(l.Hosts, func(h Host) bool { return h.Name != hosts[0].Name }),
			Host{IP: fmt.Sprintf("10.213.%d.1", l.Slot)})
	}
	return l.cut(ctx, hosts[0], from, add)
}

func (l *Lab) waitCommand(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("wait", flag.ContinueOnError)
	timeout := f.Duration("timeout", 3*time.Minute, "limit")
	if err := f.Parse(args); err != nil {
		return err
	}
	hosts, err := pick(l.Hosts, f.Args())
	if err != nil {
		return err
	}
	return l.waitHealthy(ctx, *timeout, hosts...)
}

func listCommand(root string) error {
	files, err := filepath.Glob(filepath.Join(labsDir(root), "*", "lab.json"))
	for _, f := range files {
		fmt.Println(filepath.Base(filepath.Dir(f)))
	}
	return err
}

func (l *Lab) statusCommand(ctx context.Context, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("what is %q?", args[0])
	}
	lines := make(map[string]string)
	for _, h := range l.Hosts {
		lines[h.Name] = l.statusLine(ctx, h)
	}
	for _, h := range l.Hosts {
		fmt.Println(lines[h.Name])
	}
	fmt.Fprintf(os.Stdout, "inventory: %s\n", l.path("inventory/hosts"))
	return nil
}

func (l *Lab) statusLine(ctx context.Context, h Host) string {
	if !l.running(ctx, h) {
		return fmt.Sprintf("%-10s %-14s off", h.Short(), h.IP)
	}
	unit := "-"
	switch {
	case h.Pod:
		unit = l.etcdPodState(ctx, h)
	case h.Etcd || h.Spare || h.Bare:
		// is-active exits with an error for anything but active, and prints
		// the state all the same.
		unit, _ = podman(ctx, "exec", l.container(h), "systemctl", "is-active", "etcd.service")
	}
	return fmt.Sprintf("%-10s %-14s on   etcd: %-12s %s", h.Short(), h.IP, unit, l.health(ctx, h))
}
