package etcd

import (
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/clienttls"
	"etcd-quorum-restore/modules/internal/fault"
)

// Limits of a connection and its calls. A healthy member answers in milliseconds; an election on an installed cluster takes 2.5 to 5 s.
const (
	defaultConnect = 3 * time.Second
	defaultCall    = 5 * time.Second
	defaultStall   = 30 * time.Second // the member reads its own database while it sends
)

// Config says whom to speak to, and how.
type Config struct {
	Endpoints []string        // client URLs, in order of preference
	PeerURLs  []string        // peer URLs, asked for the member list where no client port answers
	TLS       clienttls.Files // empty: only http and unix endpoints can be dialed
	Name      string          // ETCD_NAME of this host, where it has an etcd.conf
	OwnPeers  []string        // ETCD_INITIAL_ADVERTISE_PEER_URLS of this host
	Connect   time.Duration   // limit of TCP and TLS; 0: 3 s
	Call      time.Duration   // limit of one call; 0: 5 s
	Stall     time.Duration   // how long a snapshot may bring nothing; 0: 30 s
}

func (c Config) withDefaults() Config {
	if c.Connect <= 0 {
		c.Connect = defaultConnect
	}
	if c.Call <= 0 {
		c.Call = defaultCall
	}
	if c.Stall <= 0 {
		c.Stall = defaultStall
	}
	return c
}

// Limit is how long one call may take.
func (c Config) Limit() time.Duration { return c.withDefaults().Call }

// At is the same configuration for other endpoints.
func (c Config) At(endpoints ...string) Config {
	c.Endpoints = endpoints
	return c
}

// ParseEndpoint accepts https://, http:// and unix:// URLs, and host:port for https. It refuses a path, a user and a missing port: etcd's own
// tools accept these and then fail with puzzling messages.
func ParseEndpoint(text string) (*url.URL, error) {
	trimmed := strings.TrimSuffix(strings.TrimSpace(text), "/")
	if !strings.Contains(trimmed, "://") {
		trimmed = "https://" + trimmed
	}
	u, err := url.Parse(trimmed)
	switch {
	case err != nil:
		return nil, badEndpoint(text, "it is no URL")
	case u.Scheme == "unix":
		return socket(u, text)
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, badEndpoint(text, "the scheme is "+u.Scheme)
	case u.Hostname() == "" || u.Port() == "":
		return nil, badEndpoint(text, "host or port is missing")
	case !isPort(u.Port()):
		return nil, badEndpoint(text, "the port is not one of 1 to 65535")
	case u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "":
		return nil, badEndpoint(text, "it has more than scheme, host and port")
	}
	return u, nil
}

// socket is the URL of a unix socket: unix:// and an absolute path, nothing else.
func socket(u *url.URL, text string) (*url.URL, error) {
	if u.Host != "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || !filepath.IsAbs(u.Path) || strings.ContainsRune(u.Path, 0) {
		return nil, badEndpoint(text, "a socket is unix:// and an absolute path")
	}
	return &url.URL{Scheme: "unix", Path: u.Path}, nil
}

func isPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port > 0
}

func badEndpoint(text, why string) error {
	return fault.New(fault.Invalid, "endpoint %q: expected a URL such as https://192.0.2.11:2379, but %s", text, why)
}
