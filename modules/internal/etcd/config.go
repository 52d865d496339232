package etcd

import (
	"net/url"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
)

// Limits of a conversation. A healthy member answers in milliseconds; an election on an installed cluster takes 2.5 to 5 s.
const (
	defaultConnect = 3 * time.Second
	defaultCall    = 5 * time.Second
	defaultStall   = 30 * time.Second // the member reads its own database while it sends
)

// TLSFiles are the PEM files of a TLS client. All empty: only http and unix endpoints can be spoken to.
type TLSFiles struct {
	CA   string `json:"ca"`
	Cert string `json:"cert"`
	Key  string `json:"key"`
}

// Config says whom to speak to, and how.
type Config struct {
	Endpoints []string // client URLs, in order of preference
	PeerURLs  []string // peer URLs, asked for the member list where no client port answers
	TLS       TLSFiles
	Name      string        // ETCD_NAME of this host, where it has an etcd.conf
	OwnPeers  []string      // ETCD_INITIAL_ADVERTISE_PEER_URLS of this host
	Connect   time.Duration // limit of TCP and TLS; 0: 3 s
	Call      time.Duration // limit of one call; 0: 5 s
	Stall     time.Duration // how long a snapshot may bring nothing; 0: 30 s
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

// ParseEndpoint accepts https://, http:// and unix:// URLs, and host:port for https; it refuses a path, a user and a missing port,
// which etcd's own tools accept and then fail on in puzzling ways.
func ParseEndpoint(text string) (*url.URL, error) {
	trimmed := strings.TrimSuffix(strings.TrimSpace(text), "/")
	if strings.HasPrefix(trimmed, "unix://") {
		return &url.URL{Scheme: "unix", Path: strings.TrimPrefix(trimmed, "unix://")}, nil
	}
	if !strings.Contains(trimmed, "://") {
		trimmed = "https://" + trimmed
	}
	u, err := url.Parse(trimmed)
	switch {
	case err != nil:
		return nil, badEndpoint(text, "it is no URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, badEndpoint(text, "the scheme is "+u.Scheme)
	case u.Hostname() == "" || u.Port() == "":
		return nil, badEndpoint(text, "host or port is missing")
	case u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "":
		return nil, badEndpoint(text, "it has more than scheme, host and port")
	}
	return u, nil
}

func badEndpoint(text, why string) error {
	return fault.New(fault.Invalid, "endpoint %q: expected a URL such as https://192.0.2.11:2379, but %s", text, why)
}
