package host

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"etcd-quorum-restore/modules/internal/envfile"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/root"
)

// Where OpenShift 3.11 puts things [openshift-ansible release-3.11].
const (
	DefaultConf        = "/etc/etcd/etcd.conf"
	DefaultManifestDir = "/etc/origin/node/pods"
	DefaultDataDir     = "/var/lib/etcd"
	AllInOneDataDir    = "/var/lib/origin/openshift.local.etcd"
	masterDir          = "/etc/origin/master"
)

// Options are the common arguments; "" means the default.
type Options struct {
	EtcdConf    string // /etc/etcd/etcd.conf
	ManifestDir string // /etc/origin/node/pods
	DataDir     string // overrides etcd.conf
}

// TLS names the files of a client of this host's etcd. They are empty where etcd speaks plain HTTP.
type TLS struct{ CA, Cert, Key string }

// Host is one host's etcd.
type Host struct {
	EtcdConf    string
	ManifestDir string
	Conf        *envfile.File // nil where there is no etcd.conf
	ConfDoubt   error         // etcd.conf is read as systemd does; this is why a shell would read it differently
	Config      facts.Config
	DataDir     string
	TLS         TLS // of a client: the PEER certificate, since the server's is issued for serverAuth only
	Runtime     Runtime
}

// Load reads etcd.conf and finds the runtime. It changes nothing.
func Load(ctx context.Context, o Options) (*Host, error) {
	h := &Host{EtcdConf: o.EtcdConf, ManifestDir: o.ManifestDir}
	if h.EtcdConf == "" {
		h.EtcdConf = root.Path(DefaultConf)
	}
	if h.ManifestDir == "" {
		h.ManifestDir = root.Path(DefaultManifestDir)
	}
	if err := h.readConf(); err != nil {
		return nil, err
	}
	h.Config = h.config()
	h.TLS = h.tls()
	rt, err := detect(ctx, h)
	if err != nil {
		return nil, err
	}
	h.Runtime = rt
	h.DataDir = h.dataDir(o.DataDir)
	if p, ok := rt.(*pod); ok && o.DataDir == "" {
		if outside, ok := p.dataDirOf(h.DataDir); ok {
			h.DataDir = outside
		}
	}
	if rt.Name() == facts.AllInOne {
		h.readMaster()
	}
	return h, nil
}

// readConf falls back to systemd's reading where a shell would differ: facts must be had of a host with an odd file as well; it is the
// editor of the file that refuses.
func (h *Host) readConf() error {
	raw, err := os.ReadFile(h.EtcdConf)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if h.Conf, h.ConfDoubt = envfile.Parse(raw); h.ConfDoubt == nil {
		return nil
	}
	if h.Conf, err = envfile.ParseSystemd(raw); err != nil {
		return fault.Wrap(fault.Invalid, err, "%s", h.EtcdConf)
	}
	return nil
}

func (h *Host) get(key string) string {
	if h.Conf == nil {
		return ""
	}
	value, _ := h.Conf.Get(key)
	return value
}

func (h *Host) config() facts.Config {
	return facts.Config{
		Path:                h.EtcdConf,
		Name:                h.get("ETCD_NAME"),
		ListenPeerURLs:      list(h.get("ETCD_LISTEN_PEER_URLS")),
		ListenClientURLs:    list(h.get("ETCD_LISTEN_CLIENT_URLS")),
		PeerURLs:            list(h.get("ETCD_INITIAL_ADVERTISE_PEER_URLS")),
		ClientURLs:          list(h.get("ETCD_ADVERTISE_CLIENT_URLS")),
		InitialCluster:      h.get("ETCD_INITIAL_CLUSTER"),
		InitialClusterState: h.get("ETCD_INITIAL_CLUSTER_STATE"),
		InitialClusterToken: h.get("ETCD_INITIAL_CLUSTER_TOKEN"),
		WALDir:              h.get("ETCD_WAL_DIR"),
	}
}

func list(text string) []string {
	out := []string{}
	for _, part := range strings.Split(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func (h *Host) tls() TLS {
	if h.Conf == nil {
		return masterTLS()
	}
	t := TLS{CA: h.get("ETCD_TRUSTED_CA_FILE"), Cert: h.get("ETCD_PEER_CERT_FILE"), Key: h.get("ETCD_PEER_KEY_FILE")}
	if t.CA == "" {
		t.CA = h.get("ETCD_PEER_TRUSTED_CA_FILE")
	}
	return t
}

func masterTLS() TLS {
	at := func(name string) string { return filepath.Join(root.Path(masterDir), "master.etcd-"+name) }
	if _, err := os.Stat(at("client.crt")); err != nil {
		return TLS{}
	}
	return TLS{CA: at("ca.crt"), Cert: at("client.crt"), Key: at("client.key")}
}

func (h *Host) dataDir(override string) string {
	switch conf := h.get("ETCD_DATA_DIR"); {
	case override != "":
		return filepath.Clean(override)
	case conf != "":
		return filepath.Clean(conf)
	case h.Runtime.Name() == facts.AllInOne:
		return root.Path(AllInOneDataDir)
	}
	return root.Path(DefaultDataDir)
}

// MemberDir is the directory that holds all of a member's data, unless ETCD_WAL_DIR puts the log elsewhere.
func (h *Host) MemberDir() string { return filepath.Join(h.DataDir, "member") }

// WALDir is where the log is.
func (h *Host) WALDir() string {
	if h.Config.WALDir != "" {
		return filepath.Clean(h.Config.WALDir)
	}
	return filepath.Join(h.MemberDir(), "wal")
}

// FenceFile is the fence's record. It is beside etcd.conf.
func (h *Host) FenceFile() string { return filepath.Join(filepath.Dir(h.EtcdConf), "fenced.json") }

// ForcingFile is the record of a forced start that has begun and is not proven yet.
func (h *Host) ForcingFile() string { return filepath.Join(filepath.Dir(h.EtcdConf), "forcing.json") }

// RestoringFile is the record of a backup that is being put back.
func (h *Host) RestoringFile() string {
	return filepath.Join(filepath.Dir(h.EtcdConf), "restoring.json")
}

// HasData tells whether a member's log is in place. Without a log a forced start would make an empty cluster.
func (h *Host) HasData() (bool, error) {
	entries, err := readDir(h.WALDir())
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".wal") {
			return true, nil
		}
	}
	return false, err
}

// HasMember tells whether there is anything of a member, be it only a part.
func (h *Host) HasMember() (bool, error) {
	entries, err := readDir(h.MemberDir())
	if err != nil || len(entries) > 0 {
		return len(entries) > 0, err
	}
	return h.HasData()
}

// readDir takes a directory that does not exist for an empty one; any other error stays one, so that "may not look" is never "nothing there".
func readDir(dir string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}
