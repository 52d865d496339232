package main

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/confedit"
	"etcd-quorum-restore/modules/internal/etcdconf"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
)

const (
	advertisedPeer   = "ETCD_INITIAL_ADVERTISE_PEER_URLS"
	advertisedClient = "ETCD_ADVERTISE_CLIENT_URLS"
)

// keys have this host's address in their URLs. ETCD_LISTEN_METRICS_URLS, of 3.3 and later, is not always set.
var keys = []string{"ETCD_LISTEN_PEER_URLS", advertisedPeer, "ETCD_LISTEN_CLIENT_URLS", advertisedClient, "ETCD_LISTEN_METRICS_URLS"}

// urls is etcd.conf's lists of URLs as they are to be.
type urls struct {
	values map[string]string // by key
	old    string            // the address that is replaced; "" where none is
	new    string
}

func (u urls) list(key string) []string { return split(u.values[key]) }

func split(value string) []string { return etcdconf.Split(value) }

// move puts the address in place of the one that the URLs have. What every host calls itself, such as 0.0.0.0 and 127.0.0.1, stays, and so does a
// host name, which DNS moves.
func move(conf etcdconf.Conf, address net.IP) (urls, error) {
	moved := urls{values: map[string]string{}, new: address.String()}
	for _, key := range keys {
		var list []string
		for _, raw := range conf.List(key) {
			one, err := moved.one(key, raw)
			if err != nil {
				return urls{}, err
			}
			if !slices.Contains(list, one) {
				list = append(list, one)
			}
		}
		if len(list) > 0 {
			moved.values[key] = strings.Join(list, ",")
		}
	}
	for _, key := range []string{advertisedPeer, advertisedClient} {
		if moved.values[key] == "" {
			return urls{}, fault.New(fault.Unsupported, "etcd.conf does not set %s", key).WithHint("set it by hand to this host's URL, and run the same command again")
		}
	}
	return moved, nil
}

func (u *urls) one(key, raw string) (string, error) {
	parsed, err := url.Parse(raw)
	if err != nil || parsed.Host == "" || parsed.Port() == "" {
		return "", fault.New(fault.Unsupported, "etcd.conf has %q in %s; expected URLs such as https://192.0.2.11:2380", raw, key).
			WithHint("put that URL right by hand, and run the same command again")
	}
	ip := net.ParseIP(parsed.Hostname())
	if ip == nil || ip.IsUnspecified() || ip.IsLoopback() || ip.String() == u.new {
		return raw, nil
	}
	if u.old != "" && u.old != ip.String() {
		return "", fault.New(fault.Unsupported, "etcd.conf has several addresses (%s, %s) in its URLs, and which of them has moved is not known", u.old, ip).
			WithHint("put %s in its place by hand in %s, and run the same command again", u.new, strings.Join(keys, ", "))
	}
	u.old = ip.String()
	parsed.Host = net.JoinHostPort(u.new, parsed.Port())
	return parsed.String(), nil
}

// request has the member itself in ETCD_INITIAL_CLUSTER with its new peer URLs; the other members stay.
func (u urls) request(name string) confedit.Request {
	settings := map[string]*string{}
	for key, value := range u.values {
		settings[key] = &value
	}
	request := confedit.Request{Settings: settings, Cluster: true}
	for _, url := range u.list(advertisedPeer) {
		request.Add = append(request.Add, facts.Listed{Name: name, URL: url})
	}
	return request
}

// leaves are the hosts of URLs that no URL of the member has any more.
func (u urls) leaves(from []string) ([]listed, error) {
	known := map[string]bool{}
	for _, value := range u.values {
		for _, each := range split(value) {
			known[hostOf(each)] = true
		}
	}
	out := []listed{}
	for _, each := range from {
		host := hostOf(each)
		if host == "" {
			return nil, fault.New(fault.Invalid, "argument listed: expected URLs such as https://192.0.2.11:2380, found %.200q", each)
		}
		if !known[host] {
			known[host] = true
			out = append(out, listed{Name: host, Aliases: []string{}})
		}
	}
	return out, nil
}

func hostOf(raw string) string {
	parsed, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return facts.CanonicalHost(parsed.Hostname())
}
