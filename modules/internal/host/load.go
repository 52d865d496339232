package host

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"etcd-quorum-restore/modules/internal/clienttls"
	"etcd-quorum-restore/modules/internal/etcdconf"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/root"
)

// Where OpenShift 3.11 puts things [openshift-ansible release-3.11].
const (
	DefaultManifestDir = "/etc/origin/node/pods"
	DefaultDataDir     = "/var/lib/etcd"
	AllInOneDataDir    = "/var/lib/origin/openshift.local.etcd"
	masterDir          = "/etc/origin/master"
)

// Options are the arguments of every module that acts on a host of etcd; "" means the default.
type Options struct {
	EtcdConf    string `json:"etcd_conf"`    // /etc/etcd/etcd.conf
	ManifestDir string `json:"manifest_dir"` // /etc/origin/node/pods
	DataDir     string `json:"data_dir"`     // overrides etcd.conf
	ConfIsLost  bool   `json:"-"`            // etcd.conf is to be put back, so it may be missing, wherever it is
}

// OfHost is what package onhost asks a module's arguments for.
func (o Options) OfHost() (Options, error) { return o, nil }

// Host is one host's etcd.
type Host struct {
	EtcdConf    string
	ManifestDir string
	Conf        etcdconf.Conf
	Config      facts.Config
	DataDir     string
	TLS         clienttls.Files // of a client
	Runtime     Runtime
}

// Load reads etcd.conf and finds the runtime. It changes nothing.
func Load(ctx context.Context, o Options) (*Host, error) {
	read := etcdconf.Read
	if o.ConfIsLost {
		read = etcdconf.ReadIfThere
	}
	conf, err := read(o.EtcdConf)
	if err != nil {
		return nil, err
	}
	h := &Host{EtcdConf: conf.Path, ManifestDir: o.ManifestDir, Conf: conf, Config: config(conf), TLS: conf.TLS()}
	if h.ManifestDir, err = manifestDir(o.ManifestDir); err != nil {
		return nil, err
	}
	if conf.File == nil {
		h.TLS = masterTLS()
	}
	rt, err := detect(ctx, h)
	if err != nil {
		return nil, err
	}
	h.Runtime = rt
	if h.DataDir, err = h.dataDir(o.DataDir); err != nil {
		return nil, err
	}
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

// manifestDir takes a missing directory for "no kubelet here" only if it is the default: a fence that looks into a wrong directory would leave
// the pod as it is.
func manifestDir(given string) (string, error) {
	byDefault := root.Path(DefaultManifestDir)
	if given == "" || given == DefaultManifestDir || given == byDefault {
		return byDefault, nil
	}
	if !readfile.IsDir(given) {
		return "", fault.New(fault.Invalid, "argument manifest_dir: there is no directory %s", given).
			WithHint("leave manifest_dir out for %s; the kubelet's own is staticPodPath, or podManifestConfig, of its configuration", byDefault)
	}
	return given, nil
}

func config(conf etcdconf.Conf) facts.Config {
	return facts.Config{
		Path:                conf.Path,
		Name:                conf.Get("ETCD_NAME"),
		ListenPeerURLs:      conf.List("ETCD_LISTEN_PEER_URLS"),
		ListenClientURLs:    conf.List("ETCD_LISTEN_CLIENT_URLS"),
		PeerURLs:            conf.List("ETCD_INITIAL_ADVERTISE_PEER_URLS"),
		ClientURLs:          conf.List("ETCD_ADVERTISE_CLIENT_URLS"),
		InitialCluster:      conf.Get("ETCD_INITIAL_CLUSTER"),
		InitialClusterState: conf.Get("ETCD_INITIAL_CLUSTER_STATE"),
		InitialClusterToken: conf.Get("ETCD_INITIAL_CLUSTER_TOKEN"),
		WALDir:              conf.Get("ETCD_WAL_DIR"),
	}
}

func masterTLS() clienttls.Files {
	at := func(name string) string { return filepath.Join(root.Path(masterDir), "master.etcd-"+name) }
	if _, err := os.Stat(at("client.crt")); err != nil {
		return clienttls.Files{}
	}
	return clienttls.Files{CA: at("ca.crt"), Cert: at("client.crt"), Key: at("client.key")}
}

// dataDir refuses a relative path in etcd.conf: it begins at etcd's working directory, which no other process knows for sure.
func (h *Host) dataDir(override string) (string, error) {
	for _, key := range []string{"ETCD_DATA_DIR", "ETCD_WAL_DIR"} {
		if dir := h.Conf.Get(key); dir != "" && !filepath.IsAbs(dir) && (override == "" || key == "ETCD_WAL_DIR") {
			return "", fault.New(fault.Unsupported, "%s: %s is %q; expected an absolute path", h.EtcdConf, key, dir).
				WithHint("find the directory that etcd really uses (ls -l /proc/$(pidof etcd)/cwd), and write its full path into %s", h.EtcdConf)
		}
	}
	switch dir := h.Conf.Get("ETCD_DATA_DIR"); {
	case override != "":
		return filepath.Clean(override), nil
	case dir != "":
		return filepath.Clean(dir), nil
	case h.Runtime.Name() == facts.AllInOne:
		return root.Path(AllInOneDataDir), nil
	}
	return root.Path(DefaultDataDir), nil
}

// MemberDir is the directory that holds all of a member's data, unless ETCD_WAL_DIR puts the log elsewhere.
func (h *Host) MemberDir() string { return filepath.Join(h.DataDir, "member") }

// WALDir is the directory of the log.
func (h *Host) WALDir() string {
	if h.Config.WALDir != "" {
		return filepath.Clean(h.Config.WALDir)
	}
	return filepath.Join(h.MemberDir(), "wal")
}

// FenceFile is the fence's record, beside etcd.conf.
func (h *Host) FenceFile() string { return filepath.Join(filepath.Dir(h.EtcdConf), "fenced.json") }

// PutBackFile is the record of a fence that was removed, on a host where etcd ran before: it is still to be started.
func (h *Host) PutBackFile() string { return filepath.Join(filepath.Dir(h.EtcdConf), "unfenced.json") }

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

// HasMember tells whether anything of a member is there, even if only a part.
func (h *Host) HasMember() (bool, error) {
	entries, err := readDir(h.MemberDir())
	if err != nil || len(entries) > 0 {
		return len(entries) > 0, err
	}
	return h.HasData()
}

// readDir takes a directory that does not exist for an empty one. Any other error stays one, so that "may not read" is never "nothing there".
func readDir(dir string) ([]fs.DirEntry, error) {
	entries, err := readfile.Dir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}
