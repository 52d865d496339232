// Package flannelconf reads which files flanneld uses for etcd, from its environment file.
package flannelconf

import (
	"errors"
	"io/fs"
	"regexp"

	"etcd-quorum-restore/modules/internal/clienttls"
	"etcd-quorum-restore/modules/internal/envfile"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
)

var option = regexp.MustCompile(`(?:^|\s)--?etcd-(ca|cert|key)file[= ]["']?([^\s"']+)`)

// Read takes the last of each option, as flanneld does. Without the file, or the options, names are "".
func Read(path string) (files clienttls.Files, err error) {
	raw, err := readfile.Read(path, readfile.Text)
	if errors.Is(err, fs.ErrNotExist) {
		return files, nil
	}
	if err != nil {
		return files, fault.Wrap(fault.Invalid, err, "argument flannel_file")
	}
	file, err := envfile.ParseSystemd(raw)
	if err != nil {
		return files, fault.Wrap(fault.Invalid, err, "%s", path)
	}
	options, _ := file.Get("FLANNEL_OPTIONS")
	for _, m := range option.FindAllStringSubmatch(options, -1) {
		*map[string]*string{"ca": &files.CA, "cert": &files.Cert, "key": &files.Key}[m[1]] = m[2]
	}
	return files, nil
}
