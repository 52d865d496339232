package etcd

import (
	"errors"
	"io/fs"
	"net"
	"net/url"
	"slices"

	"etcd-quorum-restore/modules/internal/etcdconf"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/masterconfig"
	"etcd-quorum-restore/modules/internal/root"
)

// Access are the arguments of every module that speaks to etcd; what they leave open is in the files of the host.
type Access struct {
	Endpoints  []string `json:"endpoints"`
	CACert     string   `json:"ca_cert"`
	ClientCert string   `json:"client_cert"`
	ClientKey  string   `json:"client_key"`
}

// Config fills in what the arguments leave open: from etcd.conf, and where there is none, from the master's configuration.
func (a Access) Config(etcdConf string) (Config, error) {
	conf, err := etcdconf.Read(etcdConf)
	if err != nil {
		return Config{}, err
	}
	if conf.File != nil {
		return a.complete(fromEtcdConf(conf), conf.Path)
	}
	master := root.Path(masterconfig.DefaultPath)
	cfg, err := fromMasterConfig(master)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Config{}, err
	}
	return a.complete(cfg, conf.Path+" and "+master)
}

// OfMaster fills in what the arguments leave open from the master's configuration.
func (a Access) OfMaster(path string) (Config, error) {
	cfg, err := fromMasterConfig(path)
	if err != nil {
		return Config{}, err
	}
	return a.complete(cfg, path)
}

func (a Access) complete(cfg Config, from string) (Config, error) {
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
		return Config{}, fault.New(fault.Invalid, "no endpoint is given, and none is named in %s", from).
			WithHint("give endpoints, e.g. endpoints=https://192.0.2.11:2379, and ca_cert, client_cert, client_key")
	}
	return cfg, nil
}

func override(field *string, argument string) {
	if argument != "" {
		*field = argument
	}
}

func fromEtcdConf(conf etcdconf.Conf) Config {
	own := conf.List("ETCD_INITIAL_ADVERTISE_PEER_URLS")
	return Config{
		Endpoints: reachable(conf.List("ETCD_ADVERTISE_CLIENT_URLS"), conf.List("ETCD_LISTEN_CLIENT_URLS")),
		Name:      conf.Get("ETCD_NAME"),
		OwnPeers:  own,
		PeerURLs:  slices.Concat(own, initialPeers(conf.Get("ETCD_INITIAL_CLUSTER"))),
		TLS:       conf.TLS(),
	}
}

// reachable is what this host can dial: the advertised URLs, or the listened ones with a wildcard address replaced.
func reachable(advertised, listened []string) []string {
	if len(advertised) > 0 {
		return advertised
	}
	for i, each := range listened {
		u, err := url.Parse(each)
		if err != nil {
			continue
		}
		if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsUnspecified() {
			u.Host = net.JoinHostPort("127.0.0.1", u.Port())
			listened[i] = u.String()
		}
	}
	return listened
}

// initialPeers are the URLs of ETCD_INITIAL_CLUSTER.
func initialPeers(cluster string) []string {
	var out []string
	for _, m := range facts.ParseInitialCluster(cluster) {
		out = append(out, m.URL)
	}
	return out
}

func fromMasterConfig(path string) (Config, error) {
	master, err := masterconfig.Read(path)
	if err != nil {
		return Config{}, err
	}
	return Config{Endpoints: master.EtcdClientInfo.URLs, TLS: master.TLS()}, nil
}
