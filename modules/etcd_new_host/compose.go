package main

import (
	"encoding/base64"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/envfile"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/login"
)

var (
	peerKeys   = []string{"ETCD_LISTEN_PEER_URLS", "ETCD_INITIAL_ADVERTISE_PEER_URLS"}
	clientKeys = []string{"ETCD_LISTEN_CLIENT_URLS", "ETCD_ADVERTISE_CLIENT_URLS"}
	// notCopied would give the new host what is the sibling's alone, or what this suite does not set up.
	notCopied = []string{"ETCD_WAL_DIR", "ETCD_DISCOVERY", "ETCD_DISCOVERY_SRV", "ETCD_LISTEN_METRICS_URLS", "ETCD_CONFIG_FILE"}
	nameForm  = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)
)

// compose is the sibling's etcd.conf with this host's name and address. Every other line is the sibling's, so that heartbeat, quota and paths are
// the cluster's. Of the members it names this one alone, as of an existing cluster: etcd cannot start with it before it has joined.
func compose(text []byte, name, address string) (*envfile.File, error) {
	file, err := envfile.Parse(text)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the sibling's etcd.conf").WithHint("put that line right on the member, and run it again")
	}
	for _, key := range notCopied {
		if value, _ := file.Get(key); value != "" {
			return nil, fault.New(fault.Unsupported, "the sibling's etcd.conf has %s=%s, which cannot be carried over to another host", key, value).
				WithHint("write this host's etcd.conf by hand, with its own name and URLs, and run the same command again: it then uses that file")
		}
	}
	if theirs, _ := file.Get("ETCD_NAME"); theirs == name {
		return nil, fault.New(fault.Refused, "%s is the sibling's own ETCD_NAME", name).WithHint("give the new host a name of its own: etcd_hostname in the inventory")
	}
	wanted := map[string]string{"ETCD_NAME": name, "ETCD_INITIAL_CLUSTER_STATE": "existing"}
	for _, key := range append(append([]string{}, peerKeys...), clientKeys...) {
		value, _ := file.Get(key)
		if wanted[key], err = moved(key, value, address); err != nil {
			return nil, err
		}
	}
	wanted["ETCD_INITIAL_CLUSTER"] = name + "=" + strings.ReplaceAll(wanted["ETCD_INITIAL_ADVERTISE_PEER_URLS"], ",", ","+name+"=")
	if err := file.Unset("ETCD_FORCE_NEW_CLUSTER"); err != nil {
		return nil, err
	}
	for _, key := range append([]string{"ETCD_NAME", "ETCD_INITIAL_CLUSTER", "ETCD_INITIAL_CLUSTER_STATE"}, append(peerKeys, clientKeys...)...) {
		if err := file.Set(key, wanted[key]); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "etcd.conf")
		}
	}
	return file, nil
}

// moved puts this host's address into URLs. What every host calls itself, such as 0.0.0.0 and 127.0.0.1, stays.
func moved(key, value, address string) (string, error) {
	var urls []string
	theirs := ""
	for _, raw := range login.Split(value) {
		u, err := url.Parse(strings.TrimSpace(raw))
		if err != nil || u.Host == "" || u.Port() == "" || u.Scheme != "https" {
			return "", fault.New(fault.Unsupported, "the sibling's etcd.conf has %s=%q; expected URLs such as https://192.0.2.11:2380", key, value).
				WithHint("write this host's etcd.conf by hand, with its own name and URLs, and run the same command again: it then uses that file")
		}
		if ip := net.ParseIP(u.Hostname()); ip == nil || !ip.IsUnspecified() && !ip.IsLoopback() {
			if theirs != "" && theirs != u.Hostname() {
				return "", fault.New(fault.Unsupported, "the sibling's etcd.conf has several addresses in %s=%s, and which of this host's belong there is not known", key, value).
					WithHint("write this host's etcd.conf by hand, with its own name and URLs, and run the same command again: it then uses that file")
			}
			theirs = u.Hostname()
			if theirs == address {
				return "", fault.New(fault.Refused, "%s is the sibling's own address", address).WithHint("give the new host its own: etcd_ip in the inventory")
			}
			u.Host = net.JoinHostPort(address, u.Port())
		}
		if !slices.Contains(urls, u.String()) {
			urls = append(urls, u.String())
		}
	}
	return strings.Join(urls, ","), nil
}

func decoded(argument, text string) ([]byte, error) {
	out, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(out) == 0 {
		return nil, fault.New(fault.Invalid, "argument %s: expected what state=info has returned, base64", argument)
	}
	return out, nil
}
