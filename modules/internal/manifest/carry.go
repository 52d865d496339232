package manifest

import (
	"bytes"
	"net"
	"reflect"
	"regexp"
	"slices"

	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/hosturl"
	"etcd-quorum-restore/modules/internal/yamlfile"
)

// probeURL is a URL in the probe's command: what it asks is the host's own etcd.
var probeURL = regexp.MustCompile(`(https?://)(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]+)`)

// carried are the variables that another host may get: what else is set is one host's own, or a secret.
var carried = []string{"ETCDCTL_API"}

// Portable refuses a manifest that another host must not get.
func (m *Manifest) Portable() error {
	if asks, _ := m.Forces(); asks {
		return fault.New(fault.Refused, "the manifest asks for a forced start")
	}
	for _, e := range m.etcd().Env {
		if !slices.Contains(carried, e.Name) {
			return refuse(m.entry.Line, "the container sets variables, which may be secrets or that host's own")
		}
	}
	return nil
}

// ForHost is this manifest for another host: the probe asks that address, and no annotation of a start is left.
func (m *Manifest) ForHost(address string) ([]byte, error) {
	if err := m.Portable(); err != nil {
		return nil, err
	}
	plain, err := m.Edit(Change{})
	if err != nil {
		return nil, err
	}
	if m, err = Parse(plain); err != nil {
		return nil, err
	}
	key, _ := lookup(m.entry, "livenessProbe")
	if key == nil {
		return plain, nil
	}
	from, to, err := m.extent(key)
	if err != nil {
		return nil, err
	}
	probe, theirs := moved(m.data[from:to], address)
	out := slices.Concat(m.data[:from], probe, m.data[to:])
	return out, m.checkMoved(out, key.Line, address, theirs)
}

// moved replaces the hosts of URLs, and says which they were.
func moved(probe []byte, address string) (out []byte, theirs []string) {
	out = probeURL.ReplaceAllFunc(probe, func(found []byte) []byte {
		part := probeURL.FindSubmatch(found)
		host := string(bytes.Trim(part[2], "[]"))
		if hosturl.OnlyLoopback([]string{string(found)}) {
			return found
		}
		theirs = append(theirs, host)
		return slices.Concat(part[1], bytes.TrimSuffix([]byte(net.JoinHostPort(address, "")), []byte(":")), part[3])
	})
	return out, theirs
}

// checkMoved refuses a manifest that names the host elsewhere too, or whose probe names it in a way that is not known.
func (m *Manifest) checkMoved(out []byte, line int, address string, theirs []string) error {
	for _, host := range theirs {
		named := regexp.MustCompile(`(^|[^0-9A-Za-z.:-])` + regexp.QuoteMeta(host) + `($|[^0-9A-Za-z.-])`)
		if host != address && named.Match(out) {
			return refuse(line, "the manifest names its host in other places than the URL of the liveness probe")
		}
	}
	var is, was map[string]any
	for _, each := range []struct {
		data []byte
		into *map[string]any
	}{{out, &is}, {m.data, &was}} {
		if err := yaml.Unmarshal(each.data, each.into); err != nil {
			return yamlfile.Problem(err)
		}
		if !expect(*each.into, Change{DropProbe: true}) {
			return refuse(line, "the manifest is written in a way that cannot be edited with certainty")
		}
	}
	if len(theirs) == 0 && !probeURL.Match(m.data) || !reflect.DeepEqual(is, was) {
		return refuse(line, "the liveness probe names no URL such as https://192.0.2.11:2379")
	}
	return nil
}
