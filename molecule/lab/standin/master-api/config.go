package main

import (
	"errors"
	"path/filepath"

	"gopkg.in/yaml.v3"
)

// config is what this server reads of master-config.yaml.
type config struct {
	Etcd    etcdInfo    `yaml:"etcdClientInfo"`
	Serving servingInfo `yaml:"servingInfo"`
}

type etcdInfo struct {
	CA       string   `yaml:"ca"`
	CertFile string   `yaml:"certFile"`
	KeyFile  string   `yaml:"keyFile"`
	URLs     []string `yaml:"urls"`
}

type servingInfo struct {
	BindAddress string `yaml:"bindAddress"`
	CertFile    string `yaml:"certFile"`
	KeyFile     string `yaml:"keyFile"`
}

// parseConfig takes file names relative to the configuration's directory, as
// OpenShift does.
func parseConfig(text []byte, dir string) (*config, error) {
	var c config
	if err := yaml.Unmarshal(text, &c); err != nil {
		return nil, err
	}
	if len(c.Etcd.URLs) == 0 {
		return nil, errors.New("etcdClientInfo.urls is empty")
	}
	for _, f := range []*string{&c.Etcd.CA, &c.Etcd.CertFile, &c.Etcd.KeyFile, &c.Serving.CertFile, &c.Serving.KeyFile} {
		if !filepath.IsAbs(*f) {
			*f = filepath.Join(dir, *f)
		}
	}
	return &c, nil
}
