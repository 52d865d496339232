// Package etcdconf reads etcd.conf, the environment file of etcd's unit, as every module reads it.
package etcdconf

import (
	"errors"
	"io/fs"
	"strings"

	"etcd-quorum-restore/modules/internal/clienttls"
	"etcd-quorum-restore/modules/internal/envfile"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/login"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/root"
)

// DefaultPath is where the installer puts etcd.conf [openshift-ansible release-3.11].
const DefaultPath = "/etc/etcd/etcd.conf"

// Conf is an etcd.conf as systemd reads it.
type Conf struct {
	Path  string
	File  *envfile.File // nil where there is none
	Doubt error         // a shell would read it differently, and how
}

// Read falls back to systemd's reading where a shell would differ: facts are needed of a host with an odd file too, and the editor of the file
// refuses it. A path of "" is the default one. Where the default file does not exist, the Conf is empty; a named file that does not exist is an
// error of kind invalid, since the defaults would act on another etcd than the one that was meant.
func Read(path string) (Conf, error) {
	byDefault := root.Path(DefaultPath)
	if path == "" {
		path = byDefault
	}
	conf, err := ReadIfThere(path)
	if err == nil && conf.File == nil && path != byDefault {
		return conf, fault.New(fault.Invalid, "argument etcd_conf: there is no %s", path).
			WithHint("leave etcd_conf out for %s; etcd_config_backup state=restored brings a lost file back", byDefault)
	}
	return conf, err
}

// ReadIfThere is Read, but takes any file that does not exist for an empty one.
func ReadIfThere(path string) (Conf, error) {
	conf := Conf{Path: path}
	raw, err := readfile.Read(path, readfile.Text)
	if errors.Is(err, fs.ErrNotExist) {
		return conf, nil
	}
	if err != nil {
		return conf, fault.Wrap(fault.Invalid, err, "argument etcd_conf")
	}
	if err := conf.parse(raw); err != nil {
		return conf, fault.Wrap(fault.Invalid, err, "%s", path)
	}
	return conf, nil
}

// ReadCopy reads the etcd.conf of a backup, which must be there. It never falls back to the host's own.
func ReadCopy(path string) (Conf, error) {
	conf := Conf{Path: path}
	raw, err := readfile.Read(path, readfile.Text)
	if err == nil {
		err = conf.parse(raw)
	}
	if err != nil {
		return conf, fault.Wrap(fault.Corrupt, err, "%s", path)
	}
	return conf, nil
}

func (c *Conf) parse(raw []byte) (err error) {
	if c.File, c.Doubt = envfile.Parse(raw); c.Doubt != nil {
		c.File, err = envfile.ParseSystemd(raw)
	}
	return err
}

// Get is the value of a key, "" where there is none.
func (c Conf) Get(key string) string {
	if c.File == nil {
		return ""
	}
	value, _ := c.File.Get(key)
	return value
}

// List is a value that holds a list, such as URLs; it is never nil.
func (c Conf) List(key string) []string { return Split(c.Get(key)) }

// Split is a list as etcd writes it: the elements of "a, b".
func Split(text string) []string {
	out := []string{}
	for _, part := range login.Split(text) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// TLS is what a client on this host uses: the PEER certificate. The server's may be for serverAuth only: the installer issued it so until June
// 2018.
func (c Conf) TLS() clienttls.Files {
	files := clienttls.Files{CA: c.Get("ETCD_TRUSTED_CA_FILE"), Cert: c.Get("ETCD_PEER_CERT_FILE"), Key: c.Get("ETCD_PEER_KEY_FILE")}
	if files.CA == "" {
		files.CA = c.Get("ETCD_PEER_TRUSTED_CA_FILE")
	}
	return files
}
