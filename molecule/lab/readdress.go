package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// readdress gives hosts another address and takes the old one away. Names lead to the new one on every host, as by DNS, and so does the inventory,
// which its owner has corrected; what the hosts have of etcd stays as it was. Power brings the old address back.
func (l *Lab) readdress(ctx context.Context, hosts []Host) error {
	for _, h := range hosts {
		next, err := moved(h.IP)
		if err != nil {
			return err
		}
		pid, err := l.pid(ctx, h)
		if err != nil {
			return err
		}
		for _, change := range [][]string{{"del", h.IP + "/24"}, {"add", next + "/24"}} {
			if _, err := command(ctx, nil, "nsenter", "-t", strconv.Itoa(pid), "-n", "ip", "addr", change[0], change[1], "dev", "eth0"); err != nil {
				return err
			}
		}
		if err := l.rename(ctx, h.IP, next); err != nil {
			return err
		}
	}
	return l.save()
}

// moved is the address a hundred further on, where no host of a lab is.
func moved(ip string) (string, error) {
	address, err := netip.ParseAddr(ip)
	if err != nil {
		return "", err
	}
	b := address.As4()
	if b[3] > 100 {
		return "", fmt.Errorf("%s is a new address already", ip)
	}
	b[3] += 100
	return netip.AddrFrom4(b).String(), nil
}

// rename puts the new address where names are looked up. /etc/hosts is a mount of podman's, so it is written in place.
func (l *Lab) rename(ctx context.Context, old, next string) error {
	script := fmt.Sprintf(`text=$(sed 's/^%s\b/%s/' /etc/hosts) && printf '%%s\n' "$text" >/etc/hosts`, strings.ReplaceAll(old, ".", `\.`), next)
	var errs []error
	for i := range l.Hosts {
		if l.Hosts[i].IP == old {
			l.Hosts[i].IP = next
		}
		errs = append(errs, l.exec(ctx, l.Hosts[i], []string{"sh", "-c", script}))
	}
	return errors.Join(append(errs, replaceIn(l.path("inventory/hosts"), old, next))...)
}

// replaceIn leaves all but whole addresses as it is.
func replaceIn(file, old, next string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	lines := strings.SplitAfter(string(text), "\n")
	for i, line := range lines {
		fields := strings.Split(line, "=")
		for f, field := range fields {
			if rest, is := strings.CutPrefix(field, old); is && (rest == "" || strings.ContainsAny(rest[:1], " \t\n")) {
				fields[f] = next + rest
			}
		}
		lines[i] = strings.Join(fields, "=")
	}
	return os.WriteFile(filepath.Clean(file), []byte(strings.Join(lines, "")), 0o600)
}
