package etcd

import (
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/envfile"
	"etcd-quorum-restore/modules/internal/fault"
)

// MasterConfig is where a master without an etcd of its own says which etcd it uses.
const MasterConfig = "/etc/origin/master/master-config.yaml"

// Access is how a module finds etcd: what its arguments say, and for the rest the files of the host.
type Access struct {
	EtcdConf     string   `json:"etcd_conf"` // asked first
	MasterConfig string   `json:"-"`         // asked where there is no etcd.conf; "" = MasterConfig
	Endpoints    []string `json:"endpoints"`
	CACert       string   `json:"ca_cert"`
	ClientCert   string   `json:"client_cert"`
	ClientKey    string   `json:"client_key"`
}

// Config fills in what the arguments leave open. On an etcd host the client certificate is the PEER certificate: the server's is
// issued for serverAuth only.
func (a Access) Config() (Config, error) {
	cfg, err := a.fromHost()
	if err != nil {
		return Config{}, err
	}
	if len(a.Endpoints) > 0 {
		cfg.Endpoints = a.Endpoints
	}
	for _, endpoint := range cfg.Endpoints {
		if _, err := ParseEndpoint(endpoint); err != nil {
			return Config{}, err
		}
	}
	override(&cfg.TLS.CA, a.CACert)
	override(&cfg.TLS.Cert, a.ClientCert)
	override(&cfg.TLS.Key, a.ClientKey)
	if len(cfg.Endpoints) == 0 {
		return Config{}, fault.New(fault.Invalid, "no endpoint is given, and neither %s nor %s names one", a.EtcdConf, a.masterConfig()).
			WithHint("give endpoints, e.g. endpoints=https://192.0.2.11:2379, and ca_cert, client_cert, client_key")
	}
	return cfg, nil
}

func override(field *string, argument string) {
	if argument != "" {
		*field = argument
	}
}

func (a Access) masterConfig() string {
	if a.MasterConfig != "" {
		return a.MasterConfig
	}
	return MasterConfig
}

func (a Access) fromHost() (Config, error) {
	cfg, err := fromEtcdConf(a.EtcdConf)
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		return cfg, err
	}
	cfg, err = fromMasterConfig(a.masterConfig())
	if errors.Is(err, os.ErrNotExist) {
		return Config{}, nil
	}
	return cfg, err
}

func fromEtcdConf(path string) (Config, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Config{}, err
	}
	file, err := envfile.Parse(raw)
	if err != nil { // etcd runs with it all the same, and this only reads
		if file, err = envfile.ParseSystemd(raw); err != nil {
			return Config{}, fault.Wrap(fault.Invalid, err, "%s", path)
		}
	}
	get := func(key string) string { value, _ := file.Get(key); return value }
	cfg := Config{Endpoints: reachable(get("ETCD_ADVERTISE_CLIENT_URLS"), get("ETCD_LISTEN_CLIENT_URLS"))}
	cfg.Name, cfg.OwnPeers = get("ETCD_NAME"), list(get("ETCD_INITIAL_ADVERTISE_PEER_URLS"))
	cfg.PeerURLs = slices.Concat(cfg.OwnPeers, initialPeers(get("ETCD_INITIAL_CLUSTER")))
	cfg.TLS = TLSFiles{CA: get("ETCD_TRUSTED_CA_FILE"), Cert: get("ETCD_PEER_CERT_FILE"), Key: get("ETCD_PEER_KEY_FILE")}
	return cfg, nil
}

// reachable is what this host can dial: the advertised URLs, or the listened ones with a wildcard address replaced.
func reachable(advertised, listened string) []string {
	if urls := list(advertised); len(urls) > 0 {
		return urls
	}
	urls := list(listened)
	for i, each := range urls {
		u, err := url.Parse(each)
		if err != nil {
			continue
		}
		if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsUnspecified() {
			u.Host = net.JoinHostPort("127.0.0.1", u.Port())
			urls[i] = u.String()
		}
	}
	return urls
}

func list(text string) []string {
	var out []string
	for _, part := range strings.Split(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// initialPeers are the URLs of ETCD_INITIAL_CLUSTER.
func initialPeers(text string) []string {
	var out []string
	for _, part := range list(text) {
		if _, peer, ok := strings.Cut(part, "="); ok {
			out = append(out, peer)
		}
	}
	return out
}

func fromMasterConfig(path string) (Config, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Config{}, err
	}
	var master struct {
		Client struct {
			CA   string   `yaml:"ca"`
			Cert string   `yaml:"certFile"`
			Key  string   `yaml:"keyFile"`
			URLs []string `yaml:"urls"`
		} `yaml:"etcdClientInfo"`
	}
	if err := yaml.Unmarshal(raw, &master); err != nil {
		return Config{}, fault.New(fault.Invalid, "%s is not valid YAML", path) // its text may quote a secret
	}
	beside := func(file, byDefault string) string {
		if file == "" {
			file = byDefault
		}
		if filepath.IsAbs(file) {
			return file
		}
		return filepath.Join(filepath.Dir(path), file)
	}
	return Config{
		Endpoints: master.Client.URLs,
		TLS: TLSFiles{
			CA:   beside(master.Client.CA, "master.etcd-ca.crt"),
			Cert: beside(master.Client.Cert, "master.etcd-client.crt"),
			Key:  beside(master.Client.Key, "master.etcd-client.key"),
		},
	}, nil
}
