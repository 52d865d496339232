package main

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/fault"
)

const perPort = 3 * time.Second

// reachable asks whether this host can connect to ports. Where nothing listens yet, a refused connection is as good an answer as an accepted one:
// the installer's firewall rejects with another message, and others drop.
func reachable(ctx context.Context, urls []string) (ansible.Result, error) {
	var ports []string
	for _, raw := range urls {
		u, err := url.Parse(raw)
		if err != nil || u.Hostname() == "" || u.Port() == "" {
			return ansible.Result{}, fault.New(fault.Invalid, "argument urls: expected URLs such as https://192.0.2.11:2380, found %.200q", raw)
		}
		ports = append(ports, u.Host)
	}
	for _, port := range ports {
		if err := through(ctx, port); err != nil {
			_, number, _ := net.SplitHostPort(port)
			return ansible.Result{}, fault.New(fault.Unreachable, "this host cannot connect to %s (%v)", port, err).
				WithHint("on the host of that address, allow the port: iptables -I OS_FIREWALL_ALLOW -p tcp -m state --state NEW -m tcp --dport %[1]s -j ACCEPT && "+
					"/usr/libexec/iptables/iptables.init save (with firewalld: firewall-cmd --add-port=%[1]s/tcp --permanent && firewall-cmd --reload); "+
					"then run the same command again", number)
		}
	}
	return ansible.Result{Msg: "this host can connect to " + strings.Join(ports, ", ")}, nil
}

func through(ctx context.Context, port string) error {
	ctx, cancel := context.WithTimeout(ctx, perPort)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", port)
	if err == nil {
		return c.Close()
	}
	if errors.Is(err, unix.ECONNREFUSED) {
		return nil
	}
	return err
}
