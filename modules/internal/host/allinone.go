package host

import (
	"context"
	"os"
	"path/filepath"

	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/root"
)

// allInOne is an etcd inside the master's process: no etcd.conf, no unit or pod of its own, data in openshift.local.etcd. It is looked at,
// and backed up; it cannot be started with a flag, or without the master, so it is not driven. An all-in-one host whose etcd is a
// service or a pod is not this: there ETCD_DATA_DIR of etcd.conf names that directory, and all works as elsewhere.
type allInOne struct {
	unsupported
	host *Host
}

// Look goes by the locks that etcd holds on its files, since the process that holds them is not called etcd.
func (a allInOne) Look(context.Context) (View, error) {
	held, err := a.host.locked()
	if len(held) == 0 {
		return View{State: facts.Stopped, Detail: "the master does not hold its data"}, err
	}
	return View{State: facts.Running, Detail: "inside the master's process", Ready: true}, nil
}

// errAllInOne says what to do instead.
func errAllInOne() error {
	return fault.New(fault.Unsupported, "etcd runs inside the master's process here (all-in-one), which cannot be told to force a new cluster, nor be stopped by itself").
		WithHint("stop the master, back the data up (etcd_backup method=copy), install the etcd package, write its etcd.conf with ETCD_DATA_DIR=%s and the certificates, "+
			"give the files to the user etcd, take etcdConfig out of master-config.yaml, and run this again: etcd is a service then", AllInOneDataDir)
}

// masterConfig is what the master's configuration says of the etcd within it [origin release-3.11, pkg/cmd/server/apis/config].
type masterConfig struct {
	EtcdConfig *struct {
		PeerAddress      string `yaml:"peerAddress"`
		StorageDirectory string `yaml:"storageDirectory"`
	} `yaml:"etcdConfig"`
	EtcdClientInfo struct {
		URLs     []string `yaml:"urls"`
		CA       string   `yaml:"ca"`
		CertFile string   `yaml:"certFile"`
		KeyFile  string   `yaml:"keyFile"`
	} `yaml:"etcdClientInfo"`
}

// readMaster fills in what etcd.conf says elsewhere. A configuration that cannot be read leaves it empty: files are facts without it.
func (h *Host) readMaster() {
	dir := root.Path(masterDir)
	raw, err := os.ReadFile(filepath.Join(dir, "master-config.yaml"))
	var c masterConfig
	if err != nil || yaml.Unmarshal(raw, &c) != nil || c.EtcdConfig == nil {
		return
	}
	at := func(name string) string {
		if name == "" || filepath.IsAbs(name) {
			return name
		}
		return filepath.Join(dir, name)
	}
	info := c.EtcdClientInfo
	h.Config.ClientURLs = info.URLs
	h.TLS = TLS{CA: at(info.CA), Cert: at(info.CertFile), Key: at(info.KeyFile)}
	if c.EtcdConfig.PeerAddress != "" {
		h.Config.PeerURLs = []string{"https://" + c.EtcdConfig.PeerAddress}
	}
	if c.EtcdConfig.StorageDirectory != "" && h.DataDir == root.Path(AllInOneDataDir) {
		h.DataDir = filepath.Clean(c.EtcdConfig.StorageDirectory)
	}
}
