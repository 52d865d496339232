// Package masterconfig reads what this project needs of a master's configuration [origin release-3.11, pkg/cmd/server/apis/config].
package masterconfig

import (
	"path/filepath"

	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/clienttls"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/yamlfile"
)

// DefaultPath is where the installer puts the configuration [openshift-ansible release-3.11].
const DefaultPath = "/etc/origin/master/master-config.yaml"

// Config is a master-config.yaml.
type Config struct {
	EtcdClientInfo struct {
		URLs     []string `yaml:"urls"`
		CA       string   `yaml:"ca"`
		CertFile string   `yaml:"certFile"`
		KeyFile  string   `yaml:"keyFile"`
	} `yaml:"etcdClientInfo"`
	EtcdConfig *struct { // of an etcd inside the master's process; nil elsewhere
		PeerAddress      string `yaml:"peerAddress"`
		StorageDirectory string `yaml:"storageDirectory"`
	} `yaml:"etcdConfig"`
	ServingInfo struct {
		BindAddress string `yaml:"bindAddress"` // address:port of the API
	} `yaml:"servingInfo"`

	dir string
}

// Read returns fs.ErrNotExist where there is no such file. Its errors never quote the file, which may hold secrets.
func Read(path string) (Config, error) {
	raw, err := readfile.Read(path, readfile.Long)
	if err != nil {
		return Config{}, err
	}
	c := Config{dir: filepath.Dir(path)}
	if err := yaml.Unmarshal(raw, &c); err != nil {
		return Config{}, fault.Wrap(fault.Invalid, yamlfile.Problem(err), "%s is not the YAML of a master's configuration", path)
	}
	return c, nil
}

// TLS are the files of etcdClientInfo. A relative name begins at the directory of the configuration; where none is given, it is the one that the
// installer writes.
func (c Config) TLS() clienttls.Files {
	info := c.EtcdClientInfo
	return clienttls.Files{CA: c.beside(info.CA, "ca.crt"), Cert: c.beside(info.CertFile, "client.crt"), Key: c.beside(info.KeyFile, "client.key")}
}

func (c Config) beside(name, installed string) string {
	if name == "" {
		name = "master.etcd-" + installed
	}
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.dir, name)
}
